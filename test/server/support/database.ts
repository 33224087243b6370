// The database under test: PGlite, or, in the project `server-postgres`, a PostgreSQL that is there for the whole run.

import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';
import type { Database } from '../../../server/src/db/database.ts';
import { openPGlite } from '../../../server/src/db/pglite.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';

/** Where the tests run on PostgreSQL: its URL. */
export const postgresUrl: string | undefined = inject('postgres');

/** Makes an empty database of a cluster, unless it is there, and returns its URL. */
export async function makeDatabase(cluster: string, name: string): Promise<string> {
  const sql = postgres(cluster, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql`select 1 from pg_database where datname = ${name}`;
    if (row === undefined) await sql.unsafe(`create database ${name}`);
  } finally {
    await sql.end();
  }
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  return url.href;
}

/** An empty database that nobody else uses: PGlite in memory, or one of PostgreSQL. */
export async function openTestDatabase(): Promise<Database> {
  if (postgresUrl === undefined) return openPGlite(null);
  const name = `test_${randomUUID().slice(0, 8)}`;
  return openPostgres(await makeDatabase(postgresUrl, name));
}
