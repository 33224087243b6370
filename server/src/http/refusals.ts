// Refusals of callers who ask too often are answered after a while, so that who asks again at once, whatever `retry-after`
// says, cannot do so more than once in that time on each connection: to refuse costs, too.

import { limits } from '../base/limits.ts';

export class Refusals {
  readonly #most: number;
  #waiting = 0;

  constructor(most: number = limits.refusalsWaiting) {
    this.#most = most;
  }

  /** Resolves when a refusal may be answered: at once if very many wait already. */
  async pause(): Promise<void> {
    if (this.#waiting >= this.#most) return;
    this.#waiting++;
    await new Promise((resolve) => setTimeout(resolve, limits.refusedMs));
    this.#waiting--;
  }
}
