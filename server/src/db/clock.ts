// The database's clock: the only clock that all nodes of a database share, and the `time` of every answer.

import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../base/limits.ts';
import type { Queryable } from './database.ts';

/** Milliseconds of Unix time at the moment of the call, not at the start of the transaction: an SQL expression. */
export const kNow = 'floor(extract(epoch from clock_timestamp()) * 1000)::bigint';

/** Reads the database's clock. */
export async function readClock(database: Queryable): Promise<number> {
  const [row] = await database.query<{ now: string }>(`select (${kNow})::text as now`);
  if (row === undefined) throw new Error('The database returned no time.');
  return Number(row.now);
}

export interface ClockOptions {
  /** For how long a reading of the database's clock is extrapolated. */
  readonly freshMs: number;
  /** How long a new reading is waited for. */
  readonly waitMs: number;
  /** A monotonic clock, in milliseconds. */
  readonly steady: () => number;
}

/**
 * The database's clock for callers that may ask as often as they like. It is read now and then and extrapolated
 * between readings. At most one statement is under way for all callers. While the database is unavailable or slow,
 * the last reading is used.
 */
export class DatabaseClock {
  readonly #database: Queryable;
  readonly #options: ClockOptions;
  /** The difference between the database's clock and `steady`. */
  #offset = 0;
  #askedAt = 0;
  #reading: Promise<void> | null = null;

  private constructor(database: Queryable, options: ClockOptions) {
    this.#database = database;
    this.#options = options;
  }

  static async open(
    database: Queryable,
    options: ClockOptions = {
      freshMs: limits.clockFreshMs,
      waitMs: limits.clockWaitMs,
      steady: () => performance.now(),
    },
  ): Promise<DatabaseClock> {
    const clock = new DatabaseClock(database, options);
    await clock.#read();
    return clock;
  }

  /** Milliseconds of Unix time. */
  async now(): Promise<number> {
    const { freshMs, waitMs, steady } = this.#options;
    if (this.#reading === null && steady() - this.#askedAt >= freshMs) {
      // If the database does not answer, it is asked again later; until then the last reading is used.
      this.#reading = this.#read()
        .catch(() => {})
        .finally(() => {
          this.#reading = null;
        });
    }
    if (this.#reading !== null)
      await Promise.race([this.#reading, pause(waitMs, undefined, { ref: false })]);
    return Math.floor(steady() + this.#offset);
  }

  async #read(): Promise<void> {
    const { steady } = this.#options;
    this.#askedAt = steady();
    const now = await readClock(this.#database);
    // The offset is computed from now: before the statement was sent, it may have waited for a connection.
    this.#offset = now - steady();
  }
}
