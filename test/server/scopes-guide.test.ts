// The examples of docs/guide/scopes.md, as they stand there: what a device then holds is what the page says. Method: the package's own
// clients on memory hosts, against the real server.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    documents: table({ title: t.string(), owner: t.string().index() }),
    events: table({ document: t.ref('documents', { onDelete: 'cascade' }), what: t.string() }),
    shares: table({ document: t.ref('documents', { onDelete: 'cascade' }), user: t.string() }),
    settings: table({ color: t.string() }),
  },
  { version: 1 },
);
const server = new SharedServer({ schema: app, args: ['--dev'] });
const user = 'ada';
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

/** `open`, as the page calls it. */
async function openDevice(options: object) {
  const host = memory({ workerTimes: { retry: 20, retryMax: 40 }, transport: fetchTransport });
  const db = await open({ name: 'journal', schema: app, ...options, host });
  opened.push(db);
  return db;
}
type Db = Awaited<ReturnType<typeof openDevice>>;

const [whole = '', part = '', filter = ''] = [
  ...readFileSync(join(import.meta.dirname, '../../docs/guide/scopes.md'), 'utf8').matchAll(
    /```ts\n([\s\S]*?)```/g,
  ),
].map((found) => found[1]);

/** A device that is opened by an example. */
async function example(code: string): Promise<Db> {
  const remote = http(`${server.url}/v1`, { token: async () => `dev:${user}` });
  const names = ['open', 'app', 'user', 'remote'];
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  const run = new AsyncFunction(...names, `${code}\nreturn db;`);
  return (await run(openDevice, app, user, remote)) as Db;
}
const withScopes = (scopes: string) =>
  example(`const db = await open({ name: 'journal', schema: app, user, remote, ${scopes} });`);

const titles = (db: Db) =>
  db.documents
    .all()
    .map(({ title }) => title)
    .sort();
const whats = (db: Db) =>
  db.events
    .all()
    .map(({ what }) => what)
    .sort();

test('the examples of the guide hold the rows it names, and follow changes', async () => {
  const writer = await withScopes(`scopes: 'all'`);
  const { result: mine } = writer.transact((tx) => {
    tx.settings.create({ color: 'dark' });
    const [a, b] = [
      tx.documents.create({ title: 'mine', owner: 'ada' }),
      tx.documents.create({ title: 'his', owner: 'bo' }),
    ];
    tx.documents.create({ title: 'his own', owner: 'bo' });
    tx.events.create({ document: a, what: 'mine was read' });
    tx.events.create({ document: b, what: 'his was read' });
    tx.shares.create({ document: b, user: 'ada' });
    return a;
  });
  await writer.sync.waitForSync({ timeoutMs: 20_000 });

  const journal = await example(whole);
  await journal.sync.waitForSync({ timeoutMs: 20_000 });
  expect([titles(journal), journal.settings.count(), whats(journal)]).toEqual([['mine'], 1, []]);

  const events = await withScopes(part);
  await events.sync.waitForSync({ timeoutMs: 20_000 });
  expect([whats(events), titles(events)]).toEqual([['mine was read'], ['mine']]);
  writer.transact((tx) => tx.documents.update(mine, { owner: 'bo' }));
  await writer.sync.waitForSync({ timeoutMs: 20_000 });
  await events.sync.waitForSync({ timeoutMs: 20_000 });
  expect([whats(events), titles(events)]).toEqual([[], []]);

  const shared = await withScopes(`scopes: (q) => [${filter}]`);
  await shared.sync.waitForSync({ timeoutMs: 20_000 });
  expect(titles(shared)).toEqual(['his']);
  const { ready } = shared.sync.scope(shared.settings);
  await ready;
  expect(shared.settings.count()).toBe(1);
});
