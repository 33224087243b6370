// What is measured in one window. `capMs` ends what takes too long: a rate is then that of what was done.
import { median } from '../../page/measure.ts';
import { adapter } from './adapter.ts';
import { anyId, COUNTRIES, COUNTRY, ROWS } from './data.ts';

const TOP = 50;
const AGAIN = 30;
const WRITES = 1000;
const CHANGES = 200;
/** How many reads are asked for at once, and of a system that is slow. */
const AT_ONCE = 1000;
const FEW_AT_ONCE = 50;
const SLOW_PER_S = 500;
const LOST_MS = 10_000;
/** Between two changes whose way is measured, so that one does not wait for the other. */
const PAUSE_MS = 5;

const perSecond = (count: number, ms: number) => (count / ms) * 1000;
export const pause = (ms = PAUSE_MS) => new Promise((resolve) => setTimeout(resolve, ms));

/** The time that a promise resolves with; fails if it does not come. */
export function heard(what: string, time: Promise<number>): Promise<number> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`${what} was not heard of`)), LOST_MS);
    time.then((at) => {
      clearTimeout(limit);
      resolve(at);
    }, reject);
  });
}

async function timed(calls: readonly (() => Promise<unknown>)[]): Promise<number[]> {
  const times: number[] = [];
  for (const call of calls) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return times;
}

export async function top() {
  const start = performance.now();
  const rows = await adapter.top(COUNTRY, TOP);
  const first = performance.now() - start;
  const others = await timed(COUNTRIES.map((country) => () => adapter.top(country, TOP)));
  const again = await timed(Array.from({ length: AGAIN }, () => () => adapter.top(COUNTRY, TOP)));
  const sum = rows.reduce((all, { population }) => all + population, 0);
  return { rows: rows.length, sum, first, new: median(others), again: median(again) };
}

/** Reads by id, one after the other, as fast as the system's way of reading allows; in a second, and the way. */
export async function reads(capMs: number) {
  const ids = Array.from({ length: ROWS }, anyId);
  const { getSync } = adapter;
  const start = performance.now();
  const end = start + capMs;
  let done = 0;
  let missing = 0;
  if (getSync) {
    for (; done < ROWS; done++) {
      if (!getSync(ids[done] ?? '')?.name) missing++;
      if ((done & 1023) === 0 && performance.now() > end) break;
    }
  } else {
    for (; done < ROWS; done++) {
      if (!(await adapter.get(ids[done] ?? ''))?.name) missing++;
      if ((done & 63) === 0 && performance.now() > end) break;
    }
  }
  const rate = perSecond(done, performance.now() - start);
  if (missing > 0) throw new Error(`${missing} of ${done} rows were not found`);
  return { rate, atOnce: getSync ? null : await readsAtOnce(ids, rate, capMs) };
}

async function readsAtOnce(ids: readonly string[], rate: number, capMs: number) {
  const size = rate < SLOW_PER_S ? FEW_AT_ONCE : AT_ONCE;
  const start = performance.now();
  const end = start + capMs;
  let done = 0;
  for (; done < ROWS && performance.now() < end; done += size) {
    const rows = await Promise.all(ids.slice(done, done + size).map((id) => adapter.get(id)));
    if (rows.some((row) => !row?.name)) throw new Error('rows were not found');
  }
  return perSecond(done, performance.now() - start);
}

export async function writes(capMs: number) {
  const times: number[] = [];
  const start = performance.now();
  let last = start;
  for (let i = 0; i < WRITES && last - start <= capMs; i++) {
    const asked = performance.now();
    await adapter.update(anyId(), { population: i });
    last = performance.now();
    times.push(last - asked);
  }
  const rate = perSecond(times.length, performance.now() - start);
  return { rate, ms: median(times), ...(await writesAtOnce(times.length)) };
}

async function writesAtOnce(single: number) {
  const fewer = adapter.updateMany ? WRITES : Math.min(WRITES, Math.max(20, single));
  const count = adapter.manyN ?? fewer;
  const list = Array.from(
    { length: count },
    (_, i) => [anyId(), { population: i + 5000 }] as const,
  );
  const start = performance.now();
  if (adapter.updateMany) await adapter.updateMany(list);
  else await Promise.all(list.map(([id, patch]) => adapter.update(id, patch)));
  return { count, atOnce: perSecond(count, performance.now() - start) };
}

/** From a change to the live query of the same window that tells of it, in ms; null of a system that has none. */
export async function live(capMs: number): Promise<number | null> {
  if (!adapter.live) return null;
  const [largest] = await adapter.top(COUNTRY, 1);
  if (!largest) throw new Error('no city');
  let wanted = -1;
  let hear: (at: number) => void = () => {};
  let primed: () => void = () => {};
  const first = new Promise<void>((resolve) => {
    primed = resolve;
  });
  const stop = adapter.live(COUNTRY, TOP, (rows) => {
    primed();
    if (rows[0]?.population === wanted) hear(performance.now());
  });
  await first;
  const times: number[] = [];
  const end = performance.now() + capMs;
  for (let i = 0; i < CHANGES && performance.now() < end; i++) {
    await pause();
    wanted = 5e7 + i;
    const told = new Promise<number>((resolve) => {
      hear = resolve;
    });
    const start = performance.now();
    const written = adapter.update(largest.id, { population: wanted });
    times.push((await heard(`change ${i}`, told)) - start);
    await written;
  }
  (await stop)();
  return median(times);
}
