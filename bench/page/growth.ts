// The page of `npm run bench -- growth`: what depends on how much there is. Cities come in blocks of a hundred, which is what
// queries ask for: their answers have the same size however many cities there are.
import { citiesOfFile, sumOf, topOf, toRow } from './cities.ts';
import { db, kind, openDatabase, parameters } from './database.ts';
import { median, numbers, timesOf } from './measure.ts';
import { wasmBytes } from './memories.ts';
import { compact, quiet } from './stored.ts';

const BLOCK = 100;
const BATCH = 2000;
/** Mutations of a fill that are on their way to storage at once. */
const AHEAD = 10;
const COUNTRY = 'PT';
/** Those that the server's cities are of, large and small. */
const REAL =
  'AR HU RO HR NG PA NO CH PL AT AU BE BG BR CA CL CN CO CU CZ DK EC EG FI GR ID IR JP KR MX'.split(
    ' ',
  );

const random = numbers();
const blockOf = (row: number) => `B${Math.floor(row / BLOCK)}`;

/** From the start of the page's script until the first query is answered and its rows are read. */
async function coldStart() {
  await openDatabase();
  sumOf(topOf(own).all());
  const ms = performance.now() - scriptStart;
  return { ms, rows: db.cities.count(), pending: db.sync.status.pending };
}

const own = parameters.get('first') ?? COUNTRY;

/** All countries but the first one asked for, in no order. */
function otherCountries(): string[] {
  const present =
    kind === 'synced'
      ? REAL
      : Array.from({ length: Math.ceil(db.cities.count() / BLOCK) }, (_, i) => blockOf(i * BLOCK));
  return present
    .filter((country) => country !== own)
    .map((country) => [random(1e9), country] as const)
    .sort(([a], [b]) => a - b)
    .map(([, country]) => country);
}

/** A write that changes something: no population is like another. */
let serial = 0;
const populationNow = () => 1e6 + (Math.floor(performance.timeOrigin) % 1e6) + ++serial / 1e6;

function targets(): readonly string[] {
  const ids = topOf(own).ids();
  if (ids.length === 0) throw new Error('no city to write to');
  return ids;
}

function writeTo(id: string): Promise<void> {
  const population = populationNow();
  return db.transact((tx) => tx.cities.update(id, { population })).durable;
}

globalThis.bench = {
  cold: null as null | Promise<unknown>,
  compact,
  wasmBytes,

  /** Adds rows up to this number; repeats the real cities, with new ids, beyond their number. */
  async fill(count: number) {
    const real = (await citiesOfFile()).map(toRow);
    const start = performance.now();
    let ahead: Promise<void>[] = [];
    for (let at = db.cities.count(); at < count; at += BATCH) {
      const size = Math.min(BATCH, count - at);
      const rows = Array.from({ length: size }, (_, i) => {
        const city = real[(at + i) % real.length];
        if (!city) throw new Error('no cities');
        return { ...city, country: blockOf(at + i) };
      });
      ahead.push(db.transact((tx) => tx.cities.createMany(rows)).durable);
      if (ahead.length < AHEAD) continue;
      await Promise.all(ahead);
      ahead = [];
    }
    await Promise.all(ahead);
    return performance.now() - start;
  },

  /** Resolves when the server's cities are here. */
  async filled(count: number) {
    await (globalThis.bench as { cold: Promise<unknown> }).cold;
    await new Promise<void>((resolve) => {
      const stop = db.cities.liveCount().subscribe((now) => {
        if (now !== count) return;
        queueMicrotask(() => stop());
        resolve();
      });
    });
    await quiet();
  },

  /** Writes until so many mutations are pending, each to another city. */
  async pend(count: number) {
    const ids = db.cities.ids();
    const start = performance.now();
    const all: Promise<void>[] = [];
    for (let i = db.sync.status.pending; i < count; i++)
      all.push(writeTo(ids[(i * 7919) % ids.length] ?? ''));
    await Promise.all(all);
    return performance.now() - start;
  },

  /** Durable writes, one after the other. */
  async write(count: number) {
    const ids = targets();
    return median(await timesOf(count, (i) => writeTo(ids[i % ids.length] ?? '')));
  },

  /** The largest 50 of a country that nobody has asked for yet. */
  async query(count: number) {
    const queries = otherCountries().slice(0, count).map(topOf);
    return median(
      await timesOf(queries.length, (i) => {
        if (!queries[i]?.all().length) throw new Error('a country without cities');
      }),
    );
  },

  /**
   * A write until a live query tells of it, and how long the write itself takes, while as many live queries of other
   * countries listen. Each begins when nothing is left to be done of the one before.
   */
  async live(count: number, others: number) {
    let hear: (population: number | undefined) => void = () => {};
    const said = () =>
      new Promise<number | undefined>((resolve) => {
        hear = resolve;
      });
    const primed = otherCountries()
      .slice(0, others)
      .map(
        (country) =>
          new Promise<() => void>((resolve) => {
            const stop = topOf(country).subscribe(() => queueMicrotask(() => resolve(stop)));
          }),
      );
    if (primed.length < others) throw new Error(`there are only ${primed.length} other countries`);
    const first = said();
    const stops: (() => void)[] = [topOf(own).subscribe((rows) => hear(rows[0]?.population))];
    await first;
    stops.push(...(await Promise.all(primed)));
    const id = topOf(own).first()?.id ?? '';
    const written: number[] = [];
    const told: number[] = [];
    for (let i = 0; i < count; i++) {
      const population = 5e7 + populationNow();
      const heard = said();
      const start = performance.now();
      const { durable } = db.transact((tx) => tx.cities.update(id, { population }));
      written.push(performance.now() - start);
      if ((await heard) !== population) throw new Error('the live query tells of something else');
      told.push(performance.now() - start);
      await durable;
    }
    for (const stop of stops) stop();
    return { told: median(told), written: median(written) };
  },
};

if (parameters.get('run') === 'ours') {
  const bench = globalThis.bench as { cold: Promise<unknown> };
  bench.cold = coldStart();
}

declare global {
  /** Set by bench/lib/site.mjs. */
  var scriptStart: number;
  // For bench/growth.mjs.
  var bench: unknown;
}
