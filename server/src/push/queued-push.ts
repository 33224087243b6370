// A push that waits for its results: its undecided updates, and its caller.

import { foreignLimits } from '../base/foreign-limits.ts';
import type { JsonObject } from '../base/json.ts';
import type { PushCost } from '../cost/push-cost.ts';
import type { Caller } from '../rights/rights.ts';
import { realmsNamed } from '../wire/updates.ts';
import type { Result } from './done.ts';
import type { Grouped } from './groups.ts';
import { RowsLocked, type Unit } from './locks.ts';

export interface CheckedPush {
  readonly client: string;
  readonly user: Caller;
  readonly epoch: number | null;
  readonly seen?: ReadonlyMap<string, number>;
  readonly follows?: string | null;
  /** The client is of an earlier release. */
  readonly older?: boolean;
  /** By id of an update (Unit.sent). */
  readonly sent?: ReadonlyMap<string, number>;
  readonly updates: readonly JsonObject[];
  /** The size of the request's text. */
  readonly bytes: number;
  readonly cost: PushCost;
  /** Aborted when the caller has disconnected: a waiting push is dropped, one in progress is finished. */
  readonly signal?: AbortSignal | undefined;
}

export interface PushOutcome {
  readonly time: number;
  readonly results: readonly Result[];
}

/** An update, and its push. */
export interface OwnedUnit extends Unit {
  readonly owner: QueuedPush;
}

const kBytesPerKey = 500;

/** The cost of keys and bytes, in keys: looking up or changing one key costs about as much as so many bytes. */
export function weightOf(keys: number, bytes: number): number {
  return keys + bytes / kBytesPerKey;
}

export class QueuedPush implements Grouped {
  readonly client: string;
  readonly user: Caller;
  readonly realms: readonly string[];
  readonly bytes: number;
  readonly cost: PushCost;
  readonly signal: AbortSignal | undefined;
  readonly answer: Promise<PushOutcome>;
  passedOver = 0;
  /** Since when it waits for rows that others have locked, and when it is tried again; of a monotonic clock, ms. */
  #lockedSince: number | null = null;
  #tryAt = 0;
  readonly #all: readonly OwnedUnit[];
  readonly #results = new Map<Unit, Result>();
  #failed = false;
  #time = 0;
  #resolve!: (answer: PushOutcome) => void;
  #reject!: (error: unknown) => void;

  constructor(push: CheckedPush) {
    const {
      client,
      user,
      epoch,
      seen,
      follows,
      older = false,
      sent,
      updates,
      bytes,
      cost,
      signal,
    } = push;
    this.client = client;
    this.user = user;
    this.realms = [...new Set(updates.flatMap(realmsNamed))];
    this.bytes = bytes;
    this.cost = cost;
    this.signal = signal;
    const said = { ...(seen && { seen }), ...(follows && { follows }) };
    this.#all = updates.map((update) => {
      const before = sent?.get(update.id as string);
      const unit = { client, user, epoch, older, update, ...said, owner: this };
      return before === undefined ? unit : { ...unit, sent: before };
    });
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The undecided updates, in order. */
  get units(): readonly OwnedUnit[] {
    if (this.#failed) return [];
    return this.#all.filter((unit) => !this.#results.has(unit));
  }

  /** Its part of the cost of a group, as far as it is known from the push itself. */
  get weight(): number {
    return weightOf(this.cost.keys, this.cost.written);
  }

  get updates(): number {
    return this.#all.length - this.#results.size;
  }

  /** Another program has locked a row that it needs. Fails the push if it has waited for long. */
  waitForRows(now: number): void {
    this.#lockedSince ??= now;
    const waited = now - this.#lockedSince;
    if (waited >= foreignLimits.waitForRowsMs) this.fail(new RowsLocked());
    else
      this.#tryAt =
        now + Math.min(foreignLimits.lookAgainMostMs, Math.max(foreignLimits.lookAgainMs, waited));
  }

  /** How long it is not tried. */
  restMs(now: number): number {
    return Math.max(0, this.#tryAt - now);
  }

  settle(unit: Unit, result: Result, time: number): void {
    this.#results.set(unit, result);
    this.#time = time;
    if (this.#results.size < this.#all.length) return;
    const results = this.#all.map((one) => this.#results.get(one) as Result);
    this.#resolve({ time: this.#time, results });
  }

  fail(error: unknown): void {
    this.#failed = true;
    this.#reject(error);
  }
}

/** The pushes of some updates, each once, in order. */
export function ownersOf(units: readonly OwnedUnit[]): QueuedPush[] {
  return [...new Set(units.map(({ owner }) => owner))];
}
