/** Pauses after failures: each twice as long as the one before, up to a limit; from the first again after a long time without. */
import type { Clock } from './clock.ts';

const firstMs = 5000;
const mostMs = 60_000;

export class Backoff {
  readonly #clock: Clock;
  readonly #first: number;
  readonly #most: number;
  #failures = 0;
  #failedAt = 0;

  /** `times`: `retry` and `retryMax` of the sync worker, in ms (docs/sync-worker.md, section 1). */
  constructor(clock: Clock, times: Readonly<Record<string, number>> = {}) {
    this.#clock = clock;
    this.#first = times['retry'] ?? firstMs;
    this.#most = times['retryMax'] ?? mostMs;
  }

  /** It has failed once more: how long to wait, in ms. */
  next(): number {
    const now = this.#clock.mono();
    if (now - this.#failedAt > 2 * this.#most) this.#failures = 0;
    this.#failedAt = now;
    return Math.min(this.#first * 2 ** this.#failures++, this.#most);
  }
}
