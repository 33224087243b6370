// Goal: `db.sync.verify` asks, mends, reports and ends as it says, whatever the server answers, and each device does it by itself once
// a week. Method: windows on a memory host, and a pretended server whose answers to comparisons the test gives.
import { ClosedError, http, SkerryError } from 'skerry';
import { ManualTime, type MemoryHost, memory } from 'skerry/testing';
import { expect, test } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { type App, fresh } from './support.ts';
import { connect, world } from './sync-world.ts';

interface Part {
  readonly realm: string;
  readonly table: string;
  readonly count: number;
  readonly rows?: readonly (readonly [string, string])[];
  readonly sums?: readonly string[];
}
interface Diff {
  readonly client: string;
  readonly schema: number;
  readonly cursors: Record<string, string>;
  readonly tables: readonly Part[];
}
type Answering = (part: Part, request: Diff) => unknown;

/** Of the schema, with that of memberships: a request each. */
const kTables = 5;

const same: Answering = () => ({ same: true });
const json = (body: unknown) => ({ status: 200, body: JSON.stringify(body) });

/** The requests of comparisons; each part of each is answered so. */
function answering(server: FakeServer, answer: Answering): Diff[] {
  const asked: Diff[] = [];
  server.instead = ({ url, body }) => {
    if (!url.pathname.endsWith('/diff')) return null;
    const request = JSON.parse(new TextDecoder().decode(body as Uint8Array)) as Diff;
    asked.push(request);
    return json({ time: 1, tables: request.tables.map((part) => answer(part, request)) });
  };
  return asked;
}

const city = (id: string, more = {}) => ({
  ...{ table: 'cities', id, op: 'create' },
  set: { name: id, country: 'SE', population: 0, ...more },
});

async function filled(
  ids: readonly string[],
): Promise<{ db: App; server: FakeServer; host: MemoryHost }> {
  const { host, server } = world();
  server.write(ids.map((id) => city(id)));
  const db = await connect(host);
  await expect.poll(() => db.cities.count()).toBe(ids.length);
  return { db, server, host };
}

test('rows that are the same are counted; a request says what the device holds', async () => {
  const { db, server } = await filled(['a', 'b']);
  const asked = answering(server, same);
  const progress: number[] = [];
  const found = await db.sync.verify({ onProgress: ({ checked }) => progress.push(checked) });
  expect(found).toEqual({ checked: 2, mended: [], pushed: 0, skipped: 0, unmended: 0 });
  expect(progress.at(-1)).toBe(2);
  const cities = asked.flatMap(({ tables }) => tables).find(({ table }) => table === 'cities');
  expect(cities).toMatchObject({ realm: 'public', count: 2 });
  expect(cities?.rows?.map(([id]) => id)).toEqual(['a', 'b']);
  expect(asked).toHaveLength(kTables);
  expect(asked[0]?.cursors).toEqual({ public: expect.stringMatching(/^\d+@\d+$/) });
  expect(db.sync.status.mended).toBe(0);
});

test('what differs is mended in every window, said, and counted', async () => {
  const { db, server, host } = await filled(['a', 'b', 'c']);
  const other = await connect(host.window());
  await expect.poll(() => other.cities.count()).toBe(3);
  const heard: string[][] = [];
  for (const each of [db, other]) {
    const ids: string[] = [];
    heard.push(ids);
    each.on('mended', ({ rows }) => ids.push(...rows.map(({ id }) => id)));
  }
  answering(server, ({ table }) =>
    table === 'cities'
      ? {
          changes: [
            {
              ...{
                change: 'create',
                table,
                id: 'a',
                realm: 'public',
                set: { name: 'A', country: 'NO' },
              },
              ...{ createdAt: 1, modifiedAt: 2, revision: 1 },
            },
          ],
          absent: ['c'],
        }
      : { same: true },
  );
  const { mended } = await db.sync.verify();
  expect(mended).toEqual([
    { table: 'cities', id: 'a', realm: 'public' },
    { table: 'cities', id: 'c', realm: 'public' },
  ]);
  for (const each of [db, other]) {
    await expect.poll(() => each.cities.ids()).toEqual(['a', 'b']);
    expect(each.cities.get('a')).toMatchObject({ name: 'A', country: 'NO', population: 0 });
    await expect.poll(() => each.sync.status.mended).toBe(2);
  }
  expect(heard).toEqual([
    ['a', 'c'],
    ['a', 'c'],
  ]);
  // Another window that opens has it from storage.
  expect((await connect(host.window())).cities.ids()).toEqual(['a', 'b']);
});

test('the same mistake is mended once, and then left', async () => {
  const { db, server } = await filled(['a']);
  let wrong = 'x';
  answering(server, ({ table }) => ({
    changes:
      table === 'cities'
        ? [
            {
              change: 'create',
              table,
              id: 'a',
              realm: 'public',
              set: { name: wrong },
              createdAt: 1,
              modifiedAt: 2,
              revision: 1,
            },
          ]
        : [],
    absent: [],
  }));
  expect((await db.sync.verify()).mended).toHaveLength(1);
  server.write([{ table: 'cities', id: 'a', op: 'update', set: { name: 'back' } }]);
  await db.sync.now();
  expect(await db.sync.verify()).toMatchObject({ mended: [], unmended: 1 });
  wrong = 'y';
  expect((await db.sync.verify()).mended).toHaveLength(1);
});

