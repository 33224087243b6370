// Goal: a server whose schema has changed serves what was logged under the one before, to clients of both; what rows cannot
// follow is refused at its start. Method: a real server, stopped and started with other schemas on the same data.

import { afterAll, expect, test } from 'vitest';
import { testSchema } from './support/schemas.ts';
import { Folder, type Json, startServer, type TestServer, WireClient } from './support/server.ts';

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

/** The same client at a server that was started anew. */
function at(server: TestServer, client: WireClient): WireClient {
  const again = new WireClient(server.url, client.user);
  return Object.assign(again, { ...client, url: server.url });
}

test('what was logged under a former schema is pulled, with own updates and without', async () => {
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

test('a member that rows have cannot be removed; when none has, what was logged with it is pulled', async () => {
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
  // The last one to look at the rows, and one that need not.
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
