// Goal: a server whose schema has changed serves entries of the previous one to clients of both; a schema that rows
// cannot follow is refused at the start. Method: a real server, stopped and started with other schemas on the same
// data.

import { afterAll, expect, test } from 'vitest';
import { postgresUrl } from './support/database.ts';
import { Nodes } from './support/nodes.ts';
import { testSchema } from './support/schemas.ts';
import {
  Folder,
  type Json,
  post,
  startServer,
  type TestServer,
  WireClient,
} from './support/server.ts';

interface Props {
  readonly name: string;
  enum?: { type: null; values: string[] };
}
type Changed = {
  version: number;
  accepts: number[];
  tables: { name: string; props: Props[] }[];
};

const folder = new Folder();
afterAll(() => folder.remove());

/** Without the table `notices` and the prop `population` of cities, and with these sizes. */
function changedSchema(sizes: string[]): string {
  const schema = structuredClone(testSchema) as unknown as Changed;
  schema.version = 2;
  schema.accepts = [1];
  schema.tables = schema.tables.filter(({ name }) => name !== 'notices');
  const [cities] = schema.tables;
  if (!cities) throw new Error('no cities');
  cities.props = cities.props.filter(({ name }) => name !== 'population');
  const size = cities.props.find(({ name }) => name === 'size');
  if (size) size.enum = { type: null, values: sizes };
  return folder.schema(schema);
}

const realm = 'user:anna';
const scopes = ['cities', 'notices'].map((table) => ({ table, where: ['true'], filled: true }));

/** The same client at a restarted server. */
function at(server: TestServer, client: WireClient): WireClient {
  const again = new WireClient(server.url, client.user);
  return Object.assign(again, { ...client, url: server.url });
}

test('pulls entries of an earlier schema, with own updates and without', async () => {
  let server = await startServer(folder, folder.schema());
  let author = new WireClient(server.url, 'anna');
  let other = new WireClient(server.url, 'anna');
  for (const client of [author, other]) client.scopes = scopes;
  const city = { table: 'cities', id: 'a', realm };
  const rows = new Map<string, Json>();
  const made = await author.push([
    { op: 'create', ...city, set: { name: 'A', population: 5, size: 'm' } },
    { op: 'create', table: 'notices', id: 'n', realm, set: { text: 'one' } },
  ]);
  expect(made).toMatchObject({ status: 'applied' });
  for (const client of [author, other]) await client.sync(rows);
  const update = author.update([
    { op: 'update', ...city, set: { name: 'B', population: 6 } },
    { op: 'inc', ...city, add: { population: 1 } },
    { op: 'delete', table: 'notices', id: 'n', realm },
  ]);
  expect((await author.send([update])).status).toBe(200);
  expect(await server.stop()).toBe(0);

  server = await startServer(folder, changedSchema(['s', 'm', 'l']));
  author = at(server, author);
  other = at(server, other);
  const own = await author.pull({ have: [update.id] });
  expect(own.status).toBe(200);
  expect(Object.keys(own.body.own as Json)).toEqual([update.id]);
  expect(own.body.changes).toEqual([]);
  const all = await other.pull();
  expect(all.status).toBe(200);
  expect(all.body.changes).toMatchObject([{ change: 'update', id: 'a', set: { name: 'B' } }]);
  // A table that is unknown to both is a mistake.
  expect((await other.pull({ schema: 2 })).body).toMatchObject({ code: 'invalid' });
  expect(await server.stop()).toBe(0);
});

test('repeats in a pull the parts of an own update that the schema cannot hold', async () => {
  const server = await startServer(folder, changedSchema(['s', 'm', 'l']));
  const author = new WireClient(server.url, 'anna');
  author.scopes = scopes;
  await author.sync(new Map());
  const update = author.update([
    { op: 'update', table: 'cities', id: 'a', realm, set: { name: 'C', population: 7 } },
    { op: 'create', table: 'notices', id: 'n2', realm, set: { text: 'two' } },
  ]);
  const [result] = (await author.send([update])).body.results as Json[];
  const lost = { dropped: [{ op: 0, props: ['population'] }, { op: 1 }] };
  expect(result).toMatchObject({ status: 'applied', ...lost });
  const { body } = await author.pull({ have: [update.id] });
  expect(body.own).toMatchObject({ [update.id]: { [realm]: lost } });
  expect(await server.stop()).toBe(0);
});

test('refuses to remove a used enum member; pulls entries with an unused one', async () => {
  const refusal = await startServer(folder, changedSchema(['s', 'l'])).then(
    () => '',
    (error: Error) => error.message,
  );
  expect(refusal).toContain('cities.size has no member "m" now');
  let server = await startServer(folder, changedSchema(['s', 'm', 'l']));
  let client = new WireClient(server.url, 'anna');
  client.scopes = scopes.slice(0, 1);
  await client.sync(new Map());
  const late = { ...client.cursors };
  const result = await client.push([
    { op: 'update', table: 'cities', id: 'a', realm, set: { size: 'l' } },
  ]);
  expect(result).toMatchObject({ status: 'applied' });
  expect(await server.stop()).toBe(0);
  // The first start checks the rows, and the second need not.
  for (const _start of ['first', 'second']) {
    server = await startServer(folder, changedSchema(['s', 'l']));
    client = at(server, client);
    client.cursors = late;
    const { status, body } = await client.pull();
    expect(status).toBe(200);
    expect(body.changes).toMatchObject([{ change: 'update', id: 'a', set: { size: 'l' } }]);
    expect(await server.stop()).toBe(0);
  }
});

