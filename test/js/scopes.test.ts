/** `db.sync.scope`: parts of tables that several callers ask for, give up, and ask for again; on memory hosts. */

import { http, open, schema, t, table } from 'skerry';
import type { MemoryHost } from 'skerry/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Scope } from '../../js/api/scopes.ts';
import { WindowCore } from '../../js/core/window-core.ts';
import { connect, world } from './account-world.ts';
import type { FakeServer } from './fake-server.ts';
import { type App, turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });
afterEach(() => vi.restoreAllMocks());

async function withScopes() {
  const { host, server } = world();
  const set = { name: 'Tromsø', country: 'NO', population: 1 };
  server.write([{ op: 'create', table: 'cities', id: 'tos', set }]);
  const db = await connect(host, 'anna', {
    defaultRealm: 'public',
    scopes: (q: App) => [q.cities.where('country', '=', 'SE')],
  });
  await db.sync.now();
  const stored = () => {
    const sync = host.storage.dump('skerry/test/anna', 'sync').find(({ key }) => key === 'sync');
    const stored = sync?.value as { scopes: { where: unknown[] }[] } | undefined;
    return stored?.scopes.map(({ where }) => where[2]).sort() ?? [];
  };
  const of = (country: string): Scope => db.sync.scope(db.cities.where('country', '=', country));
  return { host, server, db, stored, of };
}

test('a scope that two callers wanted stays until the last of them unsubscribes', async () => {
  const { stored, of } = await withScopes();
  const [first, second] = [of('NO'), of('NO')];
  await Promise.all([first.ready, second.ready]);
  first.unsubscribe();
  // The same one again: it must not count for the other's.
  first.unsubscribe();
  for (let i = 0; i < 50; i++) await turn();
  expect(stored()).toEqual(['NO', 'SE']);
  second.unsubscribe();
  await until(() => stored().join() === 'SE');
});

test('a scope that is unsubscribed and wanted again at once is filled', async () => {
  const { stored, of } = await withScopes();
  const first = of('NO');
  await first.ready;
  first.unsubscribe();
  await of('NO').ready;
  expect(stored()).toEqual(['NO', 'SE']);
});

/** The check of the call finds all that the core refuses of a scope. Without it the core has to refuse by itself. */
const skipCheckOfTheCall = () =>
  vi.spyOn(WindowCore.prototype, 'checkScopes').mockImplementation(() => {});
/** A sub-select within a sub-select is for local queries only. */
const wrong = (tables: Pick<App, 'groups'>) =>
  tables.groups.where((b) => b.exists('members', (q) => q.where((m) => m.related('person'))));

test('a scope that the core refuses rejects, and the other scopes are filled', async () => {
  const { db, stored, of } = await withScopes();
  expect(() => db.sync.scope(wrong(db))).toThrow(/sub-select inside/);
  skipCheckOfTheCall();
  const refused = db.sync.scope(wrong(db));
  const { status } = db.sync;
  expect(status).toMatchObject({ error: { code: 'internal', retryable: true } });
  expect(status.phase).not.toBe('blocked');
  await expect(refused.ready).rejects.toMatchObject({ name: 'ValidationError', retryable: false });
  refused.unsubscribe();
  await of('NO').ready;
  expect(stored()).toEqual(['NO', 'SE']);
});

test('a refused scope of `open` does not drop the others of the list', async () => {
  skipCheckOfTheCall();
  const { host } = world();
  const db = await connect(host, 'anna', {
    defaultRealm: 'public',
    scopes: (q: App) => [wrong(q), q.cities.where('country', '=', 'SE')],
  });
  await db.sync.scope(db.cities.where('country', '=', 'SE')).ready;
});

test('the ready of a scope that is unsubscribed rejects', async () => {
  const { host, of } = await withScopes();
  host.network.online = false;
  const scope = of('NO');
  const other = of('NO');
  let isSettled = false;
  void other.ready.finally(() => {
    isSettled = true;
  });
  scope.unsubscribe();
  await expect(scope.ready).rejects.toMatchObject({ name: 'ClosedError' });
  expect(isSettled).toBe(false);
  host.network.online = true;
  await other.ready;
});

test('a scope that is unsubscribed while the page is frozen is dropped on resume', async () => {
  const { host, stored, of } = await withScopes();
  const scopes = [of('NO'), of('FI')];
  await Promise.all(scopes.map(({ ready }) => ready));
  host.page.send({ type: 'freeze' });
  for (const scope of scopes) scope.unsubscribe();
  const again = of('FI');
  host.page.send({ type: 'resume' });
  await again.ready;
  await until(() => stored().join() === 'FI,SE');
});

