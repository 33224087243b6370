/** Recently used values by key. Beyond the maximum, the least recently used are forgotten. */
export class LruMap<Value> {
  readonly #most: number;
  /** The most recently used is the last. */
  readonly #values = new Map<string, Value>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Does not count as use. */
  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  use(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > this.#most && oldest !== undefined) this.#values.delete(oldest);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }
}
