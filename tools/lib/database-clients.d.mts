/** Programs that write to PostgreSQL beside the server, and the environment variables that they need. */
export interface DatabaseClients {
  readonly pgbouncer: string;
  readonly psql: string;
  readonly python: string;
  readonly env: Readonly<Record<string, string>>;
}

export function findDatabaseClients(): Promise<DatabaseClients | undefined>;
