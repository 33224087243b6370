import type { DatabaseClients } from './database-clients.mjs';

/** A pgbouncer in transaction mode in front of the database with this URL. */
export function startPgbouncer(
  clients: DatabaseClients,
  database: string,
): Promise<{ readonly url: string; stop(): Promise<void> }>;
