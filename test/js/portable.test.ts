/** Files of an export, on memory hosts. */
import { http } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { connect, local, world } from './account-world.ts';
import { Continent, Money, turn, until } from './support.ts';

vi.setConfig({ testTimeout: 60_000 });

interface Stored {
  readonly id: string;
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
        $members: {},
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

test('an export that is asked for at once holds what was written just before', async () => {
  const db = await local(memory());
  const chat = db.stream<string>('chat');
  for (let i = 0; i < 3; i++) {
    db.mutate.addCity({ id: `${i}`, name: 'A' });
    chat.append(`${i}`);
    const target = await local(memory());
    await target.import(await db.export());
    const there = target.stream<string>('chat');
    await until(() => there.whole);
    expect([target.cities.count(), there.value.length]).toEqual([i + 1, i + 1]);
  }
  for (const pendingOnly of [true, false]) {
    const { host } = world();
    host.network.online = false;
    const offline = await connect(host, 'anna');
    const ids = ['a', 'b'].map((id) => offline.mutate.addCity({ id, name: id }).id);
    const { content } = await parsed(await offline.export({ pendingOnly }));
    expect(content.mutations).toMatchObject(ids.map((id) => ({ id })));
  }
});

test.each([true, false])(
  'an export holds what waits behind a transaction, pendingOnly %s',
  async (pendingOnly) => {
    const { host } = world();
    host.network.online = false;
    const db = await connect(host, 'anna');
    await db.export({ pendingOnly });
    host.storage.faults.hold = true;
    const ids = ['a', 'b', 'c'].map((id) => db.mutate.addCity({ id, name: 'A' }).id);
    // The first transaction is under way, and does not have this.
    await turn();
    ids.push(db.mutate.addCity({ id: 'd', name: 'D' }).id);
    const exporting = db.export({ pendingOnly });
    // Longer than its module takes to load.
    for (let i = 0; i < 5_000; i++) await turn();
    host.storage.release();
    const { content } = await parsed(await exporting);
    expect(content.mutations).toMatchObject(ids.map((id) => ({ id })));
  },
);

test('moves values of every type between local databases; existing rows stay', async () => {
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

test('does not log pending mutations again; another profile logs them under their ids', async () => {
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

test('content that cannot be taken is refused by a typed error, and nothing changes', async () => {
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
  /** A file whose content was changed, with the right checksum. */
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
  expect(await changed({ mutations: [{ ...first, unreadable: 'why', body: '' }] })).toBe('version');
  await expect(target.import('text' as never)).rejects.toMatchObject({ code: 'not_an_export' });
  await expect(target.export({ everything: true } as never)).rejects.toMatchObject({
    code: 'unsupported',
  });
  // The same file, formatted again, is good.
  await target.import(new Blob([JSON.stringify(good, null, 2)]));
  expect(pending(elsewhere.host, 'anna')).toHaveLength(2);
  await expect((await local(memory())).import(new Blob([JSON.stringify(good)]))).rejects.toThrow(
    'user',
  );
});

test('rows wait for the initial sync; pending mutations need a remote', async () => {
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
  const anonymous = await local(memory(), {
    remote: http('http://nowhere.test/v1'),
    defaultRealm: 'public',
    scopes: 'all',
  });
  await anonymous.mutate.addCity({ id: 'b', name: 'B' }).durable;
  const outbox = await anonymous.export({ pendingOnly: true });
  await expect(source.import(outbox)).rejects.toMatchObject({ code: 'unsupported' });
});

test('streams move between local databases: each action once, in order', async () => {
  const source = await local(memory());
  const chat = source.stream<unknown>('chat');
  const items = [{ type: 'said', at: new Date(7) }, new Money(7), Continent.EU, 'text'];
  for (const item of items) await chat.append(item).confirmed;
  await source.stream<string>('a\u0001b').append('odd').confirmed;
  const file = await source.export();
  const { streams } = (
    (await parsed(file)) as unknown as {
      content: { streams: Record<string, Record<string, { name: string; place: unknown }[]>> };
    }
  ).content;
  expect(streams['local']?.['chat']?.map(({ name }) => name)).toEqual([
    'said',
    ...Array(3).fill('skerry/append'),
  ]);
  const target = await local(memory());
  const there = target.stream<unknown>('chat');
  await there.append('first').confirmed;
  for (let twice = 0; twice < 2; twice++) await target.import(file);
  await until(() => there.entries.every(({ pending }) => !pending));
  expect(there.value).toEqual(['first', ...items]);
  expect(there.entries.slice(1).map(({ id, madeAt }) => [id, madeAt])).toEqual(
    chat.entries.map(({ id, madeAt }) => [id, madeAt]),
  );
  const odd = target.stream<string>('a\u0001b');
  await until(() => odd.whole);
  expect(odd.value).toEqual(['odd']);
  // It is there after a restart, and in a file of its own.
  const again = await local(memory());
  await again.import(await target.export());
  const last = again.stream<unknown>('chat');
  await until(() => last.value.length === 5);
  expect(last.value).toEqual(there.value);
});

test('a file whose streams have no form is refused as a whole', async () => {
  const db = await local(memory());
  await db.stream<string>('chat').append('a').confirmed;
  const file = await parsed(await db.export());
  const { toFile } = await import('../../js/api/account/file.ts');
  const content = { ...file.content, streams: { local: { chat: [{ id: 1 }] } } };
  const target = await local(memory());
  await expect(target.import(toFile(content as never))).rejects.toMatchObject({
    code: 'not_an_export',
  });
});
