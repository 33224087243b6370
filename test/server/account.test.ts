// Goal: the server counts each change once, whatever is imported, wherever and however often. Method: exports,
// imports, adoption and several users on one profile, by the package's own client on memory hosts against the real
// server.
import { defineMutators, http, open, schema, t, table } from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    counters: table({ title: t.string(), n: t.number().default(0) }, { id: t.string() }),
    // Children before their parents: the order must not matter.
    items: table({ list: t.ref('lists', { onDelete: 'cascade' }), title: t.string() }),
    lists: table({ name: t.string() }),
  },
  { version: 1 },
);
const mutators = defineMutators(app, {
  make: (tx, id: string) => tx.counters.create({ id, title: id }),
  grow: (tx, { id, by }: { id: string; by: number }) => tx.counters.inc(id, { n: by }),
});

const server = new SharedServer({ schema: app });
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

/** A profile whose network can be cut. */
function profile(): { host: MemoryHost; cable: { in: boolean } } {
  const cable = { in: true };
  const host = memory({
    workerTimes: { retry: 20, retryMax: 40, idle: 60_000, socketRetry: 60_000 },
    transport: {
      request: (request) =>
        cable.in ? fetchTransport.request(request) : Promise.reject(new TypeError('no cable')),
    },
  });
  return { host, cable };
}

async function openAs(host: MemoryHost, user: string, more = {}) {
  const db = await open({
    name: 'account',
    schema: app,
    mutators,
    host,
    user,
    scopes: 'all',
    remote: http(`${server.url}/v1`, { token: async () => `dev:${user}` }),
    ...more,
  });
  opened.push(db);
  return db;
}
type Database = Awaited<ReturnType<typeof openAs>>;

/** All rows of a table that the server has for a user. */
async function onServer(user: string, name: string): Promise<{ id: string; n: number }[]> {
  const answer = await fetch(`${server.url}/v1/tables/${name}`, {
    headers: { authorization: `Bearer dev:${user}` },
  });
  const { rows } = (await answer.json()) as {
    rows: { id: string; props: { n: number } }[];
  };
  return rows.map(({ id, props }) => ({ id, ...props }));
}

const settled = (db: Database) => db.sync.waitForSync({ timeoutMs: 20_000 });

/** A user with a counter at 0 that is confirmed, and an inc of 5 that is not. */
async function stuck(user: string) {
  const { host, cable } = profile();
  const db = await openAs(host, user);
  await db.mutate.make(user).confirmed;
  cable.in = false;
  await db.mutate.grow({ id: user, by: 5 }).durable;
  return { host, cable, db };
}

test('an inc counts once if imported while pending, and again when confirmed', async () => {
  const { db, cable } = await stuck('anna');
  const file = await db.export({ pendingOnly: true });
  await db.import(file);
  expect(db.counters.get('anna')?.n).toBe(5);
  cable.in = true;
  await settled(db);
  expect(await onServer('anna', 'counters')).toMatchObject([{ id: 'anna', n: 5 }]);
  await db.import(file);
  await settled(db);
  await db.import(file);
  await settled(db);
  expect(await onServer('anna', 'counters')).toMatchObject([{ id: 'anna', n: 5 }]);
  expect(db.counters.get('anna')?.n).toBe(5);
  expect(db.conflicts.all()).toEqual([]);
});

test('an inc counts once if imported elsewhere and pushed later by the first', async () => {
  const { db, cable } = await stuck('bertil');
  const file = await db.export({ pendingOnly: true });
  const other = await openAs(profile().host, 'bertil');
  await other.sync.now();
  await other.import(file);
  expect(other.counters.get('bertil')?.n).toBe(5);
  await settled(other);
  expect(await onServer('bertil', 'counters')).toMatchObject([{ n: 5 }]);
  cable.in = true;
  await settled(db);
  await settled(other);
  expect(await onServer('bertil', 'counters')).toMatchObject([{ n: 5 }]);
  expect([db.counters.get('bertil')?.n, other.counters.get('bertil')?.n]).toEqual([5, 5]);
  expect([...db.conflicts.all(), ...other.conflicts.all()]).toEqual([]);
});

