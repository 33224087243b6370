/** A count per key. */
export class Counts {
  readonly #counts: Map<string, number>;

  constructor(counts: Iterable<readonly [string, number]> = []) {
    this.#counts = new Map(counts);
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string, by = 1): void {
    this.#counts.set(key, this.of(key) + by);
  }

  sum(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  [Symbol.iterator](): Iterator<[string, number]> {
    return this.#counts.entries();
  }

  remove(key: string, by = 1): void {
    const left = this.of(key) - by;
    if (left <= 0) this.#counts.delete(key);
    else this.#counts.set(key, left);
  }
}
