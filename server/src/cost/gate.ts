// So many at a time, of each user and in all, and a bounded queue for the others: users take turns, whoever came first, so
// that one who asks for much is in nobody's way but his own. Who has had more than a share rests first (shares.ts).

import { Problem } from '../base/problem.ts';
import { Counts } from './counts.ts';

export interface GateLimits {
  readonly inAll: number;
  readonly perUser: number;
  readonly waitingPerUser: number;
  readonly waitingInAll: number;
  /** In how many milliseconds it is worth looking whether a user may be let in; 0: now. */
  readonly restMs: (user: string) => number;
}

interface Waiter {
  readonly go: () => void;
  readonly fail: (reason: unknown) => void;
}

export class FairGate {
  readonly #limits: GateLimits;
  /** Those who wait, by user; the user whose turn is next comes first. */
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #running = new Counts();
  #waitingInAll = 0;
  #runningInAll = 0;
  /** Runs while somebody rests whom nothing else keeps out. */
  #rested: NodeJS.Timeout | undefined;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Runs `work` when it is the user's turn; a caller whose signal is aborted waits no longer. */
  async run<Value>(user: string, signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
    signal.throwIfAborted();
    await this.#enter(user, signal);
    try {
      return await work();
    } finally {
      this.#leave(user);
    }
  }

  /** Whether something of this user is under way or waits. */
  has(user: string): boolean {
    return this.#running.of(user) > 0 || this.#waiting.has(user);
  }

  async #enter(user: string, signal: AbortSignal): Promise<void> {
    const mine = this.#waiting.get(user);
    if (mine === undefined && this.#hasPlace(user) && this.#limits.restMs(user) === 0) {
      this.#start(user);
      return;
    }
    if ((mine?.length ?? 0) >= this.#limits.waitingPerUser) {
      throw new Problem('rate_limited', 'Too many requests of this user are waiting.');
    }
    if (this.#waitingInAll >= this.#limits.waitingInAll && !this.#makeRoom(user)) {
      throw new Problem('busy', 'Too many requests are waiting.');
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => waiter.fail(signal.reason);
      const waiter: Waiter = {
        go: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
        fail: (reason) => {
          signal.removeEventListener('abort', leave);
          this.#forget(user, waiter);
          reject(reason);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      const queue = this.#waiting.get(user);
      if (queue === undefined) this.#waiting.set(user, [waiter]);
      else queue.push(waiter);
      this.#waitingInAll++;
      this.#admit();
    });
  }

  /** For a user who does not rest, one who does makes room: the newest of whoever has most that waits. */
  #makeRoom(user: string): boolean {
    if (this.#limits.restMs(user) > 0) return false;
    const resting = [...this.#waiting].filter(([other]) => this.#limits.restMs(other) > 0);
    const most = Math.max(...resting.map(([, queue]) => queue.length));
    const last = resting.find(([, queue]) => queue.length === most)?.[1].at(-1);
    last?.fail(new Problem('rate_limited', 'This user has had much; ask again.'));
    return last !== undefined;
  }

  #hasPlace(user: string): boolean {
    const { inAll, perUser } = this.#limits;
    return this.#runningInAll < inAll && this.#running.of(user) < perUser;
  }

  #start(user: string): void {
    this.#runningInAll++;
    this.#running.add(user);
  }

  #leave(user: string): void {
    this.#runningInAll--;
    this.#running.remove(user);
    this.#admit();
  }

  #forget(user: string, waiter: Waiter): void {
    const queue = this.#waiting.get(user) ?? [];
    queue.splice(queue.indexOf(waiter), 1);
    if (queue.length === 0) this.#waiting.delete(user);
    this.#waitingInAll--;
  }

  /** Lets in whose turn it is. */
  #admit(): void {
    clearTimeout(this.#rested);
    let restMs = Number.POSITIVE_INFINITY;
    for (const [user, queue] of this.#waiting) {
      if (this.#runningInAll >= this.#limits.inAll) return;
      if (!this.#hasPlace(user)) continue;
      const rest = this.#limits.restMs(user);
      if (rest > 0) {
        restMs = Math.min(restMs, rest);
        continue;
      }
      const [waiter] = queue;
      if (waiter === undefined) continue;
      this.#forget(user, waiter);
      // Its next turn comes after everybody else's.
      if (queue.length > 0) {
        this.#waiting.delete(user);
        this.#waiting.set(user, queue);
      }
      this.#start(user);
      waiter.go();
    }
    if (restMs === Number.POSITIVE_INFINITY) return;
    this.#rested = setTimeout(() => this.#admit(), restMs);
    // Those who wait have connections, which keep the process.
    this.#rested.unref();
  }
}
