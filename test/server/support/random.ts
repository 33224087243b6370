// A random generator with a seed, for generated tests: a failing seed can be run again.

/** Numbers from 0 to `below` - 1 (mulberry32). */
export type Random = (below: number) => number;

export function random(seed: number): Random {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One of them. */
export function pick<Item>(next: Random, items: readonly Item[]): Item {
  return items[next(items.length)] as Item;
}
