/** Adoption of local data at log-in, on memory hosts. */
import { http } from 'skerry';
import type { MemoryHost } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { connect, local, world } from './account-world.ts';
import { until } from './support.ts';

vi.setConfig({ testTimeout: 60_000 });

interface Stored {
  readonly id: string;
  readonly name: string;
}
const pending = (host: MemoryHost, user: string) =>
  host.storage.dump(`skerry/test/${user}`, 'mutations').map(({ value }) => value as Stored);

const adopting = { adoptLocal: true, defaultRealm: 'public' };

test('10,000 local rows become pending mutations of the user, parents first', async () => {
  const { host, server } = world();
  const before = await local(host);
  const groups = before.transact((tx) =>
    tx.groups.createMany(Array.from({ length: 100 }, (_, i) => ({ name: `G${i}` }))),
  ).result;
  const person = before.transact((tx) => tx.people.create({ name: 'P' })).result;
  await before.transact((tx) =>
    tx.members.createMany(
      Array.from({ length: 9000 }, (_, i) => ({ group: groups[i % 100] as string, person })),
    ),
  ).durable;
  await before.transact((tx) =>
    tx.cities.createMany(
      Array.from({ length: 1000 }, (_, i) => ({ id: `c${i}`, name: 'C', country: 'SE' })),
    ),
  ).durable;
  await before.close();
  host.network.online = false;
  const db = await connect(host, 'anna', adopting);
  expect([db.groups, db.people, db.members, db.cities].map((table) => table.count())).toEqual([
    100, 1, 9000, 1000,
  ]);
  expect(db.members.first()?.realm).toBe('public');
  expect(db.members.where('group', '=', groups[7] as string).count()).toBe(90);
  expect(await host.storage.exists('skerry/test/local')).toBe(false);
  const logged = pending(host, 'anna');
  expect(logged.length).toBeGreaterThan(20);
  expect(new Set(logged.map(({ name }) => name))).toEqual(new Set(['skerry/adopt']));
  host.network.online = true;
  await until(() => db.sync.status.pending === 0);
  const made = server.pushed.flatMap(({ ops }) => ops);
  expect(made).toHaveLength(10_101);
  const place = new Map(made.map(({ id }, i) => [id, i]));
  for (const [i, { table, set }] of made.entries()) {
    if (table === 'members') expect(place.get(set?.['group'] as string)).toBeLessThan(i);
  }
});

test('a failure before the copy changes nothing, and the next open tries again', async () => {
  const { host } = world();
  const before = await local(host);
  await before.mutate.addCity({ id: 'a', name: 'A' }).durable;
  await before.close();
  host.network.online = false;
  // The window's instance is there already; there is no memory for the one that copies.
  const { instantiate } = WebAssembly;
  const spy = vi
    .spyOn(WebAssembly, 'instantiate')
    .mockImplementation(() => Promise.reject(new RangeError('Out of memory')));
  const first = await connect(host.window(), 'anna', adopting);
  spy.mockImplementation(instantiate as never);
  expect(first.cities.count()).toBe(0);
  expect(first.sync.status.error).toMatchObject({ code: 'wasm' });
  expect(await host.storage.exists('skerry/test/local')).toBe(true);
  await first.close();
  const second = await connect(host, 'anna', adopting);
  expect(second.cities.get('a')?.name).toBe('A');
});

/** Ends between the copy and the deletion, as a crash would. */
const crashing = (host: MemoryHost) =>
  Object.assign(host.window(), {
    accounts: {
      exists: (name: string) => host.storage.exists(name),
      deleteIf: () => Promise.reject(new Error('A crash by order of the test.')),
    },
  });

test('a crash after the copy does not adopt twice: the marker says what was copied', async () => {
  const { host, server } = world();
  const before = await local(host);
  await before.mutate.addCity({ id: 'a', name: 'A', population: 1 }).durable;
  await before.close();
  const first = await connect(crashing(host), 'anna', adopting);
  await until(() => first.sync.status.pending === 0);
  // The user goes on; a second copy would overwrite this.
  await first.mutate.rename({ id: 'a', name: 'Later' }).confirmed;
  await first.mutate.remove('a').confirmed;
  await first.close();
  expect(await host.storage.exists('skerry/test/local')).toBe(true);
  const pushed = server.pushed.length;
  const second = await connect(host, 'anna', adopting);
  expect(await host.storage.exists('skerry/test/local')).toBe(false);
  expect(second.cities.count()).toBe(0);
  await second.sync.now();
  expect(server.pushed).toHaveLength(pushed);
});

