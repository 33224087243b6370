// The database's clock: the one clock that all nodes of a database have, and the `time` of every answer.

import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../base/limits.ts';
import type { Queryable } from './database.ts';

/** Milliseconds of Unix time now, not as the transaction began: an SQL expression. */
export const kNow = 'floor(extract(epoch from clock_timestamp()) * 1000)::bigint';

/** What the database's clock says now. */
export async function readClock(database: Queryable): Promise<number> {
  const [row] = await database.query<{ now: string }>(`select (${kNow})::text as now`);
  if (row === undefined) throw new Error('The database told no time.');
  return Number(row.now);
}

export interface ClockOptions {
  /** How long one reading of the database's clock is counted on from. */
  readonly freshMs: number;
  /** How long a new reading is waited for. */
  readonly waitMs: number;
  /** What durations are measured by: milliseconds that only go forward. */
  readonly steady: () => number;
}

/**
 * The database's clock for callers who may ask as often as they like: read now and then, and counted on from. However many
 * ask, one statement is under way at most; and while the database is away, or slow, the last reading goes on.
 */
export class DatabaseClock {
  readonly #database: Queryable;
  readonly #options: ClockOptions;
  /** What the database's clock is ahead of `steady`. */
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
      // A database that does not answer is asked again later; until then the last reading stands.
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
    // The answer has come just now; before it was asked, it may have waited for a connection.
    this.#offset = now - steady();
  }
}