/** The schema of a release: `todos` with these props beside `text`. */
function todos(version: number, props: object[]): unknown {
  const text = { name: 'text', type: 'string', optional: false };
  return {
    version,
    accepts: Array.from({ length: version - 1 }, (_, i) => i + 1),
    tables: [{ name: 'todos', ids: 'string', props: [...props, text] }],
  };
}
const prio = (value: number) => ({ name: 'prio', type: 'number', optional: false, default: value });
const inTodos = (op: string, id: string, more: Json) => ({
  op,
  table: 'todos',
  id,
  realm,
  ...more,
});

function clientOf(server: TestServer, schema: number): WireClient {
  const client = new WireClient(server.url, 'anna');
  client.scopes = [{ table: 'todos', where: ['true'], filled: true }];
  const { request } = client;
  client.request = (more) => request.call(client, { schema, ...more });
  return client;
}

async function tables(server: TestServer): Promise<unknown> {
  const { body } = await post(server.url, '/v1/tables/todos', {}, clientOf(server, 1).headers);
  return Object.fromEntries(
    (body.rows as { id: string; props: Json }[]).map(({ id, props }) => [id, props.prio]),
  );
}

test('an older release serves the newest schema with its defaults', async () => {
  const data = ['--dev', '--data', `${folder.path}/taken-back`];
  const nodes = postgresUrl === undefined ? null : new Nodes();
  const env = nodes === null ? {} : { DATABASE_URL: await nodes.databaseUrl() };
  const start = (schema: unknown) =>
    startServer(folder, folder.schema(schema), { args: data, env });
  const create = (id: string) => inTodos('create', id, { set: { text: id } });
  let server = await start(todos(1, []));
  let author = clientOf(server, 1);
  expect(await author.push([create('before')])).toMatchObject({ status: 'applied' });
  expect(await server.stop()).toBe(0);

  server = await start(todos(2, [prio(3)]));
  expect(server.output()).not.toContain('version');
  expect(await tables(server)).toEqual({ before: 3 });
  expect(await server.stop()).toBe(0);

  server = await start(todos(1, [{ name: 'old', type: 'string', optional: false }]));
  expect(
    server
      .output()
      .match(/has been served with version 2 of the schema; this server has version 1/g),
  ).toHaveLength(1);
  author = at(server, author);
  expect(await author.push([create('after')])).toMatchObject({ status: 'applied' });
  expect(await author.push([inTodos('update', 'after', { set: { old: 'known' } })])).toMatchObject({
    status: 'applied',
  });
  expect(await server.stop()).toBe(0);

  server = await start(todos(2, [prio(3)]));
  const [counting, reading] = [clientOf(server, 2), clientOf(server, 2)];
  const rows = new Map<string, Json>();
  await counting.sync(rows);
  const update = counting.update([inTodos('inc', 'after', { add: { prio: 1 } })]);
  expect((await counting.send([update], { schema: 2 })).status).toBe(200);
  // The client's own incs are not sent to it: it has 4 by its own fold.
  expect((await counting.pull({ have: [update.id] })).body.changes).toEqual([]);
  const found = new Map<string, Json>();
  await reading.sync(found);
  expect(found.get(`${realm} todos after`)).toMatchObject({ prio: 4 });
  expect(await tables(server)).toEqual({ before: 3, after: 4 });
  expect(await server.stop()).toBe(0);
  await nodes?.remove();
});

test.runIf(postgresUrl !== undefined)(
  "an older node restarts with a newer node's schema before it answers or writes",
  async () => {
    const nodes = new Nodes();
    const env = { DATABASE_URL: await nodes.databaseUrl() };
    const start = (schema: unknown, place: number) =>
      startServer(nodes.folder, nodes.folder.schema(schema), {
        args: ['--dev', '--data', `${nodes.folder.path}/${place}`],
        env,
      });
    const old = await start(todos(1, []), 0);
    const author = clientOf(old, 1);
    expect(await author.push([inTodos('create', 'a', { set: { text: 'a' } })])).toMatchObject({
      status: 'applied',
    });
    const fresh = await start(todos(2, [prio(3)]), 1);
    const newer = clientOf(fresh, 2);
    expect(
      (
        await newer.send([newer.update([inTodos('update', 'a', { set: { prio: 9 } })])], {
          schema: 2,
        })
      ).status,
    ).toBe(200);
    // The same bytes again, as clients do, until they are accepted.
    const update = author.update([inTodos('update', 'a', { set: { text: 'b' } })]);
    let refused = 0;
    await expect
      .poll(async () => {
        const status = await author.send([update]).then(
          (answer) => answer.status,
          () => 0,
        );
        if (status !== 200) refused++;
        return status;
      })
      .toBe(200);
    expect(refused).toBeGreaterThan(0);
    const [entry] = await nodes.sql(
      `select before -> 'props' ->> 'prio' as prio from skerry.change where table_name = 'todos' order by revision desc limit 1`,
    );
    expect(entry).toEqual({ prio: '9' });
    expect(await tables(old)).toEqual({ a: 9 });
    expect(await (await fetch(`${old.url}/v1/health`)).json()).toMatchObject({ schema: 2 });
    expect(old.output()).toContain('Another node serves a newer schema');
    for (const node of [old, fresh]) expect(await node.stop()).toBe(0);
    await nodes.remove();
  },
);
