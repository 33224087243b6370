// The page of `npm run bench -- quick`. It measures ours and the floor of each workload with the same code around them;
// bench/main.mjs calls it through `globalThis.bench`. The address says what runs at once: `?run=ours`, `?run=floor`.
const scriptStart = performance.now();

import { http, open } from 'skerry';
import { appender, bodies, imageBytes, lastValue, readBytes, storeBytes } from './floors.ts';
import { calibrate, median, medianOf, numbers } from './measure.ts';
import { app } from './schema.ts';

const parameters = new URL(location.href).searchParams;
const user = 'bench';
const COUNTRY = 'PT';
const TOP = 50;
const BATCH = 5000;
const FILL_LIMIT_MS = 60_000;
const COUNTRIES =
  'AR HU RO HR NG PA NO CH PL AT AU BE BG BR CA CL CN CO CU CZ DK EC EG FI GR ID IR JP KR MX'.split(
    ' ',
  );

/** name, country, latitude, longitude, population, admin code, feature code, id: as bench/lib/data.mjs writes them. */
type City = readonly [string, string, number, number, number, string, string, number];

/** Memories of the wasm modules that this page instantiates. */
const memories: WebAssembly.Memory[] = [];
{
  const keep = (exports: WebAssembly.Exports) => {
    for (const value of Object.values(exports))
      if (value instanceof WebAssembly.Memory) memories.push(value);
  };
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const result = await instantiateStreaming.call(WebAssembly, source, imports);
    keep(result.instance.exports);
    return result;
  };
}

/** `local`: without a server. `synced`: filled by the image of a server's realm. */
const kind = parameters.get('kind') === 'synced' ? 'synced' : 'local';
const name = kind;
const database = `skerry/${name}/${user}`;

function openBench() {
  const remote = http('/v1', { token: async () => `dev:${user}` });
  return open({
    name,
    user,
    schema: app,
    durability: parameters.get('durability') === 'relaxed' ? 'relaxed' : 'strict',
    defaultRealm: 'public',
    ...(kind === 'synced' ? { remote, scopes: 'all' as const } : {}),
  });
}
const STORE = kind === 'synced' ? 'mutations' : 'updates';
/** Other values on each page: an update to what is there already would be no write. */
const SEED = Math.floor(performance.timeOrigin) % 1e6;
let record: unknown;
let db: Awaited<ReturnType<typeof openBench>>;

const top = (country: string) =>
  db.cities.where('country', '=', country).orderBy('population', 'desc').limit(TOP);

/** The sum tells that a query's answer is right. */
const sumOf = (rows: readonly { readonly population: number }[]) =>
  rows.reduce((sum, { population }) => sum + population, 0);

async function coldOurs() {
  db = await openBench();
  const opened = performance.now();
  const rows = top(COUNTRY).all();
  const sum = sumOf(rows);
  const end = performance.now();
  return { ms: end - scriptStart, openMs: opened - scriptStart, sum, rows: db.cities.count() };
}

async function coldFloor() {
  const bytes = await readBytes();
  return { ms: performance.now() - scriptStart, bytes };
}

async function cities(): Promise<City[]> {
  const response = await fetch('/cities.json');
  return (await response.json()) as City[];
}

const toRow = ([title, country, lat, lon, population, adminCode, featureCode, cityId]: City) => ({
  ...{ name: title, country, lat, lon, population, adminCode, featureCode, cityId },
});

const wait = {
  /** All rows are there. */
  filled: (count: number) =>
    new Promise<void>((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`not filled within ${FILL_LIMIT_MS} ms: ${db.cities.count()} rows`)),
        FILL_LIMIT_MS,
      );
      const stop = db.cities.liveCount().subscribe((now) => {
        if (now !== count) return;
        clearTimeout(limit);
        queueMicrotask(() => stop());
        resolve();
      });
    }),
};

/** One update, until it is durable. */
function update(id: string, population: number): Promise<void> {
  return db.transact((tx) => tx.cities.update(id, { population })).durable;
}

