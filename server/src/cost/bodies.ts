// Bytes of requests that are being read or processed, per user and in total. They are counted as they arrive, so that
// a body that stalls holds no more than what has arrived.

import { Counts } from '../base/counts.ts';
import { Problem } from '../base/problem.ts';

export interface BodyLimits {
  readonly inAll: number;
  readonly perUser: number;
}

/** The bytes of one request. */
export interface HeldBytes {
  /** Throws a Problem if there is no room. */
  add(bytes: number): void;
  release(): void;
}

export class BodyBytes {
  readonly #limits: BodyLimits;
  readonly #ofUser = new Counts();
  #inAll = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  hold(user: string): HeldBytes {
    let held = 0;
    return {
      add: (bytes) => {
        this.#take(user, bytes);
        held += bytes;
      },
      release: () => {
        this.#give(user, held);
        held = 0;
      },
    };
  }

  #take(user: string, bytes: number): void {
    if (this.#ofUser.of(user) + bytes > this.#limits.perUser) {
      throw new Problem('rate_limited', 'This user has too many bytes in progress.');
    }
    if (this.#inAll + bytes > this.#limits.inAll) {
      throw new Problem('busy', 'Too many bytes of requests are in progress.');
    }
    this.#ofUser.add(user, bytes);
    this.#inAll += bytes;
  }

  #give(user: string, bytes: number): void {
    this.#inAll -= bytes;
    this.#ofUser.remove(user, bytes);
  }
}
