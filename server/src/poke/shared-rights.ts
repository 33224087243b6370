// What sockets may hear of. A change of a user's rights concerns all of the user's sockets: those with the same grants share one
// read, and one set of realms, however many they are. A user whose rights take long to read has them read less often.

import { setTimeout as pause } from 'node:timers/promises';
import type { Queryable } from '../db/database.ts';
import { type Caller, readRights } from '../rights/rights.ts';

/** After a read, for so many times as long, the next one waits; but never for longer than this. */
const kRest = 10;
const kLongestRestMs = 1_000;

interface Reading {
  /** Not begun: who asks meanwhile gets its result, too. */
  waiting: Promise<ReadonlySet<string>> | null;
  /** The last one has ended. */
  ended: Promise<unknown>;
  restUntil: number;
}

export class SharedRights {
  readonly #database: Queryable;
  readonly #readings = new Map<string, Reading>();
  readonly #keys = new WeakMap<Caller, string>();

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** The realms that the user may read, as of a moment after this call. */
  realmsOf(user: Caller): Promise<ReadonlySet<string>> {
    const key = this.#keyOf(user);
    const reading = this.#readings.get(key) ?? {
      ...{ waiting: null, ended: Promise.resolve(), restUntil: 0 },
    };
    this.#readings.set(key, reading);
    reading.waiting ??= this.#read(key, reading, user);
    return reading.waiting;
  }

  async #read(key: string, reading: Reading, user: Caller): Promise<ReadonlySet<string>> {
    await reading.ended;
    await pause(Math.max(0, reading.restUntil - performance.now()));
    // Who asks from here on may have heard of a later change.
    reading.waiting = null;
    const began = performance.now();
    const rights = readRights(this.#database, user);
    reading.ended = rights.then(
      () => {},
      () => {},
    );
    try {
      return new Set((await rights).keys());
    } finally {
      const now = performance.now();
      reading.restUntil = now + Math.min(kLongestRestMs, kRest * (now - began));
      this.#forgetLater(key, reading);
    }
  }

  /** Once it has rested, unless it is asked again. */
  #forgetLater(key: string, reading: Reading): void {
    const { ended, restUntil } = reading;
    const isIdle = () => reading.waiting === null && reading.ended === ended;
    const rest = Math.max(0, restUntil - performance.now());
    setTimeout(() => isIdle() && this.#readings.delete(key), rest).unref();
  }

  #keyOf(user: Caller): string {
    const known = this.#keys.get(user);
    if (known !== undefined) return known;
    const key = JSON.stringify([user.id, [...user.grants].sort()]);
    this.#keys.set(user, key);
    return key;
  }
}
