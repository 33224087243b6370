/** What an export, an import and an adoption carry is all there afterwards, in whatever realms it is. */
import { type MemoryHost, memory } from 'skerry/testing';
import { describe, expect, test, vi } from 'vitest';
import { toFile } from '../../js/api/account/file.ts';
import { connect, local, world } from './account-world.ts';
import { type App, until } from './support.ts';

vi.setConfig({ testTimeout: 20_000 });

type Writers = Parameters<Parameters<App['transact']>[0]>[0];

const city = (id: string, realm: string, name: string) => ({ id, realm, name, country: 'SE' });

/** A group of three rows, which refer to each other. */
function group(tx: Writers, realm: string): void {
  const made = tx.groups.create({ name: `Group of ${realm}`, realm });
  const person = tx.people.create({ name: `Person of ${realm}`, realm });
  tx.members.create({ group: made, person, realm });
}

/** What a database without a user may hold. */
const contents: Record<string, (db: App) => void> = {
  'one id of its own in two realms': (db) =>
    db.transact((tx) => {
      tx.cities.create(city('x', 'one', 'One'));
      tx.cities.create(city('x', 'two', 'Two'));
    }),
  'one id in three realms, and rows before and after it': (db) =>
    db.transact((tx) => {
      for (const realm of ['three', 'one', 'two'])
        for (const id of ['w', 'x', 'y']) tx.cities.create(city(id, realm, `${id} of ${realm}`));
    }),
  'rows that refer to each other in several realms': (db) =>
    db.transact((tx) => {
      for (const realm of ['one', 'two', 'three']) group(tx, realm);
    }),
  'rows of a realm, and others that name none': (db) =>
    db.transact((tx) => {
      tx.cities.create(city('x', 'one', 'One'));
      tx.cities.create({ id: 'y', name: 'Mine', country: 'SE' });
      tx.groups.create({ name: 'Mine' });
    }),
  'realms and ids with the names of what each object has': (db) =>
    db.transact((tx) => {
      for (const realm of ['__proto__', 'constructor', 'toString'])
        for (const id of ['__proto__', 'constructor']) tx.cities.create(city(id, realm, realm));
    }),
  'streams of one name in two realms, and two in one': (db) => {
    for (const realm of ['one', 'two'])
      for (const name of ['chat', 'other'])
        for (const text of ['a', 'b'])
          db.stream<string>(name, { realm }).append(`${text} of ${name} in ${realm}`);
    db.stream<string>('chat').append('mine');
  },
  'a stream that has the name of what each object has': (db) => {
    for (const realm of ['__proto__', 'constructor'])
      db.stream<string>('name', { realm }).append(`in ${realm}`);
  },
  'rows and streams of one realm': (db) => {
    db.transact((tx) => tx.cities.create(city('chat', 'one', 'One')));
    db.stream<string>('chat', { realm: 'one' }).append('one');
  },
};

/** Where what was made without a realm is found in a database of Anna's. */
const own = 'user:anna';
const realms = ['one', 'two', 'three', '__proto__', 'constructor', 'toString'];

/** All rows and items of streams, without times; what is `local` is in `home`. */
async function contentOf(db: App, home: string): Promise<unknown> {
  const names = ['chat', 'other', 'name'];
  const streams = [...realms, home].flatMap((realm) =>
    names.map((name) => db.stream<string>(name, { realm })),
  );
  // A server that cannot be reached has what is missing; what is carried is pending, and there at once.
  if (home === 'local') await until(() => streams.every(({ whole }) => whole));
  const rows = (['cities', 'groups', 'people', 'members'] as const).flatMap((table) =>
    db[table].all().map(({ createdAt, modifiedAt, realm, ...row }) => {
      return JSON.stringify([table, realm === home ? 'local' : realm, row]);
    }),
  );
  const items = streams.map(({ realm, name, value }) => [
    realm === home ? 'local' : realm,
    name,
    value,
  ]);
  return { rows: rows.sort(), items };
}

/** A local database with the content, all of it stored. */
async function made(host: MemoryHost, fill: (db: App) => void): Promise<App> {
  const db = await local(host);
  fill(db);
  await db.transact(() => {}).durable;
  return db;
}

