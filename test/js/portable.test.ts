/** Files of an export, and adoption of local data, on memory hosts. */
import { http } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { type App, Continent, Money, openApp, until } from './support.ts';

vi.setConfig({ testTimeout: 60_000 });

const opened: App[] = [];
const times = { retry: 20, retryMax: 40, idle: 60_000, socketRetry: 20, beat: 50, look: 50 };

async function connect(host: MemoryHost, user: string, more = {}): Promise<App> {
  const db = await openApp(host, {
    remote: http('http://server.test/v1', { token: async () => `dev:${user}` }),
    scopes: 'all',
    user,
    ...more,
  });
  opened.push(db);
  return db;
}

async function local(host: MemoryHost, more = {}): Promise<App> {
  const db = await openApp(host, more);
  opened.push(db);
  return db;
}

afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

function world(): { host: MemoryHost; server: FakeServer } {
  const host = memory({ workerTimes: times });
  return { host, server: new FakeServer(host.network) };
}

interface Stored {
  readonly id: string;
  readonly name: string;
}
const pending = (host: MemoryHost, user: string) =>
  host.storage.dump(`skerry/test/${user}`, 'mutations').map(({ value }) => value as Stored);

interface File {
  version: number;
  checksum: string;
  content: { rows: Record<string, Record<string, { id: string }[]>> | null; mutations: unknown[] };
}
const parsed = async (blob: Blob) => JSON.parse(await blob.text()) as File;

const everything = {
  id: 'all',
  name: 'Åre',
  country: 'SE',
  population: 3,
  founded: new Date(0),
  continent: Continent.EU,
  size: 'm' as const,
  product: new Money(7),
  notes: { $deep: [new Date(5), null] },
  flag: new Uint8Array([0, 255]),
  capital: false,
};

