/**
 * A hostile server and a hostile neighbour: answers that are none, records and messages that another script of the origin
 * has written. The database keeps answering, the status says what is wrong, and when all is sane again everything is in
 * step and nothing that was pending is lost. The cores' decoders are tested by themselves in test/fuzz.
 */
import { http } from 'skerry';
import { type MemoryHost, type MemoryResponse, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { type App, collectUncaught, fresh, turn, until } from './support.ts';
import { dice, nonsense, twistAnswer } from './twist.ts';

vi.setConfig({ testTimeout: 60_000 });

const database = 'skerry/test/local';
const times = { beat: 50, look: 50, timeout: 250, retry: 5, retryMax: 10, idle: 60_000 };

function world(): { host: MemoryHost; server: FakeServer } {
  const host = memory({ workerTimes: times });
  return { host, server: new FakeServer(host.network) };
}

function connect(host: MemoryHost): Promise<App> {
  return fresh(host, {
    remote: http('http://server.test/v1'),
    scopes: 'all',
    defaultRealm: 'public',
  });
}

/** Every answer on its way is changed while `hostile` says so. */
function standBetween(host: MemoryHost, twist: (honest: MemoryResponse) => MemoryResponse) {
  const { network } = host;
  const honest = network.respond;
  const between = { hostile: false, twisted: 0 };
  network.respond = async (request) => {
    const answer = await honest(request);
    if (!between.hostile) return answer;
    between.twisted++;
    return twist(answer);
  };
  return between;
}

const idsOf = (server: FakeServer) =>
  server.log.flatMap(({ update }) => update.ops.map(({ id }) => id)).sort();

test('malformed answers are reported, and leave no harm when the server is sane again', async () => {
  const { host, server } = world();
  const random = dice(15);
  const between = standBetween(host, (honest) => twistAnswer(honest, random));
  const db = await connect(host);
  const made: string[] = [];
  await collectUncaught(async (uncaught) => {
    for (let round = 0; round < 12; round++) {
      between.hostile = true;
      const before = between.twisted;
      const id = `city-${round}`;
      made.push(id);
      const mutation = db.mutate.addCity({ id, name: 'A' });
      await mutation.durable;
      await until(() => between.twisted > before + 3 && db.sync.status.error !== null);
      expect(db.sync.status.error?.message).toBeTruthy();
      expect(typeof db.sync.status.error?.code).toBe('string');
      expect(db.cities.get(id)?.name).toBe('A');
      server.write([
        { op: 'create', table: 'cities', id: `other-${round}`, set: { name: 'B', country: 'SE' } },
      ]);
      between.hostile = false;
      void db.sync.now().catch(() => {});
      await mutation.confirmed;
      await until(() => db.cities.get(`other-${round}`) !== undefined);
    }
    await until(() => db.sync.status.phase === 'idle' && db.sync.status.pending === 0);
    expect(uncaught).toEqual([]);
  });
  expect(db.sync.status.error).toBeNull();
  expect(db.conflicts.all()).toEqual([]);
  for (const id of made) expect(idsOf(server).filter((other) => other === id)).toEqual([id]);
});

/** The records of a store, as another script of the origin reaches them. */
function recordsOf(host: MemoryHost, store: string): Map<string | number, unknown> {
  const records = host.storage.find(database)?.stores.get(store)?.records;
  if (!records) throw new Error(`There is no store ${store}.`);
  return records;
}

const stores = ['mutations', 'outbox', 'updates', 'conflicts'] as const;

test('records that another script has written between two sessions harm nothing else', async () => {
  const { host, server } = world();
  const first = await connect(host);
  await first.mutate.addCity({ id: 'kept', name: 'kept' }).confirmed;
  await first.close();
  for (const value of nonsense()) {
    host.network.online = false;
    const before = await connect(host);
    const pending = `pending-${server.head}`;
    await before.mutate.addCity({ id: pending, name: 'pending' }).durable;
    await before.close();
    for (const store of stores) {
      // Under keys beyond ours, so that none of ours is replaced.
      recordsOf(host, store).set(store === 'outbox' ? 'zzz' : 5000, value);
    }
    for (const key of ['push', 'service', 'token', 'image', 'other'])
      recordsOf(host, 'sync').set(key, structuredClone(value));
    host.network.online = true;
    await collectUncaught(async (uncaught) => {
      const db = await connect(host);
      expect(db.cities.get('kept')?.name).toBe('kept');
      expect(db.cities.get(pending)?.name).toBe('pending');
      await until(() => idsOf(server).includes(pending) || db.sync.status.error !== null);
      for (const entry of db.conflicts.all()) await db.conflicts.resolve(entry.id, 'discard');
      await db.close();
      expect(uncaught).toEqual([]);
    });
    for (const store of stores) recordsOf(host, store).delete(store === 'outbox' ? 'zzz' : 5000);
    for (const key of ['push', 'service', 'token', 'image', 'other'])
      recordsOf(host, 'sync').delete(key);
    const db = await connect(host);
    await until(() => idsOf(server).includes(pending));
    await until(() => db.sync.status.pending === 0 && db.cities.get(pending) !== undefined);
    await db.close();
  }
});

test('a record `sync` that another script replaced is made again, and all data return', async () => {
  const { host, server } = world();
  // A version above ours is a newer application's: it is left alone, and that is reported.
  const values = nonsense().filter((value) => (value as { v?: unknown } | null)?.v !== 2);
  for (const value of values) {
    const before = await connect(host);
    const made = `city-${server.head}`;
    await before.mutate.addCity({ id: made, name: 'A' }).confirmed;
    host.network.online = false;
    const pending = `pending-${server.head}`;
    await before.mutate.addCity({ id: pending, name: 'P' }).durable;
    await before.close();
    recordsOf(host, 'sync').set('sync', value);
    host.network.online = true;
    const db = await connect(host);
    await until(() => idsOf(server).includes(pending));
    await until(() => db.cities.get(made) !== undefined && db.sync.status.pending === 0);
    expect(recordsOf(host, 'sync').get('sync')).not.toEqual(value);
    await db.close();
  }
});

test('messages that another script sends are none, and what is valid goes on', async () => {
  const { host, server } = world();
  const [one, two] = [await connect(host), await connect(host.window())];
  const neighbour = host.channels.open(database, () => {});
  await collectUncaught(async (uncaught) => {
    for (const [i, value] of nonsense().entries()) {
      neighbour.post(value);
      await turn();
      await one.mutate.addCity({ id: `m-${i}`, name: 'M' }).confirmed;
      await until(() => two.cities.get(`m-${i}`) !== undefined);
    }
    expect(uncaught).toEqual([]);
  });
  expect(server.head).toBe(nonsense().length);
  neighbour.close();
});
