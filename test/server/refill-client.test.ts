// The package's own client, on a memory host, against the real server: one entry that no answer can hold stops it no longer.
// It keeps what it shows, comes to hold all rows, and goes on with what happens later.
import { defineMutators, http, open, type SyncStatus, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  Folder,
  type Json,
  startServer,
  type TestServer,
  uuid7,
  WireClient,
} from './support/server.ts';

const app = schema(
  {
    notes: table({ title: t.string(), group: t.ref('groups', { onDelete: 'cascade' }).optional() }),
    groups: table({ name: t.string() }),
    others: table({ name: t.string() }),
  },
  { version: 1 },
);
const mutators = defineMutators(app, {
  remove: (tx, group: string) => tx.groups.delete(group),
});

const folder = new Folder();
let server: TestServer;

beforeAll(async () => {
  server = await startServer(folder, folder.schema(app));
});
afterAll(async () => {
  await server?.stop();
  folder.remove();
});

const openAs = (user: string) =>
  open({
    name: 'refill',
    schema: app,
    mutators,
    host: memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport: fetchTransport,
    }),
    user,
    scopes: 'all',
    remote: http(`${server.url}/v1`, { token: async () => `dev:${user}` }),
  });

const create = (tableName: string, set: Json, id = uuid7()) => ({
  op: 'create',
  table: tableName,
  id,
  realm: 'public',
  set,
});

test('a client that meets an entry too large for an answer shows what it has until all of it is there, and goes on', async () => {
  const writer = new WireClient(server.url, 'writer');
  const group = uuid7();
  await writer.push([create('groups', { name: 'g' }, group), create('others', { name: 'o' })]);
  await writer.push([create('notes', { title: 'first', group })]);
  const db = await openAs('reader');
  try {
    await expect.poll(() => [db.notes.count(), db.others.count()]).toEqual([1, 1]);
    const statuses: SyncStatus[] = [];
    const counts: number[] = [];
    db.sync.subscribe((status) => statuses.push(status));
    db.notes.liveCount().subscribe((count) => counts.push(count));
    const title = 'x'.repeat(640);
    const large = await writer.push(
      Array.from({ length: 9_900 }, () => create('notes', { title, group })),
    );
    expect(large).toMatchObject({ status: 'applied' });
    await db.sync.now();
    await expect.poll(() => db.notes.count()).toBe(9_901);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(statuses.filter(({ error, phase }) => error !== null || phase === 'blocked')).toEqual(
      [],
    );
    expect(statuses.some(({ phase }) => phase === 'filling')).toBe(true);
    await writer.push([create('notes', { title: 'later' }), create('others', { name: 'later' })]);
    await db.sync.now();
    await expect.poll(() => [db.notes.count(), db.others.count()]).toEqual([9_902, 2]);
    // Its own entry deletes them all again, by cascade.
    await db.mutate.remove(group).confirmed;
    await expect.poll(() => db.notes.count()).toBe(1);
    await expect.poll(() => db.sync.status.phase).toBe('idle');
    expect(db.sync.status).toMatchObject({ pending: 0, conflicts: 0, error: null });
  } finally {
    await db.close();
  }
}, 90_000);
