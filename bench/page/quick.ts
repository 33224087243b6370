// The page of `npm run bench -- quick`: bench/main.mjs calls its workloads through `globalThis.bench`. The address says
// what it measures at once: `?run=ours` and `?run=floor` are cold starts, `?run=none` is a page that opens nothing.
import { citiesOfFile, sumOf, topOf, toRow } from './cities.ts';
import { db, kind, openDatabase, parameters } from './database.ts';
import { readBytes, storeBytes } from './floors.ts';
import { calibrate } from './measure.ts';
import { wasmBytes } from './memories.ts';
import { live, reads, top } from './reads.ts';
import { coldBytes, compactAll, quiet, syncRecord } from './stored.ts';
import { crossTab, observe } from './tabs.ts';
import { appendBytes, confirmedWrites, singleWrites, writesAtOnce } from './writes.ts';

const BATCH = 5000;

/** Until the first query is answered and its rows are read. */
async function coldOurs() {
  await openDatabase();
  const opened = performance.now();
  const sum = sumOf(topOf('PT').all());
  const ms = performance.now() - scriptStart;
  return { ms, openMs: opened - scriptStart, sum, rows: db.cities.count() };
}

async function coldFloor() {
  const bytes = await readBytes();
  return { ms: performance.now() - scriptStart, bytes };
}

const workloads = {
  cold: null as null | Promise<unknown>,
  calibrate,
  quiet,
  appendBytes,
  singleWrites,
  confirmedWrites,
  writesAtOnce,
  reads,
  top,
  live,
  observe,
  crossTab,

  /** Creates all cities through the public API; the time until the last is durable. */
  async fill() {
    const rows = (await citiesOfFile()).map(toRow);
    let batches = 0;
    const start = performance.now();
    for (; batches * BATCH < rows.length; batches++) {
      const batch = rows.slice(batches * BATCH, (batches + 1) * BATCH);
      await db.transact((tx) => tx.cities.createMany(batch)).durable;
    }
    const ms = performance.now() - start;
    return { ms, batches, bytes: (await syncRecord()).recordBytes ?? 0, rows: db.cities.count() };
  },

  /** From the start of the page's script until the server's image is here: so many rows. */
  async filled(count: number) {
    await workloads.cold;
    return new Promise<number>((resolve) => {
      const stop = db.cities.liveCount().subscribe((now) => {
        if (now !== count) return;
        queueMicrotask(() => stop());
        resolve(performance.now() - scriptStart);
      });
    });
  },

  /** Resolves when the window knows that workers of this mode push. */
  pushedBy(mode: string) {
    return new Promise<void>((resolve) => {
      const look = () => {
        if (db.sync.status.mode !== mode) return;
        stop();
        resolve();
      };
      const stop = db.sync.subscribe(look);
      look();
    });
  },

  /** Stores what a cold start reads as one value, for the floor; gives its length. */
  async copyForFloor() {
    await quiet();
    if (kind === 'local') await compactAll();
    const bytes = await coldBytes();
    await storeBytes(bytes);
    return bytes.length;
  },

  memory: wasmBytes,
};

switch (parameters.get('run')) {
  case 'ours':
    workloads.cold = coldOurs();
    break;
  case 'floor':
    workloads.cold = coldFloor();
    break;
}

declare global {
  /** Set by bench/lib/site.mjs. */
  var scriptStart: number;
  // For bench/main.mjs.
  var bench: unknown;
}
globalThis.bench = workloads;
