// The database under test: PGlite, or, in the project `server-postgres`, a PostgreSQL that runs during the whole run.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { inject, onTestFinished } from 'vitest';
import { limits } from '../../../server/src/base/limits.ts';
import type { Database } from '../../../server/src/db/database.ts';
import { openPGlite } from '../../../server/src/db/pglite.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import { placeDatabase } from '../../support/initialised.ts';
import { patience } from '../../support/patience.ts';
import type { Json } from './server.ts';

/** The URL of PostgreSQL, if the tests run on it. */
export const postgresUrl: string | undefined = inject('postgres');

/** A plain client of PostgreSQL, connected; the caller ends it. */
export async function connectTo(url: string): Promise<Client> {
  const client = new Client(url);
  await client.connect();
  return client;
}

/** A plain client for one test. It ends with the test, however that ends: what it has locked would stop all that follow. */
export async function connectInTest(url: string): Promise<Client> {
  const client = await connectTo(url);
  onTestFinished(() => client.end());
  return client;
}

/** Runs statements without parameters on a connection of their own; returns the rows of a single one. */
export async function runSql(url: string, sql: string): Promise<Json[]> {
  const client = await connectTo(url);
  try {
    return (await client.query<Json>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Creates an empty database of a cluster, unless it exists, and returns its URL. */
export async function makeDatabase(cluster: string, name: string): Promise<string> {
  const [row] = await runSql(cluster, `select 1 from pg_database where datname = '${name}'`);
  if (row === undefined) await runSql(cluster, `create database "${name}"`);
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  return url.href;
}

/** An empty database that nobody else uses: PGlite, or one of PostgreSQL. */
export async function openTestDatabase(): Promise<Database> {
  if (postgresUrl === undefined) {
    const folder = placeDatabase(mkdtempSync(join(tmpdir(), 'skerry-database-')));
    const pgliteStatementMs = patience(limits.pgliteStatementMs);
    const database = await openPGlite(folder, { pgliteStatementMs });
    const close = database.close.bind(database);
    return Object.assign(database, {
      async close() {
        await close();
        rmSync(folder, { recursive: true, force: true });
      },
    });
  }
  const name = `test_${randomUUID().slice(0, 8)}`;
  return openPostgres(await makeDatabase(postgresUrl, name));
}
