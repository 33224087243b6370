// Durable writes: one after the other and many at once, beside bare appends of the very records that ours made.
import { database, db, durability, kind } from './database.ts';
import { appender } from './floors.ts';
import { median, numbers, timesOf } from './measure.ts';
import { checkStored, quiet, recordsOf } from './stored.ts';

/** Ours and floor by turns, in rounds, so that a disk that slows down slows both. */
const ROUNDS = 6;
/** Rows to write to. */
const TARGETS = 5000;

/** What this page writes is never what is there already, which would be no write. */
const random = numbers(Math.floor(performance.timeOrigin) % 1e6);
let serial = 0;

function writer() {
  const ids = db.cities.limit(TARGETS).ids();
  return () => {
    const id = ids[random(ids.length)] ?? '';
    const mutation = db.transact((tx) =>
      tx.cities.update(id, { population: random(1e6) + ++serial / 1e6 }),
    );
    if (!mutation.id) throw new Error('a write changed nothing');
    return mutation;
  };
}

/** Resolves when nothing is pushed any more until `resume`. */
function paused(): Promise<void> {
  return new Promise((resolve) => {
    const stop = db.sync.subscribe(({ phase, role }) => {
      if (phase !== 'paused' || role === 'holder') return;
      queueMicrotask(() => stop());
      resolve();
    });
    db.sync.pause();
  });
}

/** The record of one write: a paused worker leaves it where it was put. */
async function oneRecord(write: ReturnType<typeof writer>): Promise<readonly unknown[]> {
  if (kind === 'synced') await paused();
  const { id, durable } = write();
  await durable;
  const records = await recordsOf([id]);
  if (kind === 'synced') db.sync.resume();
  return records;
}

/** Single writes one after the other, until each is durable: medians. `offline`: nothing is pushed meanwhile. */
export async function singleWrites(count: number, offline: boolean) {
  const write = writer();
  await quiet();
  const records = await oneRecord(write);
  const append = await appender(durability);
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await quiet();
    if (offline) await paused();
    const ids: string[] = [];
    const times = await timesOf(count / ROUNDS, () => {
      const { id, durable } = write();
      ids.push(id);
      return durable;
    });
    ours.push(...times);
    await checkStored(ids);
    if (offline) db.sync.resume();
    await quiet();
    floor.push(...(await timesOf(count / ROUNDS, () => append(records))));
  }
  return { ours: median(ours), floor: median(floor) };
}

/** Single writes one after the other, until the server has confirmed each: the median. */
export async function confirmedWrites(count: number): Promise<number> {
  const write = writer();
  await quiet();
  return median(await timesOf(count, () => write().confirmed));
}

/** So many writes in one task, until all are durable, beside their records in one bare transaction. */
export async function writesAtOnce(count: number, repetitions: number) {
  const write = writer();
  const append = await appender(durability);
  const ours: number[] = [];
  const floor: number[] = [];
  let stored = 0;
  for (let i = 0; i < repetitions; i++) {
    await quiet();
    if (kind === 'synced') await paused();
    const ids: string[] = [];
    const times = await timesOf(1, async () => {
      const mutations = Array.from({ length: count }, write);
      ids.push(...mutations.map(({ id }) => id));
      await Promise.all(mutations.map(({ durable }) => durable));
    });
    ours.push(...times);
    await checkStored(ids);
    const records = await recordsOf(ids);
    stored = records.length;
    if (kind === 'synced') db.sync.resume();
    await quiet();
    floor.push(...(await timesOf(1, () => append(records))));
  }
  return { ours: median(ours), floor: median(floor), records: stored };
}

/** As many bytes as the records of a fill had, in as many bare transactions. */
export async function appendBytes(bytes: number, count: number): Promise<number> {
  const append = await appender('strict');
  const bodies = Array.from({ length: count }, (_, i) => {
    const body = new Uint8Array(Math.round(bytes / count));
    const next = numbers(i + 1);
    for (let at = 0; at < body.length; at++) body[at] = next(256);
    return { database, body };
  });
  const start = performance.now();
  for (const body of bodies) await append([body]);
  return performance.now() - start;
}
