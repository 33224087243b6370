/** Dates and bytes of rows: the application may change what it was given, and changes nothing by that. */
import { http, open, schema, t, table } from 'skerry';
import { memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const given = { day: new Date(5), hash: Uint8Array.of(5) };
const app = schema(
  {
    things: table(
      {
        day: t.date(),
        hash: t.bytes(),
        any: t.json<unknown>().optional(),
        since: t.date().default(given.day),
        mark: t.bytes().default(given.hash),
      },
      { id: t.string() },
    ),
    parts: table({ thing: t.ref('things'), at: t.date() }, { id: t.string() }),
  },
  { version: 1 },
);
given.day.setTime(0);
given.hash[0] = 0;

async function opened() {
  const db = await open({ name: 'kept', schema: app, host: memory() });
  db.transact((tx) => {
    const any = { at: new Date(3), list: [new Date(4), Uint8Array.of(4)], plain: ['x'] };
    tx.things.create({ id: 'a', day: new Date(1), hash: Uint8Array.of(1, 2), any });
    tx.things.create({ id: 'top', day: new Date(1), hash: Uint8Array.of(), any: new Date(6) });
    tx.parts.create({ id: 'p', thing: 'a', at: new Date(7) });
  });
  return db;
}

/** Changes every date and every array of bytes that it finds. */
function spoil(value: unknown): void {
  if (value instanceof Date) value.setFullYear(1999);
  else if (value instanceof Uint8Array) value.fill(99);
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach(spoil);
}

test('a row says the same after the application has changed what it read of it', async () => {
  const db = await opened();
  const reads = {
    get: () => db.things.get('a'),
    top: () => db.things.get('top'),
    all: () => db.things.all(),
    included: () => db.parts.include('thing').all(),
    children: () => db.things.include('parts').all(),
    min: () => db.things.min('day'),
  };
  const live = db.parts.include('thing').live();
  live.subscribe(() => {});
  const all = Object.entries({ ...reads, live: () => live.value }).map(
    ([name, read]) => [name, read, structuredClone(read())] as const,
  );
  for (const [name, read, before] of all) {
    spoil(read());
    expect(read(), name).toEqual(before);
    expect(JSON.stringify(read()), name).toBe(JSON.stringify(before));
  }
  expect(db.things.get('a')?.day).toEqual(new Date(1));
  expect(db.things.where('day', '=', new Date(1)).count()).toBe(2);
  await db.close();
});

test('rows and their values are the same objects in each read until they change', async () => {
  const db = await opened();
  const row = db.things.get('a');
  expect(db.things.get('a')).toBe(row);
  for (const name of ['day', 'hash', 'createdAt', 'any'] as const)
    expect(db.things.get('a')?.[name]).toBe(row?.[name]);
  const day = row?.day;
  day?.setTime(2);
  expect(row?.day).not.toBe(day);
  expect(row?.day).toBe(row?.day);
  expect(row?.day).toEqual(new Date(1));
  // A buffer that was handed to a worker is empty here.
  const hash = row?.hash as Uint8Array<ArrayBuffer>;
  structuredClone(hash, { transfer: [hash.buffer] });
  expect(row?.hash).toEqual(Uint8Array.of(1, 2));
  expect(Object.keys({ ...row })).toEqual([
    ...['id', 'realm', 'createdAt', 'modifiedAt'],
    ...['day', 'hash', 'any', 'since', 'mark'],
  ]);
  expect(Object.isFrozen(row)).toBe(true);
  await db.close();
});

test('arguments may be changed after a call: a default, a written or a compared value', async () => {
  const db = await opened();
  const [day, hash] = [new Date(8), Uint8Array.of(8)];
  db.transact((tx) => {
    tx.things.createMany([{ id: 'w', day, hash, any: { day, hash } }]);
    spoil([day, hash]);
  });
  expect(db.things.get('w')).toMatchObject({
    day: new Date(8),
    hash: Uint8Array.of(8),
    any: { day: new Date(8), hash: Uint8Array.of(8) },
    since: new Date(5),
    mark: Uint8Array.of(5),
  });
  const wanted = Uint8Array.of(8);
  const query = db.things.where('hash', '=', wanted);
  spoil(wanted);
  expect(query.ids()).toEqual(['w']);
  await db.close();
});

test('nor does a conflict in the inbox change', async () => {
  const host = memory();
  const server = new FakeServer(host.network);
  server.refuse = () => 'rejected';
  const db = await open({
    name: 'kept',
    schema: app,
    host,
    scopes: 'all',
    defaultRealm: 'public',
    remote: http('http://server.test/v1'),
  });
  db.transact((tx) =>
    tx.things.create({ id: 'a', day: new Date(1), hash: Uint8Array.of(1), any: [new Date(2)] }),
  );
  await until(() => db.conflicts.all().length === 1);
  const before = structuredClone(db.conflicts.all());
  expect(before[0]?.mine).toMatchObject({ day: new Date(1), any: [new Date(2)] });
  spoil(db.conflicts.all());
  expect(db.conflicts.all()).toEqual(before);
  await db.close();
});
