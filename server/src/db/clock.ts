// The database's clock: the only clock that all nodes of a database share, and the `time` of every answer.

import { setTimeout as pause } from 'node:timers/promises';
import { limits } from '../base/limits.ts';
import { DatabaseTimeout, type Queryable } from './database.ts';

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
  /** For how long the database counts as there, or as away, after a reading that has succeeded, or failed. */
  readonly healthFreshMs: number;
  /** For how long it counts as there while it does not answer. */
  readonly healthWithinMs: number;
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
  #answeredAt = 0;
  /** The error of the last reading; null if it has succeeded. */
  #failure: unknown = null;
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
      healthFreshMs: limits.healthFreshMs,
      healthWithinMs: limits.healthWithinMs,
      steady: () => performance.now(),
    },
  ): Promise<DatabaseClock> {
    const clock = new DatabaseClock(database, options);
    await clock.#read();
    return clock;
  }

  /** Milliseconds of Unix time. */
  async now(): Promise<number> {
    const { freshMs, steady } = this.#options;
    // If the database does not answer, it is asked again later; until then the last reading is used.
    if (steady() - this.#askedAt >= freshMs) this.#ask();
    await this.#settled();
    return Math.floor(steady() + this.#offset);
  }

  /** Throws if the database is away, or has not answered for long. */
  async reached(): Promise<void> {
    const { healthFreshMs, healthWithinMs, steady } = this.#options;
    if (steady() - this.#askedAt >= healthFreshMs) this.#ask();
    await this.#settled();
    if (this.#failure !== null) throw this.#failure;
    if (steady() - this.#answeredAt >= healthWithinMs)
      throw new DatabaseTimeout('The database has not answered for long.');
  }

  /** Begins a reading, unless one is under way. */
  #ask(): void {
    this.#reading ??= this.#read()
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#reading = null;
      });
  }

  /** The end of the reading that is under way, or of the time that is waited for it. */
  async #settled(): Promise<void> {
    if (this.#reading === null) return;
    await Promise.race([this.#reading, pause(this.#options.waitMs, undefined, { ref: false })]);
  }

  async #read(): Promise<void> {
    const { steady } = this.#options;
    this.#askedAt = steady();
    const now = await readClock(this.#database);
    // The offset is computed from now: before the statement was sent, it may have waited for a connection.
    this.#answeredAt = steady();
    this.#offset = now - this.#answeredAt;
    this.#failure = null;
  }
}
