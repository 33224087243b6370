// Token buckets by key: so much a second, and so much at once after a rest. A bucket that nobody has used for long is
// full, so the least recently used of too many are forgotten; who comes under ever new keys gains nothing but a full bucket
// a key, and the bucket of its user stays.

import { Recent } from '../base/recent.ts';

export interface Rate {
  /** Tokens that come back in a second; 0: no limit. */
  readonly perSecond: number;
  /** Tokens of a full bucket. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** When `tokens` was right. */
  at: number;
}

export class Rates {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets: Recent<Bucket>;

  constructor(rate: Rate, remembered: number, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#now = now;
    this.#buckets = new Recent(remembered);
  }

  /** Takes tokens, or takes none and returns in how many milliseconds they are there. What costs more than a bucket holds costs a full one. */
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

  /** Takes tokens for what was done already; the bucket may owe as much as it holds when full. */
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
