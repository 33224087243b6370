// Token buckets by key: a rate per second, and a burst. A bucket that was not used for long is full, so the least
// recently used ones can be forgotten. A caller that uses new keys all the time gains a full bucket per key, but the
// bucket of its user stays.

import { LruMap } from '../base/lru-map.ts';

export interface Rate {
  /** Tokens added per second; 0: no limit. */
  readonly perSecond: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** The time at which `tokens` was computed. */
  at: number;
}

export class Rates {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets: LruMap<Bucket>;

  constructor(rate: Rate, remembered: number, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
    this.#buckets = new LruMap(remembered);
  }

  /**
   * Takes tokens; or takes none, and returns in how many milliseconds they are available. A cost above the burst
   * counts as the burst.
   */
  take(key: string, cost: number): number {
    const { perSecond, burst } = this.#rate;
    if (perSecond === 0) return 0;
    const bucket = this.#bucket(key);
    const wanted = Math.min(cost, burst);
    const missing = wanted - bucket.tokens;
    if (missing > 0) return Math.ceil((1000 * missing) / perSecond);
    bucket.tokens -= wanted;
    return 0;
  }

  /** Takes tokens for work that is already done; the debt is at most a full bucket. */
  charge(key: string, cost: number): void {
    if (this.#rate.perSecond === 0) return;
    const bucket = this.#bucket(key);
    bucket.tokens = Math.max(-this.#rate.burst, bucket.tokens - cost);
  }

  #bucket(key: string): Bucket {
    const { perSecond, burst } = this.#rate;
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.#buckets.use(key, bucket);
    return bucket;
  }
}