test('a scope beyond the limits of all windows rejects, and comes when there is room', async () => {
  const { host, of, db } = await withScopes();
  // 6,000 values each, of 10,000 that a server takes.
  const many = (letter: string) => Array.from({ length: 6000 }, (_, i) => `${letter}${i}`);
  const second = await connect(host, 'anna', { defaultRealm: 'public', scopes: () => [] });
  const theirs = second.sync.scope(second.cities.where('country', 'in', many('A')));
  await theirs.ready;
  const wanted = many('B');
  const mine = db.sync.scope(db.cities.where('country', 'in', wanted));
  const small = of('FI');
  const left = { name: 'LimitError', code: 'scope_left_out', retryable: true };
  await expect(mine.ready).rejects.toMatchObject(left);
  await small.ready;
  expect(db.sync.status.error).toMatchObject(left);
  expect(db.sync.status.phase).not.toBe('blocked');
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  expect(db.sync.status.error).toMatchObject(left);
  theirs.unsubscribe();
  await until(() => db.sync.status.error === null);
  await db.sync.scope(db.cities.where('country', 'in', wanted)).ready;
});

test('a scope that was left out is no error any more when it is unsubscribed', async () => {
  const { host, db } = await withScopes();
  const many = (letter: string) => Array.from({ length: 6000 }, (_, i) => `${letter}${i}`);
  const second = await connect(host, 'anna', { defaultRealm: 'public', scopes: () => [] });
  await second.sync.scope(second.cities.where('country', 'in', many('A'))).ready;
  const mine = db.sync.scope(db.cities.where('country', 'in', many('B')));
  await expect(mine.ready).rejects.toMatchObject({ code: 'scope_left_out' });
  mine.unsubscribe();
  expect(db.sync.status.error).toBeNull();
});

describe('a table that is `autosubscribe`', () => {
  const news = (autosubscribe: boolean, version = 1) =>
    schema(
      {
        news: table({ title: t.string() }, { autosubscribe }),
        cities: table({ name: t.string(), country: t.string() }),
      },
      { version },
    );
  const release = async (host: MemoryHost, of: ReturnType<typeof news>, scopes: unknown) => {
    const remote = http('http://server.test/v1', { token: async () => 'dev:anna' });
    return await open({
      ...{ name: 'news', schema: of, host, remote, user: 'anna', defaultRealm: 'public' },
      scopes: scopes as 'all',
    });
  };
  const storedScopes = (host: MemoryHost) => {
    const stored = host.storage.dump('skerry/news/anna', 'sync').find(({ key }) => key === 'sync');
    const sync = stored?.value as { scopes: { table: string; where: unknown[] }[] } | undefined;
    return sync?.scopes.map((scope) => [scope.table, scope.where[0]]).sort();
  };
  type Db = Awaited<ReturnType<typeof release>>;
  const seFilter = (q: Db) => [q.cities.where('country', '=', 'SE')];
  const write = (server: FakeServer, id: string) =>
    server.write([{ op: 'create', table: 'news', id, set: { title: id } }]);
  const [one, two] = [
    '01900000-0000-7000-8000-000000000001',
    '01900000-0000-7000-8000-000000000002',
  ];

  test.each<[string, unknown, string[][]]>([
    [
      'beside other scopes',
      seFilter,
      [
        ['cities', '='],
        ['news', 'true'],
      ],
    ],
    ['without other scopes', () => [], [['news', 'true']]],
    ['once beside the same scope', (q: Db) => [q.news], [['news', 'true']]],
    [
      'beside a part of itself',
      (q: Db) => [q.news.where('title', '=', 'x')],
      [
        ['news', '='],
        ['news', 'true'],
      ],
    ],
    [
      'with `all`',
      'all',
      [
        ['cities', 'true'],
        ['news', 'true'],
      ],
    ],
  ])('comes whole, %s', async (_name, scopes, expected) => {
    const { host, server } = world();
    write(server, one);
    const db = await release(host, news(true), scopes);
    await db.sync.now();
    expect(db.news.ids()).toEqual([one]);
    expect(storedScopes(host)).toEqual(expected);
    await db.close();
  });

  test('comes with the release that makes it so, and not with one that does not', async () => {
    const { host, server } = world();
    write(server, one);
    let db = await release(host, news(false), seFilter);
    await db.sync.now();
    expect(db.news.ids()).toEqual([]);
    expect(storedScopes(host)).toEqual([['cities', '=']]);
    await db.close();
    db = await release(host, news(true, 2), seFilter);
    await until(() => db.news.count() === 1);
    write(server, two);
    await db.sync.now();
    expect(db.news.ids()).toEqual([one, two]);
    await db.close();
    // Another device, under a release that takes it back: what nothing asks for does not come.
    const other = world();
    const later = await release(other.host, news(false, 3), seFilter);
    await later.sync.now();
    expect(storedScopes(other.host)).toEqual([['cities', '=']]);
    await later.close();
  });
});