test('an inc already sent elsewhere, and those behind it, count once each', async () => {
  const { db, cable } = await stuck('cecilia');
  await db.mutate.grow({ id: 'cecilia', by: 10 }).durable;
  const file = await db.export({ pendingOnly: true });
  cable.in = true;
  await settled(db);
  const other = await openAs(profile().host, 'cecilia');
  await other.sync.now();
  // Both are in the log; a new change is in one update with known ones.
  await other.import(file);
  await other.mutate.grow({ id: 'cecilia', by: 100 }).durable;
  await settled(other);
  expect(await onServer('cecilia', 'counters')).toMatchObject([{ n: 115 }]);
  expect(other.counters.get('cecilia')?.n).toBe(115);
});

test('a whole import into another profile of the user doubles nothing', async () => {
  const { db, cable } = await stuck('david');
  const file = await db.export();
  const other = await openAs(profile().host, 'david');
  await other.sync.now();
  await other.mutate.grow({ id: 'david', by: 1 }).confirmed;
  await other.import(file);
  await settled(other);
  cable.in = true;
  await settled(db);
  expect(await onServer('david', 'counters')).toMatchObject([{ title: 'david', n: 6 }]);
});

test('a whole import into an account new to the server creates everything', async () => {
  const local = await open({ name: 'account', schema: app, mutators, host: memory() });
  const made = local.transact((tx) => {
    const list = tx.lists.create({ name: 'L' });
    tx.items.createMany(Array.from({ length: 1500 }, (_, i) => ({ list, title: `${i}` })));
  });
  await made.durable;
  await local.mutate.make('erika').durable;
  await local.mutate.grow({ id: 'erika', by: 3 }).durable;
  const file = await local.export();
  await local.close();
  const db = await openAs(profile().host, 'erika');
  await settled(db);
  await db.import(file);
  await settled(db);
  expect(await onServer('erika', 'items')).toHaveLength(1500);
  expect(await onServer('erika', 'counters')).toMatchObject([{ n: 3 }]);
  expect(db.conflicts.all()).toEqual([]);
});

test('pushes adopted rows once, children with parents, in the user’s realm', async () => {
  const { host } = profile();
  const local = await open({ name: 'account', schema: app, mutators, host });
  // Too much for one update: a child must not be in an earlier one than its parent.
  await local.transact((tx) => {
    const list = tx.lists.create({ name: 'L' });
    tx.items.createMany(Array.from({ length: 1500 }, (_, i) => ({ list, title: `${i}` })));
  }).durable;
  await local.mutate.make('frida').durable;
  await local.mutate.grow({ id: 'frida', by: 3 }).durable;
  await local.close();
  const [db, second] = await Promise.all([
    openAs(host, 'frida', { adoptLocal: true }),
    openAs(host.window(), 'frida', { adoptLocal: true }),
  ]);
  await settled(db);
  expect(await onServer('frida', 'items')).toHaveLength(1500);
  expect(await onServer('frida', 'lists')).toHaveLength(1);
  expect(await onServer('frida', 'counters')).toMatchObject([{ n: 3, id: 'frida' }]);
  expect(db.counters.get('frida')?.realm).toBe('user:frida');
  expect([...db.conflicts.all(), ...second.conflicts.all()]).toEqual([]);
});

test('a second user sees and pushes nothing of the first, whose data wait', async () => {
  const { host, db: gustav, cable } = await stuck('gustav');
  await expect(gustav.logout()).rejects.toMatchObject({ code: 'unsynced', pending: 1 });
  await gustav.logout({ unsynced: 'keep' });
  cable.in = true;
  const hanna = await openAs(host, 'hanna');
  await hanna.mutate.make('hanna').confirmed;
  expect(hanna.counters.all().map(({ id }) => id)).toEqual(['hanna']);
  expect(await onServer('gustav', 'counters')).toMatchObject([{ n: 0 }]);
  const again = await openAs(host.window(), 'gustav');
  expect(again.counters.all()).toMatchObject([{ id: 'gustav', n: 5 }]);
  await settled(again);
  expect(await onServer('gustav', 'counters')).toMatchObject([{ n: 5 }]);
  await again.logout();
  expect(await host.storage.exists('skerry/account/gustav')).toBe(false);
});