describe.each(Object.entries(contents))('%s', (_, fill) => {
  test('are all in a database that imports them', async () => {
    const source = await made(memory(), fill);
    const before = await contentOf(source, 'local');
    const target = await local(memory());
    const file = await source.export();
    for (let twice = 0; twice < 2; twice++) await target.import(file);
    expect(await contentOf(target, 'local')).toEqual(before);
    const again = await local(memory());
    await again.import(await target.export());
    expect(await contentOf(again, 'local')).toEqual(before);
  });

  test('are all a user’s who imports them', async () => {
    const source = await made(memory(), fill);
    const before = await contentOf(source, 'local');
    const { host } = world();
    const db = await connect(host, 'anna');
    await until(() => db.sync.status.lastSyncedAt !== null);
    host.network.online = false;
    const file = await source.export();
    for (let twice = 0; twice < 2; twice++) await db.import(file);
    expect(await contentOf(db, own)).toEqual(before);
  });

  test('are all adopted, before the local database is deleted', async () => {
    const { host } = world();
    const source = await made(host, fill);
    const before = await contentOf(source, 'local');
    await source.close();
    host.network.online = false;
    const db = await connect(host, 'anna', { adoptLocal: true });
    expect(db.sync.status.error?.code ?? 'network').toBe('network');
    expect(await host.storage.exists('skerry/test/local')).toBe(false);
    expect(await contentOf(db, own)).toEqual(before);
  });
});

/** Where both realms have a row of one id, and the second becomes the first. */
const clash = (db: App) =>
  db.transact((tx) => {
    tx.cities.create(city('x', 'public', 'Public'));
    tx.cities.create({ id: 'x', name: 'Mine', country: 'SE' });
  });

describe('two rows that would become one', () => {
  test('are not adopted: the local database stays, and the error names them', async () => {
    const { host } = world();
    await (await made(host, clash)).close();
    const db = await connect(host, 'anna', { adoptLocal: true, defaultRealm: 'public' });
    expect(db.sync.status.error).toMatchObject({ code: 'conflict' });
    expect(db.sync.status.error?.message).toMatch(/local and public|public and local/);
    expect(db.cities.count()).toBe(0);
    expect(await host.storage.exists('skerry/test/local')).toBe(true);
    await db.close();
    // Once one of them has gone, the rest is adopted.
    const source = await local(host);
    await source.transact((tx) => tx.cities.delete('x', { realm: 'public' })).durable;
    await source.close();
    const second = await connect(host, 'anna', { adoptLocal: true, defaultRealm: 'public' });
    expect(second.cities.all().map(({ name }) => name)).toEqual(['Mine']);
    expect(await host.storage.exists('skerry/test/local')).toBe(false);
  });

  test('are not imported: nothing of the file is', async () => {
    const source = await made(memory(), clash);
    const target = await local(memory(), { defaultRealm: 'public' });
    await expect(target.import(await source.export())).rejects.toMatchObject({ code: 'conflict' });
    expect(target.cities.count()).toBe(0);
  });
});

test('an action of several realms is appended in those where it is missing', async () => {
  const action = {
    id: '0197a3f0-0000-7000-8000-000000000001',
    name: 'said',
    arg: 'a',
    at: 1,
    madeAt: 1,
  };
  const inOne = { one: { chat: [{ ...action, author: null, place: [1, 0] }] } };
  const inBoth = { ...inOne, two: { chat: [{ ...action, author: null, place: [1, 0] }] } };
  const db = await local(memory());
  await db.import(fileOf(inOne));
  await db.import(fileOf(inBoth));
  await db.import(fileOf(inBoth));
  const shown = ['one', 'two'].map((realm) => db.stream<string>('chat', { realm }));
  await until(() => shown.every(({ whole }) => whole));
  expect(shown.map(({ value }) => value)).toEqual([['a'], ['a']]);
});

function fileOf(streams: object): Blob {
  return toFile({
    name: 'test',
    user: null,
    schema: 1,
    at: 0,
    rows: {},
    streams: streams as never,
    mutations: [],
  });
}
