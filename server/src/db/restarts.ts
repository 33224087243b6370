// Starts something again that has failed, but not at each call: after a failure the next start waits, longer each time,
// and until then the callers get the last error. Each start of PGlite's thread takes a second, and 100 MB.

export class Restarts {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #steady: () => number;
  #failed: { readonly error: unknown; readonly until: number; readonly pauseMs: number } | null =
    null;

  /** `steady`: a monotonic clock, in milliseconds. */
  constructor(firstMs: number, mostMs: number, steady: () => number = () => performance.now()) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#steady = steady;
  }

  async try<Value>(start: () => Promise<Value>): Promise<Value> {
    const before = this.#failed;
    if (before !== null && this.#steady() < before.until) throw before.error;
    try {
      const started = await start();
      this.#failed = null;
      return started;
    } catch (error) {
      const pauseMs = before === null ? this.#firstMs : Math.min(this.#mostMs, 2 * before.pauseMs);
      this.#failed = { error, until: this.#steady() + pauseMs, pauseMs };
      throw error;
    }
  }
}
