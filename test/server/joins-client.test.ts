// Goal: the package's own client holds the rows of a scope with `related` or `exists`, live, and so does its storage.
// Method: clients on memory hosts against the real server; a cold start without a network shows what is stored.
import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { expect, test } from 'vitest';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    documents: table({ owner: t.string(), title: t.string().default('') }),
    events: table({ document: t.ref('documents', { onDelete: 'cascade' }), text: t.string() }),
    shares: table({ document: t.ref('documents', { onDelete: 'cascade' }), user: t.string() }),
  },
  { version: 1 },
);
const server = new SharedServer({ schema: app });

const newHost = () =>
  memory({
    workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
    transport: fetchTransport,
  });

function openAs(user: string, host: MemoryHost, url = server.url) {
  return open({
    name: 'joins',
    schema: app,
    host,
    user,
    scopes: (q) => [
      q.events.where((b) => b.related('document', (d) => d.where('owner', '=', user))),
      q.documents.where((b) => b.exists('shares', (s) => s.where('user', '=', user))),
    ],
    remote: http(`${url}/v1`, { token: async () => `dev:${user}` }),
  });
}

const create = (name: string, set: Json, id = uuid7()) => ({
  ...{ op: 'create', table: name, id, realm: 'public' },
  set,
});
const update = (name: string, id: string, set: Json) => ({
  ...{ op: 'update', table: name, id, realm: 'public' },
  set,
});

test('rows come and go with rows that they depend on, in queries and in storage', async () => {
  const writer = new WireClient(server.url, 'writer');
  const [mine, shared, other] = [uuid7(), uuid7(), uuid7()];
  const share = uuid7();
  await writer.push([
    create('documents', { owner: 'reader' }, mine),
    create('documents', { owner: 'x' }, shared),
    create('documents', { owner: 'x' }, other),
    create('shares', { document: shared, user: 'reader' }, share),
    create('events', { document: mine, text: 'mine' }),
    create('events', { document: shared, text: 'shared' }),
  ]);
  const host = newHost();
  const db = await openAs('reader', host);
  const shown = () => [
    db.documents.ids(),
    db.events
      .orderBy('text')
      .all()
      .map(({ text }) => text),
  ];
  const show = (wanted: unknown) =>
    expect
      .poll(async () => {
        await db.sync.now();
        return shown();
      })
      .toEqual(wanted);
  await show([[mine, shared].sort(), ['mine']]);
  const heard: string[] = [];
  db.events.subscribe((rows) => heard.push(rows.map(({ text }) => text).join()));
  // Both sides of a scope change, in one update and by themselves.
  await writer.push([update('documents', shared, { owner: 'reader' })]);
  await show([[mine, shared].sort(), ['mine', 'shared']]);
  await writer.push([
    update('documents', mine, { owner: 'x' }),
    create('events', { document: shared, text: 'third' }),
  ]);
  await show([[shared], ['shared', 'third']]);
  // Own changes of inner rows: the rest is the server's answer.
  await db.transact((tx) => tx.documents.update(shared, { owner: 'x' })).confirmed;
  await show([[shared], []]);
  await writer.push([{ op: 'delete', table: 'shares', id: share, realm: 'public' }]);
  await show([[], []]);
  expect(heard.at(-1)).toBe('');
  expect(db.sync.status).toMatchObject({ pending: 0, conflicts: 0, error: null });
  await db.close();
  // Nothing answers at this address.
  const cold = await openAs('reader', host, 'http://127.0.0.1:1');
  expect([cold.documents.count(), cold.events.count(), cold.shares.count()]).toEqual([0, 0, 0]);
  await cold.close();
});
