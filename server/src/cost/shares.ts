// Whose turn it is where time is short. Of the time that the server works, each user has an equal part: one of as many as
// there are others who wait for it, on average of late. (What the others were worked for says less: the more one
// keeps them waiting, the less it is.) It is twice what each of them has at the least, so that many who are equal fill all
// threads, and a little in any case. Who has had more rests until that is made up for, while the others go on; who is alone
// never rests. What work costs is known when it is done, so it is charged then.

import { limits } from '../base/limits.ts';
import { Recent } from '../base/recent.ts';
import { Counts } from './counts.ts';

/** Milliseconds that users were worked for, in one stretch of time. */
class Stretch {
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

  /** How many users it has beside this one. */
  others(user: string): number {
    return this.#ofUser.size - (this.#ofUser.has(user) ? 1 : 0);
  }
}

const kNobody = 0.01;
const kLookMs = 500;

/** How many users wait for the server, on average of late: what was counts for less the longer it is ago. */
class Presence {
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

  /** Beside one who waits; never quite 0. */
  others(now: number): number {
    this.#moveTo(now);
    return Math.max(kNobody, this.#average - 1);
  }

  #moveTo(now: number): void {
    const kept = Math.exp((this.#at - now) / limits.shareStretchMs);
    this.#average = kept * this.#average + (1 - kept) * this.#users;
    this.#at = now;
  }
}

interface Debt {
  /** Milliseconds of work beyond the user's share; below 0, what could have been had besides. */
  ms: number;
  /** When `ms` was right. */
  at: number;
}

export interface ShareOptions {
  /** Milliseconds a second that a user has in any case; 0: nobody ever rests. */
  readonly least: number;
  /** How many users' debts are remembered. */
  readonly remembered: number;
  /** A clock that only goes on, in ms. */
  readonly now?: () => number;
}

export class Shares {
  #least: number;
  readonly #now: () => number;
  readonly #debts: Recent<Debt>;
  /** What was used in the stretch under way, and in the one before. */
  #current = new Stretch();
  #before = new Stretch();
  #began: number;
  readonly #presence = new Presence();

  constructor({ least, remembered, now = () => performance.now() }: ShareOptions) {
    this.#least = least / 1000;
    this.#now = now;
    this.#debts = new Recent(remembered);
    this.#began = now();
  }

  /** This user waits for the server as long as `work` takes. */
  async during<Value>(user: string, work: () => Promise<Value>): Promise<Value> {
    this.#presence.come(user, this.#now());
    try {
      return await work();
    } finally {
      this.#presence.go(user, this.#now());
    }
  }

  /** The server has worked so many milliseconds for a user. */
  charge(user: string, ms: number): void {
    if (this.#least === 0 || ms <= 0) return;
    const debt = this.#debt(user);
    // While it was done the user had a share of the time, which is not lost where nothing was owed.
    const before = Math.max(-ms * this.#shareOf(user), debt.ms);
    debt.ms = Math.min(limits.workOwed, before + ms);
    this.#current.add(user, ms);
  }

  /** In how many milliseconds this user is worth another look: the rest is over by then, or may be shorter; 0: now. */
  restMs(user: string): number {
    if (this.#least === 0 || this.#debts.get(user) === undefined) return 0;
    const over = this.#debt(user).ms - limits.workAtOnce;
    return over > 0 ? Math.min(kLookMs, Math.ceil(over / this.#shareOf(user))) : 0;
  }

  /** Nobody rests any more: the server stops. */
  end(): void {
    this.#least = 0;
  }

  #debt(user: string): Debt {
    const now = this.#now();
    const debt = this.#debts.get(user) ?? { ms: 0, at: now };
    debt.ms = Math.max(-limits.workOwed, debt.ms - (now - debt.at) * this.#shareOf(user));
    debt.at = now;
    this.#debts.use(user, debt);
    return debt;
  }

  /** How much a user may have of each millisecond: more than all of it where several threads work, or who is alone. */
  #shareOf(user: string): number {
    const now = this.#now();
    this.#roll(now);
    const stretch = limits.shareStretchMs;
    const weight = 1 - (now - this.#began) / stretch;
    const ofOthers =
      (this.#current.ofOthers(user) + weight * this.#before.ofOthers(user)) / stretch;
    const served = Math.max(1, this.#current.others(user), this.#before.others(user));
    const waiting = this.#presence.others(now);
    return Math.max(this.#least, (2 * ofOthers) / served, 1 / waiting);
  }

  #roll(now: number): void {
    const stretches = Math.floor((now - this.#began) / limits.shareStretchMs);
    if (stretches === 0) return;
    this.#before = stretches === 1 ? this.#current : new Stretch();
    this.#current = new Stretch();
    this.#began += stretches * limits.shareStretchMs;
  }
}
