// Goal: several nodes on one PostgreSQL act as one server: they start together, serve each other's images, and keep
// order, exactly once and gap-free revisions between them. Method: real nodes, and clients that use all of them at
// once.

import { createHash } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { clientAt, Nodes } from '../support/nodes.ts';
import { type Json, uuid7, WireClient } from '../support/server.ts';

const nodes = new Nodes();
afterAll(() => nodes.remove());

const kSeedRows = 5_678;
const seed = nodes.folder.file(
  'seed.mjs',
  `export default function* () {
     for (let i = 0; i < ${kSeedRows}; i++) {
       yield { table: 'cities', id: 'city-' + i, realm: 'public', set: { name: 'City ' + i } };
     }
   }`,
);

async function urls(): Promise<[string, string]> {
  if (nodes.running.length === 0) {
    // Together, on a database without a single table.
    await Promise.all([0, 1].map((n) => nodes.start(n, { args: ['--seed', seed] })));
  }
  return nodes.running.map(({ url }) => url) as [string, string];
}

const scopes = ['cities', 'userGroups', 'members', 'notices'].map((table) => ({
  table,
  where: ['true'],
  filled: false,
}));

async function offered(client: WireClient): Promise<Json> {
  client.scopes = scopes;
  const { status, body } = await client.pull();
  expect(status).toBe(200);
  const [offer] = body.fills as [Json];
  expect(offer).toMatchObject({ realm: 'public' });
  return offer;
}

test('nodes that start together on an empty database seed each row once', async () => {
  const [first, second] = await urls();
  for (const url of [first, second]) {
    expect((await (await fetch(`${url}/v1/health`)).json()) as Json).toMatchObject({
      status: 'ok',
    });
  }
  const [row] = await nodes.sql(
    `select (select count(*) from public.cities)::text as rows,
            (select rows from skerry.realm where realm = 'public')::text as counted,
            (select value from skerry.meta where key = 'seed') as seed`,
  );
  const done = JSON.stringify({ rows: kSeedRows, done: true });
  expect(row).toEqual({ rows: `${kSeedRows}`, counted: `${kSeedRows}`, seed: done });
});

test('fetches an image that one node offered from the other', async () => {
  const [first, second] = await urls();
  const client = new WireClient(first);
  const image = await offered(client);
  const digests = await Promise.all(
    [second, second, first].map(async (url) => {
      const response = await fetch(url + String(image.url), { headers: client.headers });
      expect(response.status).toBe(200);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(bytes.byteLength).toBe(image.bytes);
      return createHash('sha256').update(bytes).digest('hex');
    }),
  );
  expect(new Set(digests).size).toBe(1);
  // The other node offers it, too, and does not make one of its own.
  expect(await offered(new WireClient(second, 'bert'))).toEqual(image);
  const wrong = String(image.url).replace(/[0-9a-f]+$/, '0'.repeat(16));
  const answer = await fetch(second + wrong, { headers: client.headers });
  expect(answer.status).toBe(404);
});

test('pushes through two nodes are exactly once, in order, without a gap', async () => {
  const both = await urls();
  const setup = new WireClient(both[0]);
  const total = uuid7();
  const cities = { table: 'cities', realm: 'public' };
  const created = await setup.push([
    { op: 'create', ...cities, id: total, set: { name: 'total', population: 0 } },
  ]);
  const from = Number((created.revisions as Json).public);
  const [kClients, kUpdates] = [8, 25];
  const pushed = await Promise.all(
    Array.from({ length: kClients }, async (_, n) => {
      const client = new WireClient(both[0], `both-${n}`);
      const revisions: number[] = [];
      for (let i = 0; i < kUpdates; i++) {
        const update = client.update([{ op: 'inc', ...cities, id: total, add: { population: 1 } }]);
        // The same update to both nodes at once, like a client that stopped waiting too early.
        const answers = await Promise.all(both.map((url) => clientAt(client, url).send([update])));
        const results = answers.map(({ status, body }) => {
          expect(status).toBe(200);
          return (body.results as [Json])[0];
        }) as [Json, Json];
        expect(results.map(({ status }) => status).sort()).toEqual(['applied', 'duplicate']);
        expect(results[0].revisions).toEqual(results[1].revisions);
        revisions.push(Number((results[0].revisions as Json).public));
      }
      return revisions;
    }),
  );
  for (const revisions of pushed) expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  const all = pushed.flat().sort((a, b) => a - b);
  expect(all).toEqual(Array.from({ length: kClients * kUpdates }, (_, i) => from + 1 + i));
  const [row] = await nodes.sql(
    `select population::text as population, (select head from skerry.realm where realm = 'public')::text as head
       from public.cities where id = '${total}'`,
  );
  expect(row).toEqual({
    population: `${kClients * kUpdates}`,
    head: `${from + kClients * kUpdates}`,
  });
});

test('applies both of two concurrent creates of an id in two realms on two nodes', async () => {
  const [first, second] = await urls();
  const clients = [new WireClient(first, 'ivan'), new WireClient(second, 'jane')];
  for (let round = 0; round < 30; round++) {
    const id = uuid7();
    const results = await Promise.all(
      clients.map((client) =>
        client.push([
          { op: 'create', table: 'cities', id, realm: `user:${client.user}`, set: { name: 'x' } },
        ]),
      ),
    );
    expect(results.map(({ status }) => status)).toEqual(['applied', 'applied']);
  }
});
