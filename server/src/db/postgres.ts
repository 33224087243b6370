// PostgreSQL behind the same interface. Sessions speak UTC, and prepared statements are kept by text. Statements that a
// transaction sends without awaiting one another travel together, and run in the order in which they were sent.

import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../limits.ts';
import {
  type Database,
  isUnavailable,
  type Param,
  type Queryable,
  type QueryOptions,
  type TransactionOptions,
} from './database.ts';
import { checkDatabaseUrl, explainConnection } from './database-url.ts';
import type { Patience, PgConnection } from './pg-connection.ts';
import { PgPool } from './pg-pool.ts';

const kBegin = {
  write: 'begin',
  snapshot: 'begin isolation level repeatable read read only',
  tables: 'begin; set local statement_timeout = 0',
} as const;
const kStartPauseMs = 250;

async function rowsOf<Row extends object>(
  connection: PgConnection,
  sql: string,
  params: readonly Param[],
): Promise<Row[]> {
  return [...(await connection.query(sql, params))] as Row[];
}

async function inTransaction<Value>(
  connection: PgConnection,
  { mode }: TransactionOptions,
  work: (tx: Queryable) => Promise<Value>,
): Promise<Value> {
  let open = true;
  let committed: Promise<string> | null = null;
  connection.unlimited = mode === 'tables';
  const tx: Queryable = {
    async query<Row extends object>(
      sql: string,
      params: readonly Param[] = [],
      { last = false }: QueryOptions = {},
    ) {
      // The connection may serve another transaction by now.
      if (!open) throw new Error('A statement came after its transaction.');
      const rows = rowsOf<Row>(connection, sql, params);
      if (last) {
        open = false;
        committed = connection.simple('commit');
        // Whoever waits for the statement hears of what befell both.
        committed.catch(() => {});
      }
      return rows;
    },
  };
  try {
    // Sent together with the first statement. A connection that is there cannot refuse it; one that is lost refuses all.
    const begun = connection.simple(kBegin[mode]);
    const [value] = await Promise.all([work(tx), begun]);
    open = false;
    const tag = await (committed ?? connection.simple('commit'));
    if (tag !== 'COMMIT') throw new Error('A statement failed, and the transaction went on.');
    return value;
  } catch (error) {
    open = false;
    // What cannot be rolled back is ended: the server then rolls back by itself.
    if (!connection.lost) await connection.simple('rollback').catch(() => connection.discard());
    throw error;
  } finally {
    connection.unlimited = false;
  }
}

/** Waits, with a limit, for a database that is only just starting, as after a restart of the machine. */
async function firstConnection(
  pool: PgPool,
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
  const pool = new PgPool(url, connections, patience);
  pool.give(await firstConnection(pool, where, waiting));
  const using = async <Value>(work: (connection: PgConnection) => Promise<Value>) => {
    const connection = await pool.take();
    try {
      return await work(connection);
    } finally {
      pool.give(connection);
    }
  };
  return {
    kind: 'postgres',
    query<Row extends object>(sql: string, params: readonly Param[] = []) {
      return using((connection) => rowsOf<Row>(connection, sql, params));
    },
    execute: (sql) =>
      using(async (connection) => {
        await connection.simple(sql);
      }),
    transaction: (options, work) => using((connection) => inTransaction(connection, options, work)),
    close: () => pool.close(),
  };
}