test('rows written without a user after such a crash are adopted, too', async () => {
  const { host } = world();
  host.network.online = false;
  const before = await local(host);
  await before.mutate.addCity({ id: 'a', name: 'A' }).durable;
  await before.close();
  const first = await connect(crashing(host), 'anna', adopting);
  await first.mutate.rename({ id: 'a', name: 'Later' }).durable;
  await first.close();
  const after = await local(host);
  await after.mutate.addCity({ id: 'b', name: 'B' }).durable;
  await after.close();
  const second = await connect(host, 'anna', adopting);
  expect(second.cities.get('b')?.name).toBe('B');
  expect(second.cities.get('a')?.name).toBe('Later');
  expect(await host.storage.exists('skerry/test/local')).toBe(false);
  // A local database that is made later is another one.
  const again = await local(host);
  await again.mutate.addCity({ id: 'c', name: 'C' }).durable;
  await again.close();
  const third = await connect(host.window(), 'anna', adopting);
  expect(third.cities.count()).toBe(3);
});

test('rows that a window without a user writes during the adoption are adopted, too', async () => {
  const { host } = world();
  host.network.online = false;
  const before = await local(host);
  await before.mutate.addCity({ id: 'a', name: 'A' }).durable;
  let rounds = 0;
  const busy = Object.assign(host.window(), {
    accounts: {
      exists: (name: string) => host.storage.exists(name),
      deleteIf: async (...args: Parameters<MemoryHost['storage']['deleteIf']>) => {
        if (rounds++ === 0) await before.mutate.addCity({ id: 'b', name: 'B' }).durable;
        return host.storage.deleteIf(...args);
      },
    },
  });
  const db = await connect(busy, 'anna', adopting);
  expect(rounds).toBe(2);
  expect(
    db.cities
      .all()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['a', 'b']);
  expect(pending(host, 'anna')).toHaveLength(2);
  expect(await host.storage.exists('skerry/test/local')).toBe(false);
});

test('two windows that open at once adopt once', async () => {
  const { host } = world();
  host.network.online = false;
  const before = await local(host);
  await before.mutate.addCity({ id: 'a', name: 'A' }).durable;
  const gone = new Promise((resolve) => before.on('closed', resolve));
  const [one, two] = await Promise.all([
    connect(host, 'anna', adopting),
    connect(host.window(), 'anna', adopting),
  ]);
  await gone;
  expect(pending(host, 'anna')).toHaveLength(1);
  await until(() => one.cities.count() === 1 && two.cities.count() === 1);
  expect(await host.storage.exists('skerry/test/local')).toBe(false);
});

test('adopts only pending changes, under their ids, of a synced database with no user', async () => {
  const { host } = world();
  const anonymous = await local(host, {
    remote: http('http://server.test/v1'),
    scopes: 'all',
    defaultRealm: 'public',
  });
  await anonymous.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  host.network.online = false;
  const { id, durable } = anonymous.mutate.grow({ id: 'a', by: 1 });
  await durable;
  await anonymous.close();
  const db = await connect(host, 'anna', adopting);
  expect(pending(host, 'anna').map((mutation) => mutation.id)).toEqual([id]);
  host.network.online = true;
  await until(() => db.sync.status.pending === 0 && db.cities.count() === 1);
});

test('needs a user and a remote; without a local database there is nothing to do', async () => {
  const { host } = world();
  await expect(local(host, { user: 'anna', ...adopting })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  const db = await connect(host, 'anna', adopting);
  expect(db.sync.status.error).toBeNull();
  expect(await host.storage.exists('skerry/test/local')).toBe(false);
});

test('streams made without a user become the user’s, in order, with their ids', async () => {
  const { host } = world();
  const before = await local(host);
  const chat = before.stream<string>('chat');
  const made = ['a', 'b', 'c'].map((text) => chat.append(text));
  before.mutate.addCity({ id: 'x', name: 'X' });
  await before.stream<string>('other').append('d').confirmed;
  const entries = await chat.history();
  await before.close();
  host.network.online = false;
  const db = await connect(host, 'anna', adopting);
  const shown = db.stream<string>('chat', { realm: 'public' });
  expect(shown.value).toEqual(['a', 'b', 'c']);
  expect(shown.entries.map(({ id }) => id)).toEqual(made.map(({ id }) => id));
  expect(shown.entries.map(({ madeAt }) => madeAt)).toEqual(entries.map(({ madeAt }) => madeAt));
  expect(db.stream<string>('other', { realm: 'public' }).value).toEqual(['d']);
  expect(db.cities.count()).toBe(1);
  expect(await host.storage.exists('skerry/test/local')).toBe(false);
  expect(pending(host, 'anna')).toHaveLength(5);
});
