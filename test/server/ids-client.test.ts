// Goal: an application-defined id names an object within its realm, on the client, too: each user has a `theme`, and so has each
// realm that they share; none of them touches another, in memory, storage, queue or inbox. Method: the package's own clients
// on memory hosts, against the real server.
import { http, NetworkError, open, schema, t, table } from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    themes: table({ color: t.string(), uses: t.number().default(0) }, { id: t.string() }),
    fonts: table({ theme: t.ref('themes', { onDelete: 'cascade' }) }, { id: t.string() }),
  },
  { version: 1 },
);
const server = new SharedServer({ schema: app });

type Transport = typeof fetchTransport;
const hostWith = (transport: Transport = fetchTransport): MemoryHost =>
  memory({ workerTimes: { retry: 20, retryMax: 40, idle: 60_000 }, transport });
const connect = (user: string, host: MemoryHost) =>
  open({
    name: 'ids',
    schema: app,
    host,
    user,
    scopes: 'all',
    remote: http(`${server.url}/v1`, { token: async () => `dev:${user}` }),
  });
type Db = Awaited<ReturnType<typeof connect>>;

const opened: Db[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});
async function openAs(user: string, host = hostWith()): Promise<Db> {
  const db = await connect(user, host);
  opened.push(db);
  return db;
}

/** The colors of all themes, by realm. */
const colors = (db: Db) =>
  Object.fromEntries(db.themes.all().map(({ realm, color }) => [realm, color]));

/** Anna and Bo, each with a theme and a font of the same ids, and a third theme in a realm of both. */
async function scene(anna: string, bo: string, hosts = [hostWith(), hostWith()]) {
  const [a, b] = [await openAs(anna, hosts[0]), await openAs(bo, hosts[1])];
  for (const [db, color] of [
    [a, 'red'],
    [b, 'blue'],
  ] as const) {
    const made = db.transact((tx) => {
      tx.themes.create({ id: 'theme', color });
      tx.fonts.create({ id: 'font', theme: 'theme' });
    });
    await made.confirmed;
  }
  const realm = a.realms.create().result;
  a.transact((tx) => {
    tx.themes.create({ id: 'theme', color: 'white', realm });
    tx.fonts.create({ id: 'font', theme: 'theme', realm });
  });
  await a.realms.invite(realm, bo, 'writer').confirmed;
  await b.sync.now();
  return { a, b, realm };
}

test('each user has an object of one id, and so has a realm that both see', async () => {
  const { a, b, realm } = await scene('anna-1', 'bo-1');
  expect(colors(a)).toEqual({ 'user:anna-1': 'red', [realm]: 'white' });
  expect(colors(b)).toEqual({ 'user:bo-1': 'blue', [realm]: 'white' });
  expect(b.themes.get('theme')?.color).toBe('blue');
  expect(b.themes.get('theme', { realm })?.color).toBe('white');
  expect(b.themes.get('theme', { realm: 'user:anna-1' })).toBeUndefined();
  // A ref names the theme of its own realm.
  const withTheme = b.fonts.include('theme').all();
  expect(withTheme.map((font) => [font.realm, font.theme?.color])).toEqual(
    [
      ['user:bo-1', 'blue'],
      [realm, 'white'],
    ].sort((x, y) => String(x[0]).localeCompare(String(y[0]))),
  );
  await b.transact((tx) => tx.themes.update('theme', { color: 'black' }, { realm })).confirmed;
  await b.transact((tx) => tx.themes.inc('theme', { uses: 1 })).confirmed;
  await a.sync.now();
  expect(colors(a)).toEqual({ 'user:anna-1': 'red', [realm]: 'black' });
  expect(b.themes.get('theme')).toMatchObject({ color: 'blue', uses: 1 });
  // A delete takes along what is of its realm.
  await a.transact((tx) => tx.themes.delete('theme', { realm })).confirmed;
  await b.sync.now();
  for (const db of [a, b]) expect([db.themes.count(), db.fonts.count()]).toEqual([1, 1]);
});

test('both are stored: without a network, a window that opens again has them', async () => {
  let isCut = false;
  const host = hostWith({
    request: (request) =>
      isCut ? Promise.reject(new NetworkError('network', 'cut')) : fetchTransport.request(request),
  });
  const { b, realm } = await scene('anna-2', 'bo-2', [hostWith(), host]);
  isCut = true;
  b.transact((tx) => tx.themes.update('theme', { color: 'mine' }));
  await b.transact((tx) => tx.themes.update('theme', { color: 'ours' }, { realm })).durable;
  await b.close();
  opened.splice(opened.indexOf(b), 1);
  const again = await openAs('bo-2', host);
  expect(colors(again)).toEqual({ 'user:bo-2': 'mine', [realm]: 'ours' });
  expect(again.themes.isPending('theme')).toBe(true);
  isCut = false;
  await again.sync.now();
  await again.sync.waitForSync();
  expect(colors(again)).toEqual({ 'user:bo-2': 'mine', [realm]: 'ours' });
  expect(again.themes.isPending('theme')).toBe(false);
  expect(again.themes.isPending('theme', { realm })).toBe(false);
});

test('a rejection in one realm affects no object with that id in another', async () => {
  const { a, b, realm } = await scene('anna-3', 'bo-3');
  b.sync.pause();
  b.transact((tx) => tx.themes.update('theme', { color: 'never' }, { realm }));
  b.transact((tx) => tx.themes.update('theme', { color: 'mine' }));
  await a.realms.remove(realm, 'bo-3').confirmed;
  b.sync.resume();
  await b.sync.now();
  await expect.poll(() => b.sync.status.pending, { timeout: 30_000 }).toBe(0);
  expect(colors(b)).toEqual({ 'user:bo-3': 'mine' });
  const [entry, ...others] = b.conflicts.all();
  expect(entry?.mine).toEqual({ color: 'never' });
  expect(['forbidden', 'revoked']).toContain(entry?.code);
  expect(others).toEqual([]);
  await a.sync.now();
  expect(a.themes.get('theme', { realm })?.color).toBe('white');
});
