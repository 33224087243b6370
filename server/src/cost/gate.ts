// Limits concurrent work, per user and in total, with a bounded queue. Users take turns, in whatever order their requests
// came, so that a user with many requests delays nobody else. A user who has had more than a share waits longer
// (shares.ts).

import { Counts } from '../base/counts.ts';
import { Problem } from '../base/problem.ts';

export interface GateLimits {
  readonly inAll: number;
  readonly perUser: number;
  readonly waitingPerUser: number;
  readonly waitingInAll: number;
  /** After how many milliseconds to check again whether a user may enter; 0: now. */
  readonly restMs: (user: string) => number;
}

interface GateWaiter {
  readonly go: () => void;
  readonly fail: (reason: unknown) => void;
}

export class FairGate {
  readonly #limits: GateLimits;
  /** Waiting requests by user; the user whose turn is next comes first. */
  readonly #waiting = new Map<string, GateWaiter[]>();
  readonly #running = new Counts();
  #waitingInAll = 0;
  #runningInAll = 0;
  /** Runs while a user is delayed who could enter otherwise. */
  #rested: NodeJS.Timeout | undefined;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Runs `work` when it is the user's turn. A caller whose signal is aborted stops waiting. */
  async run<Value>(user: string, signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
    signal.throwIfAborted();
    await this.#enter(user, signal);
    try {
      return await work();
    } finally {
      this.#leave(user);
    }
  }

  /** Whether the user has a running or waiting request. */
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
      const waiter: GateWaiter = {
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

  /**
   * Makes room for a user who is not delayed: rejects the newest request of the delayed user who has most waiting.
   */
  #makeRoom(user: string): boolean {
    if (this.#limits.restMs(user) > 0) return false;
    const resting = [...this.#waiting].filter(([other]) => this.#limits.restMs(other) > 0);
    const most = Math.max(...resting.map(([, queue]) => queue.length));
    const last = resting.find(([, queue]) => queue.length === most)?.[1].at(-1);
    last?.fail(new Problem('rate_limited', 'This user has used more than a share; try again.'));
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

  #forget(user: string, waiter: GateWaiter): void {
    const queue = this.#waiting.get(user) ?? [];
    queue.splice(queue.indexOf(waiter), 1);
    if (queue.length === 0) this.#waiting.delete(user);
    this.#waitingInAll--;
  }

  /** Starts the requests whose turn it is. */
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
      // The user's next turn comes after those of all others.
      if (queue.length > 0) {
        this.#waiting.delete(user);
        this.#waiting.set(user, queue);
      }
      this.#start(user);
      waiter.go();
    }
    if (restMs === Number.POSITIVE_INFINITY) return;
    this.#rested = setTimeout(() => this.#admit(), restMs);
    // The waiting requests have connections, which keep the process alive.
    this.#rested.unref();
  }
}
