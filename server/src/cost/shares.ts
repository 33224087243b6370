// Shares the server's working time among users. Each user has an equal part: one of as many as there are users who
// wait, on a recent average. (The work done for the others alone would be a bad measure: the longer one user keeps
// them waiting, the less it is.) The share is at least twice the others' average use, so that many equal users occupy
// all threads, and never below a small minimum. A user who has had more is delayed until that is made up for; a user
// who is alone is never delayed. The cost of work is known when it is done, so it is charged then.

import { Counts } from '../base/counts.ts';
import { limits } from '../base/limits.ts';
import { LruMap } from '../base/lru-map.ts';

/** Milliseconds of work per user in one window of time. */
class UsageWindow {
  readonly #ofUser = new Map<string, number>();
  #all = 0;

  add(user: string, ms: number): void {
    this.#ofUser.set(user, this.of(user) + ms);
    this.#all += ms;
  }

  of(user: string): number {
    return this.#ofUser.get(user) ?? 0;
  }

  ofOthers(user: string): number {
    return this.#all - this.of(user);
  }

  /** The number of users besides this one. */
  others(user: string): number {
    return this.#ofUser.size - (this.#ofUser.has(user) ? 1 : 0);
  }
}

const kMinWaiters = 0.01;
const kRecheckMs = 500;

/** How many users wait for the server, as a recent average that fades with time. */
class ActiveUsers {
  readonly #ofUser = new Counts();
  #users = 0;
  #average = 0;
  #at = 0;

  come(user: string, now: number): void {
    this.#moveTo(now);
    if (this.#ofUser.of(user) === 0) this.#users++;
    this.#ofUser.add(user);
  }

  go(user: string, now: number): void {
    this.#moveTo(now);
    this.#ofUser.remove(user);
    if (this.#ofUser.of(user) === 0) this.#users--;
  }

  /** The number of users besides one who waits; never exactly 0. */
  others(now: number): number {
    this.#moveTo(now);
    return Math.max(kMinWaiters, this.#average - 1);
  }

  #moveTo(now: number): void {
    const kept = Math.exp((this.#at - now) / limits.usageWindowMs);
    this.#average = kept * this.#average + (1 - kept) * this.#users;
    this.#at = now;
  }
}

interface Debt {
  /** Milliseconds of work beyond the user's share; negative if the user has had less. */
  ms: number;
  /** The time at which `ms` was computed. */
  at: number;
}

export interface ShareOptions {
  /** Milliseconds per second that a user always gets; 0: no user is ever delayed. */
  readonly least: number;
  /** How many users' debts are remembered. */
  readonly remembered: number;
  /** A monotonic clock, in ms. */
  readonly now?: () => number;
}

export class Shares {
  #least: number;
  readonly #now: () => number;
  readonly #debts: LruMap<Debt>;
  /** The use in the current window, and in the previous one. */
  #current = new UsageWindow();
  #before = new UsageWindow();
  #began: number;
  readonly #presence = new ActiveUsers();

  constructor({ least, remembered, now = () => performance.now() }: ShareOptions) {
    this.#least = least / 1000;
    this.#now = now;
    this.#debts = new LruMap(remembered);
    this.#began = now();
  }

  /** Counts this user as waiting for the server while `work` runs. */
  async during<Value>(user: string, work: () => Promise<Value>): Promise<Value> {
    this.#presence.come(user, this.#now());
    try {
      return await work();
    } finally {
      this.#presence.go(user, this.#now());
    }
  }

  /** Charges a user for so many milliseconds of work. */
  charge(user: string, ms: number): void {
    if (this.#least === 0 || ms <= 0) return;
    const debt = this.#debt(user);
    // During this work the user was entitled to a share; it counts as credit if nothing was owed.
    const before = Math.max(-ms * this.#shareOf(user), debt.ms);
    debt.ms = Math.min(limits.workOwed, before + ms);
    this.#current.add(user, ms);
  }

  /** After how many milliseconds to check this user again: the delay is over by then, or may be shorter; 0: now. */
  restMs(user: string): number {
    if (this.#least === 0 || this.#debts.get(user) === undefined) return 0;
    const over = this.#debt(user).ms - limits.workAtOnce;
    return over > 0 ? Math.min(kRecheckMs, Math.ceil(over / this.#shareOf(user))) : 0;
  }

  /** How long this user is delayed, if it is so long that waiting would be of no use; else 0. */
  longRestMs(user: string): number {
    if (this.#least === 0 || this.#debts.get(user) === undefined) return 0;
    const rest = (this.#debt(user).ms - limits.workAtOnce) / this.#shareOf(user);
    return rest > limits.restRefusedMs ? Math.min(rest, limits.restRefusedMostMs) : 0;
  }

  /** Ends all delays: the server stops. */
  end(): void {
    this.#least = 0;
  }

  #debt(user: string): Debt {
    const now = this.#now();
    const debt = this.#debts.get(user) ?? { ms: 0, at: now };
    debt.ms = Math.max(-limits.workSaved, debt.ms - (now - debt.at) * this.#shareOf(user));
    debt.at = now;
    this.#debts.use(user, debt);
    return debt;
  }

  /** The user's part of each millisecond. It is above 1 if several threads work, or if the user is alone. */
  #shareOf(user: string): number {
    const now = this.#now();
    this.#advance(now);
    const window = limits.usageWindowMs;
    const weight = 1 - (now - this.#began) / window;
    const ofOthers = (this.#current.ofOthers(user) + weight * this.#before.ofOthers(user)) / window;
    const served = Math.max(1, this.#current.others(user), this.#before.others(user));
    const waiting = this.#presence.others(now);
    return Math.max(this.#least, (2 * ofOthers) / served, 1 / waiting);
  }

  #advance(now: number): void {
    const windows = Math.floor((now - this.#began) / limits.usageWindowMs);
    if (windows === 0) return;
    this.#before = windows === 1 ? this.#current : new UsageWindow();
    this.#current = new UsageWindow();
    this.#began += windows * limits.usageWindowMs;
  }
}
