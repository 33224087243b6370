// What callers may ask for at a time, put together: requests by rate, the work that they cause by its time, bytes that are
// held, and reads that are under way. All of it is looked at before the database is asked for anything.

import { Problem } from '../http/problem.ts';
import { type CallerLimits, limits } from '../limits.ts';
import { BodyBytes, type HeldBytes } from './bodies.ts';
import { FairGate } from './gate.ts';
import { Rates } from './rates.ts';

export class Callers {
  readonly #users: Rates;
  readonly #clients: Rates;
  readonly #work: Rates;
  readonly #bodies: BodyBytes;
  readonly #reads: FairGate;

  /** `reads`: how many requests that read may be under way at a time. */
  constructor(given: CallerLimits, reads: number) {
    const { callersRemembered: remembered, burstSeconds } = limits;
    const rate = (perSecond: number) => ({ perSecond, burst: perSecond * burstSeconds });
    this.#users = new Rates(rate(given.requestsPerUser), remembered);
    this.#clients = new Rates(rate(given.requestsPerClient), remembered);
    this.#work = new Rates(rate(given.workPerUser), remembered);
    this.#bodies = new BodyBytes({ inAll: given.bytesUnderWay, perUser: given.bytesPerUser });
    this.#reads = new FairGate({
      inAll: reads,
      perUser: Math.min(given.readsPerUser, reads),
      waitingPerUser: limits.waitingReadsPerUser,
      waitingInAll: limits.waitingReads,
    });
  }

  /** A request of this user has come. */
  request(user: string): void {
    refuse(this.#users.take(user, 1), 'This user sends too many requests.');
  }

  /** It is of this client, and so long. Long requests count as several. */
  sized(user: string, client: string, bytes: number): void {
    const more = bytes / limits.bytesPerToken;
    refuse(this.#users.take(user, more), 'This user sends too much.');
    refuse(this.#clients.take(client, 1 + more), 'This client sends too many requests.');
  }

  /** The bytes of a request's body, as long as it is worked on. */
  async holding<Value>(user: string, work: (held: HeldBytes) => Promise<Value>): Promise<Value> {
    const held = this.#bodies.hold(user);
    try {
      return await work(held);
    } finally {
      held.release();
    }
  }

  /** Runs a read of this user in its turn; it says what it has cost, in milliseconds. */
  async reading<Value>(
    user: string,
    signal: AbortSignal,
    work: (spent: (ms: number) => void) => Promise<Value>,
  ): Promise<Value> {
    refuse(this.#work.take(user, 1), 'What this user reads costs too much time.');
    return this.#reads.run(user, signal, () => work((ms) => this.#work.charge(user, ms)));
  }
}

function refuse(ms: number, detail: string): void {
  if (ms > 0) throw new Problem('rate_limited', detail, {}, Math.ceil(ms / 1000));
}
