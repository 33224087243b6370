// What all workloads share: a generator of numbers that are the same in each run, and timing.

/** Numbers below `limit`, the same ones in each run. */
export function numbers(seed = 12345): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The times of so many calls, in ms; each is awaited before the next. */
export async function timesOf(count: number, call: (i: number) => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await call(i);
    times.push(performance.now() - start);
  }
  return times;
}

export const medianOf = async (count: number, call: (i: number) => unknown): Promise<number> =>
  median(await timesOf(count, call));

/** The machine's own speed: a loop that depends on nothing else. */
export function calibrate(): number {
  const start = performance.now();
  let x = 1;
  for (let i = 0; i < 1e8; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  const ms = performance.now() - start;
  // The result is used, so that the loop cannot be left out.
  if (x === 0) throw new Error('a number that this generator never gives');
  return ms;
}