describe('files', () => {
  test('an export holds confirmed rows by realm, and pending mutations with their ops', async () => {
    const { host } = world();
    const db = await connect(host, 'anna', { defaultRealm: 'public' });
    await db.mutate.addCity({ id: 'a', name: 'A', population: 1 }).confirmed;
    host.network.online = false;
    const { id } = db.mutate.grow({ id: 'a', by: 2 });
    const blob = await db.export();
    expect(blob.type).toBe('application/json');
    expect(await parsed(blob)).toEqual({
      format: 'skerry-export',
      version: 1,
      checksum: expect.stringMatching(/^crc32:[0-9a-f]{8}$/),
      content: {
        name: 'test',
        user: 'anna',
        schema: 1,
        at: expect.any(Number),
        rows: {
          cities: {
            public: [
              {
                id: 'a',
                createdAt: expect.any(Number),
                modifiedAt: expect.any(Number),
                props: { name: 'A', country: 'SE', population: 1 },
              },
            ],
          },
          groups: {},
          people: {},
          members: {},
        },
        mutations: [
          {
            id,
            name: 'grow',
            at: expect.any(Number),
            arg: { id: 'a', by: 2 },
            base: { public: 1 },
            ops: [{ op: 'inc', table: 'cities', id: 'a', realm: 'public', add: { population: 2 } }],
          },
        ],
      },
    });
    const outbox = await parsed(await db.export({ pendingOnly: true }));
    expect(outbox.content).toMatchObject({ rows: null, mutations: [{ id, name: 'grow' }] });
  });

  test('values of every type go from one local database into another, rows that are there stay', async () => {
    const source = await local(memory());
    source.transact((tx) => tx.cities.create(everything));
    const group = source.transact((tx) => {
      const made = tx.groups.create({ name: 'G' });
      tx.members.create({ group: made, person: tx.people.create({ name: 'P' }) });
      return made;
    }).result;
    const file = await source.export();
    const target = await local(memory());
    await target.mutate.addCity({ id: 'other', name: 'Other' }).durable;
    await target.import(file);
    const { createdAt, modifiedAt, realm, ...city } = target.cities.get('all') ?? {};
    expect(city).toEqual(everything);
    expect(target.members.first()).toMatchObject({ group });
    await target.mutate.rename({ id: 'all', name: 'Later' }).durable;
    await target.import(file);
    expect(target.cities.get('all')?.name).toBe('Later');
    expect([target.cities.count(), target.members.count()]).toEqual([2, 1]);
  });

  test('what is pending here already is not logged again; another profile logs it under the same ids', async () => {
    const { host } = world();
    const db = await connect(host, 'anna', { defaultRealm: 'public' });
    await db.mutate.addCity({ id: 'a', name: 'A', population: 1 }).confirmed;
    host.network.online = false;
    const second = await connect(host.window(), 'anna', { defaultRealm: 'public' });
    await db.mutate.grow({ id: 'a', by: 2 }).durable;
    const file = await db.export({ pendingOnly: true });
    const ids = pending(host, 'anna').map(({ id }) => id);
    await db.import(file);
    await second.import(file);
    expect(pending(host, 'anna').map(({ id }) => id)).toEqual(ids);
    expect(second.cities.get('a')?.population).toBe(3);

    const elsewhere = world();
    elsewhere.server.write([
      { op: 'create', table: 'cities', id: 'a', set: { name: 'A', country: 'SE', population: 1 } },
    ]);
    const other = await connect(elsewhere.host, 'anna', { defaultRealm: 'public' });
    const watching = await connect(elsewhere.host.window(), 'anna', { defaultRealm: 'public' });
    await until(() => other.cities.get('a') !== undefined);
    elsewhere.host.network.online = false;
    await other.import(file);
    expect(pending(elsewhere.host, 'anna').map(({ id }) => id)).toEqual(ids);
    // At once in the window that imports, and in the others by a broadcast.
    expect(other.cities.get('a')?.population).toBe(3);
    await until(() => watching.cities.get('a')?.population === 3);
    elsewhere.host.network.online = true;
    await other.sync.now();
    await until(() => other.sync.status.pending === 0);
    expect(elsewhere.server.pushed).toHaveLength(1);
  });

  test('what cannot be taken is refused by a typed error, and nothing is changed', async () => {
    const { host } = world();
    const db = await connect(host, 'anna', { defaultRealm: 'public' });
    await db.sync.now();
    host.network.online = false;
    await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
    await db.mutate.addCity({ id: 'b', name: 'B' }).durable;
    const good = await parsed(await db.export());
    const elsewhere = world();
    const target = await connect(elsewhere.host, 'anna', { defaultRealm: 'public' });
    await target.sync.now();
    elsewhere.host.network.online = false;
    const refused = async (file: unknown) => {
      const text = typeof file === 'string' ? file : JSON.stringify(file);
      const error = await target.import(new Blob([text])).then(
        () => null,
        (failure: { code: string }) => failure,
      );
      expect(pending(elsewhere.host, 'anna')).toEqual([]);
      return error?.code;
    };
    /** A file whose content was changed by somebody who knows the checksum. */
    const changed = async (change: object) => {
      const content = { ...good.content, ...change };
      const sums = await import('node:zlib');
      const crc = (sums as unknown as { crc32(text: string): number }).crc32;
      const sum = crc(JSON.stringify(content)).toString(16).padStart(8, '0');
      return refused({ ...good, content, checksum: `crc32:${sum}` });
    };
    expect(await refused('{')).toBe('not_an_export');
    expect(await refused('null')).toBe('not_an_export');
    expect(await refused({ ...good, format: 'zip' })).toBe('not_an_export');
    expect(await refused({ ...good, version: 2 })).toBe('file_version');
    expect(await refused({ ...good, content: { ...good.content, at: 1 } })).toBe('checksum');
    expect(await changed({ mutations: 1 })).toBe('not_an_export');
    expect(await changed({ schema: 2 })).toBe('file_schema');
    expect(await changed({ user: 'bob' })).toBe('other_user');
    expect(await changed({ rows: { planets: {} } })).toBe('unknown_table');
    expect(await changed({ rows: { cities: { public: [{ id: 'x', props: { name: 1 } }] } } })).toBe(
      'wrong_type',
    );
    const [first] = good.content.mutations as { ops: object[] }[];
    const broken = {
      ...first,
      ops: [{ op: 'delete', table: 'planets', id: 'x', realm: 'public' }],
    };
    expect(await changed({ mutations: [first, broken] })).toBe('unknown_table');
    expect(await changed({ mutations: [{ ...first, unreadable: 'why', body: '' }] })).toBe(
      'version',
    );
    await expect(target.import('text' as never)).rejects.toMatchObject({ code: 'not_an_export' });
    await expect(target.export({ everything: true } as never)).rejects.toMatchObject({
      code: 'unsupported',
    });
    // The same file, laid out anew, is good.
    await target.import(new Blob([JSON.stringify(good, null, 2)]));
    expect(pending(elsewhere.host, 'anna')).toHaveLength(2);
    await expect((await local(memory())).import(new Blob([JSON.stringify(good)]))).rejects.toThrow(
      'user',
    );
  });

  test('rows wait for the first fill; pending mutations need a remote', async () => {
    const source = await local(memory());
    await source.mutate.addCity({ id: 'a', name: 'A' }).durable;
    const file = await source.export();
    const { host } = world();
    host.network.online = false;
    const db = await connect(host, 'anna');
    await expect(db.import(file)).rejects.toMatchObject({ code: 'not_filled', retryable: true });
    host.network.online = true;
    await db.sync.now();
    await db.import(file);
    expect(db.cities.get('a')).toMatchObject({ name: 'A', realm: 'user:anna' });
    const anonymous = await openApp(memory(), {
      remote: http('http://nowhere.test/v1'),
      scopes: 'all',
    });
    opened.push(anonymous);
    await anonymous.mutate.addCity({ id: 'b', name: 'B' }).durable;
    const outbox = await anonymous.export({ pendingOnly: true });
    await expect(source.import(outbox)).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('adoptLocal', () => {
  const adopting = { adoptLocal: true, defaultRealm: 'public' };

  test('10,000 local rows become pending mutations of the user, parents first, and the local database goes', async () => {
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

  test('what fails before the copy changes nothing, and the next open tries again', async () => {
    const { host } = world();
    const before = await local(host);
    await before.mutate.addCity({ id: 'a', name: 'A' }).durable;
    await before.close();
    host.network.online = false;
    const refusing = Object.assign(host.window(), {
      wasm: (url: URL) =>
        url.pathname.includes('portable')
          ? Promise.resolve(new Response(null, { status: 404 }))
          : host.wasm(url),
    });
    const first = await connect(refusing, 'anna', {
      ...adopting,
      wasmUrl: new URL('../../dist/skerry.wasm', import.meta.url),
    });
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
        sweep: () => host.storage.sweep(),
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

  test('what was written without a user after such a crash is adopted too', async () => {
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
    const anew = await local(host);
    await anew.mutate.addCity({ id: 'c', name: 'C' }).durable;
    await anew.close();
    const third = await connect(host.window(), 'anna', adopting);
    expect(third.cities.count()).toBe(3);
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

  test('of a database that was in step without a user only what is pending is adopted, under its ids', async () => {
    const { host } = world();
    const anonymous = await openApp(host, {
      remote: http('http://server.test/v1'),
      scopes: 'all',
      defaultRealm: 'public',
    });
    opened.push(anonymous);
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
});
