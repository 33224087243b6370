// All limits of concurrent use per caller: requests and their bytes by rate, held bytes, concurrent reads, and all
// work by its time (shares.ts). Rates and bytes are checked before any work begins.

import { type CallerLimits, limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Spent } from '../db/database.ts';
import { BodyBytes, type HeldBytes } from './bodies.ts';
import { FairGate } from './gate.ts';
import { Rates } from './rates.ts';
import { Shares } from './shares.ts';

export class Callers {
  readonly #users: Rates;
  readonly #clients: Rates;
  readonly #addresses: Rates;
  readonly #bodies: BodyBytes;
  readonly #bodiesParsed: FairGate;
  readonly #reads: FairGate;
  readonly shares: Shares;

  /** `reads`: the maximum number of concurrent reads. */
  constructor(given: CallerLimits, reads: number) {
    const { callersRemembered: remembered, burstSeconds } = limits;
    const rate = (perSecond: number) => ({ perSecond, burst: perSecond * burstSeconds });
    this.#users = new Rates(rate(given.requestsPerUser), remembered);
    this.#clients = new Rates(rate(given.requestsPerClient), remembered);
    this.#addresses = new Rates(rate(given.requestsPerAddress), remembered);
    this.#bodies = new BodyBytes({ inAll: given.bytesUnderWay, perUser: given.bytesPerUser });
    const shares = new Shares({ least: given.workPerUser, remembered });
    const waiting = {
      waitingPerUser: limits.waitingReadsPerUser,
      waitingInAll: limits.waitingReads,
      restMs: (user: string) => shares.restMs(user),
    };
    const perUser = Math.min(given.readsPerUser, reads);
    this.#reads = new FairGate({ ...waiting, inAll: reads, perUser });
    // One at a time per user: the cost of the first is known before the second.
    const inAll = limits.callersRemembered;
    this.#bodiesParsed = new FairGate({ ...waiting, inAll, perUser: 1 });
    this.shares = shares;
  }

  /** A request of this user has arrived. */
  request(user: string): void {
    refuse(this.#users.take(user, 1), 'This user sends too many requests.');
    const detail = 'This user has used far more than a share; try again later.';
    refuse(this.shares.longRestMs(user), detail);
  }

  /** A request that needs no token has arrived from this address. */
  stranger(address: string): void {
    refuse(this.#addresses.take(address, 1), 'This address sends too many requests.');
  }

  /** The request declares a body of so many bytes. A long request counts as several. */
  declared(user: string, bytes: number): void {
    refuse(this.#users.take(user, tokensOf(bytes)), 'This user sends too much.');
  }

  /** The body had so many bytes more than declared. */
  undeclared(user: string, bytes: number): void {
    if (bytes > 0) this.#users.charge(user, tokensOf(bytes));
  }

  /** The request belongs to this client. */
  ofClient(client: string, bytes: number): void {
    const tokens = 1 + tokensOf(bytes);
    refuse(this.#clients.take(client, tokens), 'This client sends too many requests.');
  }

  /** Holds the bytes of a request's body while `work` runs. */
  async holding<Value>(user: string, work: (held: HeldBytes) => Promise<Value>): Promise<Value> {
    const held = this.#bodies.hold(user);
    try {
      return await work(held);
    } finally {
      held.release();
    }
  }

  /**
   * Parses what this user has sent; a long body when it is the user's turn. `work` is charged by itself if it awaits
   * nothing.
   */
  async parsing<Value>(
    user: string,
    bytes: number,
    signal: AbortSignal,
    work: (spent: Spent) => Value | Promise<Value>,
  ): Promise<Value> {
    const look = async () => {
      const began = performance.now();
      try {
        return work(this.#spent(user));
      } finally {
        this.shares.charge(user, performance.now() - began);
      }
    };
    // A short body does not overtake an earlier body of this user.
    const isShort = bytes <= limits.bytesParsedAtOnce && !this.#bodiesParsed.has(user);
    if (isShort) return look();
    return this.#bodiesParsed.run(user, signal, look);
  }

  /** Runs a read of this user when it is the user's turn. The read reports its cost. */
  async reading<Value>(
    user: string,
    signal: AbortSignal,
    work: (spent: Spent) => Promise<Value>,
  ): Promise<Value> {
    return this.#reads.run(user, signal, () => work(this.#spent(user)));
  }

  /** An answer of so many characters was made for this user. */
  answered(user: string, characters: number): void {
    this.shares.charge(user, characters / limits.charactersAnsweredPerMs);
  }

  #spent(user: string): Spent {
    return (ms) => this.shares.charge(user, ms);
  }
}

function tokensOf(bytes: number): number {
  return bytes / limits.bytesPerToken;
}

function refuse(ms: number, detail: string): void {
  if (ms > 0) throw new Problem('rate_limited', detail, {}, Math.ceil(ms / 1000));
}
