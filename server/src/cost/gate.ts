// So many at a time, of each user and in all, and a bounded queue for the others: users take turns, whoever came first, so
// that one who asks for much is in nobody's way but his own.

import { Problem } from '../http/problem.ts';
import { Counts } from './counts.ts';

export interface GateLimits {
  readonly inAll: number;
  readonly perUser: number;
  readonly waitingPerUser: number;
  readonly waitingInAll: number;
}

interface Waiter {
  readonly go: () => void;
}

export class FairGate {
  readonly #limits: GateLimits;
  /** Those who wait, by user; the user whose turn is next comes first. */
  readonly #waiting = new Map<string, Waiter[]>();
  readonly #running = new Counts();
  #waitingInAll = 0;
  #runningInAll = 0;

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

  async #enter(user: string, signal: AbortSignal): Promise<void> {
    const mine = this.#waiting.get(user);
    if (mine === undefined && this.#mayRun(user)) {
      this.#start(user);
      return;
    }
    if ((mine?.length ?? 0) >= this.#limits.waitingPerUser) {
      throw new Problem('rate_limited', 'Too many requests of this user are waiting.');
    }
    if (this.#waitingInAll >= this.#limits.waitingInAll) {
      throw new Problem('busy', 'Too many requests are waiting.');
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#forget(user, waiter);
        reject(signal.reason);
      };
      const waiter = {
        go: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      if (mine === undefined) this.#waiting.set(user, [waiter]);
      else mine.push(waiter);
      this.#waitingInAll++;
    });
  }

  #mayRun(user: string): boolean {
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
    for (const [user, queue] of this.#waiting) {
      if (this.#runningInAll >= this.#limits.inAll) return;
      if (!this.#mayRun(user)) continue;
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
  }
}
