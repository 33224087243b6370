// PostgreSQL behind the same interface. Sessions use UTC; statements are prepared, by text.

import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../base/limits.ts';
import { type Database, isUnavailable, type Param } from './database.ts';
import { checkDatabaseUrl, explainConnection } from './database-url.ts';
import { PgCanceller } from './pg-canceller.ts';
import { type Patience, PgConnection } from './pg-connection.ts';
import { SessionPool } from './pool.ts';
import { inTransaction, rowsOf } from './session.ts';

const kStartPauseMs = 250;

/** Waits, with a limit, for a database that is just starting, for example after a restart of the machine. */
async function firstConnection(
  pool: SessionPool<PgConnection>,
  where: string,
  waiting: (message: string) => void,
): Promise<PgConnection> {
  const deadline = performance.now() + limits.databaseStartMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await pool.take();
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > deadline) {
        throw explainConnection(error, where);
      }
      if (attempt === 1) {
        waiting(`Waiting for the database at ${where} … (${(error as Error).message})`);
      }
      await pause(kStartPauseMs);
    }
  }
}

export async function openPostgres(
  url: string,
  connections: number = limits.databaseConnections,
  patience: Patience = limits,
  waiting: (message: string) => void = () => {},
): Promise<Database> {
  const where = checkDatabaseUrl(url);
  const canceller = new PgCanceller(url, patience);
  const pool = new SessionPool(connections, () =>
    PgConnection.open(url, { cancel: (pid) => canceller.cancel(pid) }, patience),
  );
  pool.give(await firstConnection(pool, where, waiting));
  return {
    kind: 'postgres',
    query<Row extends object>(sql: string, params: readonly Param[] = []) {
      return pool.using((connection) => rowsOf<Row>(connection, sql, params));
    },
    execute: (sql) =>
      pool.using(async (connection) => {
        await connection.simple(sql);
      }),
    transaction: (options, work) =>
      pool.using((connection) => inTransaction(connection, options, work), options.signal),
    async close() {
      await pool.close();
      await canceller.close();
    },
  };
}