const workloads = {
  cold: null as null | Promise<unknown>,
  calibrate,

  /** Creates all cities through the public API; the time until the last is durable. */
  async fill() {
    const rows = (await cities()).map(toRow);
    const start = performance.now();
    for (let i = 0; i < rows.length; i += BATCH)
      await db.transact((tx) => tx.cities.createMany(rows.slice(i, i + BATCH))).durable;
    return { ms: performance.now() - start, rows: db.cities.count() };
  },

  filled: (count: number) => wait.filled(count),

  /** Stores what a cold start reads as one value, for the floor. */
  async copyForFloor() {
    const image = await imageBytes(database);
    const bytes = image.length > 0 ? image : await bodies(database, 'updates');
    await storeBytes(bytes);
    return { bytes: bytes.length, image: image.length > 0 };
  },

  memory: () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0),

  /** Single writes one after the other: p50 of the time until each is durable. */
  async writes(count: number) {
    const random = numbers(SEED);
    const ids = db.cities.ids();
    const ms = await medianOf(count, () => update(ids[random(ids.length)] ?? '', random(1e6)));
    // Of one write alone: what the floor appends.
    record = await lastValue(database, STORE);
    return ms;
  },

  async appends(count: number, durability: 'strict' | 'relaxed') {
    if (!record) throw new Error(`no record in ${STORE} to append`);
    const append = await appender(durability);
    return medianOf(count, () => append([record]));
  },

  /** So many writes in one task: the time until all are durable. */
  async writesAtOnce(count: number, repetitions: number) {
    const random = numbers(SEED + 1);
    const ids = db.cities.ids();
    return medianOf(repetitions, () =>
      Promise.all(
        Array.from({ length: count }, () => update(ids[random(ids.length)] ?? '', random(1e6))),
      ),
    );
  },

  async appendsAtOnce(count: number, repetitions: number, durability: 'strict' | 'relaxed') {
    const append = await appender(durability);
    const records = Array.from({ length: count }, () => record);
    return medianOf(repetitions, () => append(records));
  },

  /** Reads by id in random order, in ns a read: each row for the first time, again, and from a Map of objects. */
  async reads() {
    const ids = [...db.cities.ids()];
    const random = numbers(3);
    for (let i = ids.length - 1; i > 0; i--) {
      const j = random(i + 1);
      [ids[i], ids[j]] = [ids[j] ?? '', ids[i] ?? ''];
    }
    const perRead = async (get: (id: string) => { name: string } | undefined) => {
      let length = 0;
      const start = performance.now();
      for (const id of ids) length += get(id)?.name.length ?? 0;
      const ns = ((performance.now() - start) * 1e6) / ids.length;
      if (length === 0) throw new Error('nothing was read');
      return ns;
    };
    const first = await perRead((id) => db.cities.get(id));
    const again: number[] = [];
    for (let i = 0; i < 5; i++) again.push(await perRead((id) => db.cities.get(id)));
    const map = new Map(db.cities.all().map((row) => [row.id, { ...row }]));
    const floor: number[] = [];
    for (let i = 0; i < 5; i++) floor.push(await perRead((id) => map.get(id)));
    return { first, again: median(again), floor: median(floor) };
  },

  /** The first 50 of a country by population, each query new, beside filter, sort and slice of an array of objects. */
  async top() {
    const rows = (await cities()).map(toRow);
    const ofArray = (country: string) =>
      rows
        .filter((row) => row.country === country)
        .sort((a, b) => b.population - a.population)
        .slice(0, TOP);
    let ours = 0;
    let floor = 0;
    // Warm code, cold queries: the country of the warm-up is none of those measured.
    for (let i = 0; i < 20; i++) {
      sumOf(top(COUNTRY).all());
      sumOf(ofArray(COUNTRY));
    }
    const all = COUNTRIES.length;
    const oursMs = await medianOf(all, (i) => {
      ours += sumOf(top(COUNTRIES[i] ?? '').all());
    });
    const floorMs = await medianOf(all, (i) => {
      floor += sumOf(ofArray(COUNTRIES[i] ?? ''));
    });
    return { oursMs, floorMs, same: ours === floor };
  },

  /** A write until the subscriber of a live query hears of it, beside running the query on an array again. */
  async live(count: number) {
    const first = top(COUNTRY).first();
    if (!first) throw new Error('no city');
    let heard: (() => void) | null = null;
    const primed = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const stop = top(COUNTRY).subscribe(() => heard?.());
    await primed;
    const oursMs = await medianOf(count, async (i) => {
      const told = new Promise<void>((resolve) => {
        heard = resolve;
      });
      db.transact((tx) => tx.cities.update(first.id, { population: 5e7 + i }));
      await told;
    });
    stop();
    const rows = (await cities()).map(toRow);
    const floorMs = await medianOf(count, (i) => {
      const changed = rows.find((row) => row.country === COUNTRY);
      if (changed) changed.population = 5e7 + i;
      rows
        .filter((row) => row.country === COUNTRY)
        .sort((a, b) => b.population - a.population)
        .slice(0, TOP);
    });
    return { oursMs, floorMs };
  },

  /** The second tab: says on a channel of its own what it saw, and echoes. */
  observe() {
    const channel = new BroadcastChannel('bench');
    channel.onmessage = ({ data }) => {
      if (data.ping !== undefined) channel.postMessage({ pong: data.ping });
    };
    return new Promise<void>((resolve) => {
      top(COUNTRY).subscribe((rows) => {
        channel.postMessage({ saw: rows[0]?.population });
        resolve();
      });
    });
  },

  /** Here a write, there a subscriber that says so on a channel; beside the round trip of the channel alone. */
  async crossTab(count: number) {
    const channel = new BroadcastChannel('bench');
    let hear: (data: { saw?: number; pong?: number }) => void = () => {};
    channel.onmessage = ({ data }) => hear(data);
    const answered = (is: (data: { saw?: number; pong?: number }) => boolean) =>
      new Promise<void>((resolve) => {
        hear = (data) => {
          if (is(data)) resolve();
        };
      });
    const floorMs = await medianOf(count, (i) => {
      const done = answered(({ pong }) => pong === i);
      channel.postMessage({ ping: i });
      return done;
    });
    const first = top(COUNTRY).first();
    if (!first) throw new Error('no city');
    const oursMs = await medianOf(count, async (i) => {
      const done = answered(({ saw }) => saw === 6e7 + i);
      const { durable } = db.transact((tx) => tx.cities.update(first.id, { population: 6e7 + i }));
      await done;
      await durable;
    });
    channel.close();
    return { oursMs, floorMs };
  },
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
  // For bench/main.mjs.
  var bench: unknown;
}
globalThis.bench = workloads;
