/** The last entries of a list, up to a limit, by a key; and how many older ones were dropped. */
export class Ring<V> {
  readonly #limit: number;
  readonly #entries = new Map<string, V>();
  dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** An entry that is there keeps its place. */
  set(key: string, entry: V): void {
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limit) break;
      this.#entries.delete(oldest);
      this.dropped++;
    }
  }

  /** The newest first. */
  all(): V[] {
    return [...this.#entries.values()].reverse();
  }
}
