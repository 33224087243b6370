// Goal: an entry too large for an answer does not stop a client: it keeps what it shows, receives all rows, and
// continues with later changes. Method: the package's own client, on a memory host, against the real server.
import { defineMutators, http, open, type SyncStatus, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { expect, test } from 'vitest';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    notes: table({
      title: t.string(),
      n: t.number().default(0),
      group: t.ref('groups', { onDelete: 'cascade' }).optional(),
    }),
    groups: table({ name: t.string() }),
    others: table({ name: t.string() }),
  },
  { version: 1 },
);
const mutators = defineMutators(app, {
  remove: (tx, group: string) => tx.groups.delete(group),
});

const server = new SharedServer({ schema: app });

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

test('a client shows its rows until an entry too large for an answer is complete', async () => {
  const writer = new WireClient(server.url, 'writer');
  const group = uuid7();
  await writer.push([create('groups', { name: 'g' }, group), create('others', { name: 'o' })]);
  const notes = Array.from({ length: 14 }, () => uuid7());
  const title = 'x'.repeat(640_000);
  for (const some of [notes.slice(0, 7), notes.slice(7)])
    await writer.push(some.map((id) => create('notes', { title, group }, id)));
  const db = await openAs('reader');
  try {
    await expect.poll(() => [db.notes.count(), db.others.count()]).toEqual([14, 1]);
    const statuses: SyncStatus[] = [];
    const counts: number[] = [];
    db.sync.subscribe((status) => statuses.push(status));
    db.notes.liveCount().subscribe((count) => counts.push(count));
    await writer.push(
      notes.map((id) => ({ op: 'inc', table: 'notes', id, realm: 'public', add: { n: 1 } })),
    );
    await db.sync.now();
    await expect.poll(() => db.notes.all().filter(({ n }) => n === 1).length).toBe(14);
    expect(new Set(counts)).toEqual(new Set([14]));
    expect(statuses.filter(({ error, phase }) => error !== null || phase === 'blocked')).toEqual(
      [],
    );
    expect(statuses.some(({ phase }) => phase === 'filling')).toBe(true);
    await writer.push([create('notes', { title: 'later' }), create('others', { name: 'later' })]);
    await db.sync.now();
    await expect.poll(() => [db.notes.count(), db.others.count()]).toEqual([15, 2]);
    // And an entry of its own, which deletes rows that it does not name.
    await writer.push(
      notes.map((id) => ({ op: 'inc', table: 'notes', id, realm: 'public', add: { n: 1 } })),
    );
    await db.mutate.remove(group).confirmed;
    await expect.poll(() => [db.notes.count(), db.groups.count()]).toEqual([1, 0]);
    await expect.poll(() => db.sync.status.phase).toBe('idle');
    expect(db.sync.status).toMatchObject({ pending: 0, conflicts: 0, error: null });
  } finally {
    await db.close();
  }
});
