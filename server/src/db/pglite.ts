// PGlite behind the same interface: one session, in a thread of its own, on a directory that stays locked as long as
// the database is open, even while its thread is restarted.

import { join, resolve } from 'node:path';
import { limits } from '../base/limits.ts';
import { ConnectionError, type Database, type Param } from './database.ts';
import { lockDirectory } from './directory-lock.ts';
import { DiskRoom, type DiskRoomOptions } from './disk-room.ts';
import { PGliteSession } from './pglite-session.ts';
import { SessionPool } from './pool.ts';
import { Restarts } from './restarts.ts';
import { inTransaction, rowsOf } from './session.ts';

const fsyncs = new SharedArrayBuffer(4);

/** How often the database has called fsync; the tests of durability count it. */
export const fsyncCount = {
  get value(): number {
    return Atomics.load(new Int32Array(fsyncs), 0);
  },
};

export interface PGliteOptions {
  /** The time limit of a statement; after it the thread is ended. */
  readonly pgliteStatementMs: number;
  /** Writes are refused while fewer bytes of the disk are free (disk-room.ts). */
  readonly diskReserveBytes: number;
  readonly warn: (message: string) => void;
  /** For tests. */
  readonly freeBytes?: DiskRoomOptions['freeBytes'];
}

/** Opens the database in `directory`, or in memory if it is null (for tests). */
export async function openPGlite(
  directory: string | null,
  options: Partial<PGliteOptions> = {},
): Promise<Database> {
  const { pgliteStatementMs, diskReserveBytes, warn, freeBytes } = {
    ...{ ...limits, warn: console.warn },
    ...options,
  };
  const lock = directory === null ? null : await lockDirectory(resolve(directory));
  const folder = directory === null ? null : join(resolve(directory), 'pg');
  let session: PGliteSession | null = null;
  const restarts = new Restarts(limits.pgliteRestartMs, limits.pgliteRestartMostMs);
  const pool = new SessionPool(1, async () => {
    if (session !== null && folder === null) {
      throw new ConnectionError('What was in memory is gone with its thread.');
    }
    // Two threads on one folder would lose each other's rows.
    await session?.ended;
    session = await restarts.try(() => PGliteSession.open({ folder, fsyncs }, pgliteStatementMs));
    return session;
  });
  const room =
    directory === null
      ? null
      : new DiskRoom(directory, {
          ...{ leastBytes: diskReserveBytes, freshMs: limits.diskFreshMs, warn },
          ...(freeBytes === undefined ? {} : { freeBytes }),
        });
  try {
    pool.give(await pool.take());
  } catch (error) {
    await lock?.release();
    throw error;
  }
  return {
    kind: 'pglite',
    query<Row extends object>(sql: string, params: readonly Param[] = []) {
      return pool.using((session) => rowsOf<Row>(session, sql, params));
    },
    execute: (sql) =>
      pool.using(async (session) => {
        session.unlimited = true;
        try {
          await session.simple(sql);
        } finally {
          session.unlimited = false;
        }
      }),
    async transaction(options, work) {
      if (options.mode === 'write') await room?.check();
      return pool.using((session) => inTransaction(session, options, work), options.signal);
    },
    async close() {
      await pool.close();
      // A thread that was ended may still be finishing its last write.
      await session?.ended;
      await lock?.release();
    },
  };
}