test('a server that never can compare is asked a few times, and no more', async () => {
  const { db, server } = await filled(['a']);
  const asked = answering(server, () => ({ again: true }));
  const { skipped, mended } = await db.sync.verify();
  expect(mended).toEqual([]);
  expect(skipped).toBeGreaterThan(0);
  expect(asked.length).toBeLessThan(40);
});

/** What a server may say that is not the protocol's. */
const nonsense: [string, Answering][] = [
  ['nothing', () => null],
  ['a number', () => 7],
  ['buckets that there are not', () => ({ differ: [-1, 256, 1e300, 'x'] })],
  ['changes that are none', () => ({ changes: [1, null, { change: 'delete' }, 'x'], absent: [3] })],
  [
    'rows of another table and realm',
    () => ({
      changes: [
        { change: 'create', table: 'groups', id: 'x', realm: 'public', set: { name: 'x' } },
        { change: 'create', table: 'cities', id: 'x', realm: 'other', set: { name: 'x' } },
        { change: 'delete', table: 'cities', id: 'a', realm: 'public' },
      ],
      absent: [],
    }),
  ],
  ['a place to divide at that is not within', () => ({ upto: '' })],
  ['props that are unknown, again and again', () => ({ unknown: ['name', 'nothing', 'country'] })],
];

test.each(nonsense)('an answer with %s harms nothing', async (_, answer) => {
  const { db, server } = await filled(['a', 'b']);
  const asked = answering(server, answer);
  const before = db.cities.all().map((row) => JSON.stringify(row));
  await db.sync.verify().catch((error) => expect(error).toBeInstanceOf(SkerryError));
  expect(db.cities.all().map((row) => JSON.stringify(row))).toEqual(before);
  expect(asked.length).toBeLessThan(3000);
  answering(server, same);
  expect(await db.sync.verify()).toMatchObject({ mended: [] });
});

test('it rejects when the server cannot be asked, and works afterwards', async () => {
  const { db, server } = await filled(['a']);
  server.instead = ({ url }) => (url.pathname.endsWith('/diff') ? { status: 500, body: '' } : null);
  await expect(db.sync.verify()).rejects.toMatchObject({ retryable: true });
  answering(server, same);
  expect((await db.sync.verify()).checked).toBe(1);
});

test('it is aborted by its signal, and ends with the database', async () => {
  const { db, server } = await filled(['a']);
  const abort = new AbortController();
  answering(server, () => {
    abort.abort(new Error('enough'));
    return { same: true };
  });
  await expect(db.sync.verify({ signal: abort.signal })).rejects.toThrow('enough');
  await expect(db.sync.verify({ signal: abort.signal })).rejects.toThrow('enough');
  answering(server, same);
  // Two at a time: one after the other.
  const both = await Promise.all([db.sync.verify(), db.sync.verify()]);
  expect(both.map(({ checked }) => checked)).toEqual([1, 1]);
  let asked = () => {};
  const arrived = new Promise<void>((resolve) => {
    asked = resolve;
  });
  server.instead = ({ url }) => {
    if (!url.pathname.endsWith('/diff')) return null;
    asked();
    return new Promise(() => {});
  };
  const last = db.sync.verify();
  await arrived;
  const rejected = expect(last).rejects.toBeInstanceOf(ClosedError);
  await db.close();
  await rejected;
  await expect(db.sync.verify()).rejects.toBeInstanceOf(ClosedError);
});

test('without a server there is nothing to compare', async () => {
  const db = await fresh();
  db.transact((tx) => tx.cities.create({ id: 'a', name: 'a', country: 'SE' }));
  expect(await db.sync.verify()).toMatchObject({ checked: 0, mended: [] });
});

test('a device compares by itself once a week, whichever of its windows', async () => {
  const time = new ManualTime(Date.now());
  const base = memory({ workerTimes: { retry: 20, retryMax: 40, idle: 60_000 } });
  const inTime = (host: MemoryHost): MemoryHost => ({
    ...host,
    clock: time,
    timers: () => time.timers(),
  });
  const server = new FakeServer(base.network);
  server.write([city('a')]);
  const asked = answering(server, same);
  const options = {
    remote: http('http://server.test/v1'),
    scopes: 'all' as const,
    defaultRealm: 'public',
  };
  const windows = [await fresh(inTime(base), options), await fresh(inTime(base.window()), options)];
  const [first] = windows as [App, App];
  await expect.poll(() => first.cities.count()).toBe(1);
  await expect.poll(() => windows.map(({ sync }) => sync.status.connected)).toEqual([true, true]);
  /** Lets an hour pass, in which each window looks, and waits until what they have read is handled. */
  const looks = async () => {
    time.advance(3_700_000);
    for (const each of windows) {
      await each.transact((tx) => tx.cities.inc('a', { population: 1 })).durable;
      await each.sync.waitForSync();
    }
  };
  const day = 86_400_000;
  await looks();
  time.step(6.5 * day);
  await looks();
  expect(asked).toHaveLength(0);
  time.step(day);
  await looks();
  const runs = (requests: number) =>
    expect
      .poll(() => {
        time.advance(1);
        return asked.length;
      })
      .toBe(requests);
  await runs(kTables);
  await looks();
  expect(asked).toHaveLength(kTables);
  time.step(8 * day);
  await looks();
  await runs(2 * kTables);
});
