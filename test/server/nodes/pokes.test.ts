// Goal: a client of one node is poked for pushes to another, as if they were one server. Method: two real nodes on
// one PostgreSQL, with notifications, with their connection cut, and without.

import { afterAll, afterEach, expect, test } from 'vitest';
import { listenAt, terminateAll } from '../support/ear.ts';
import { Nodes } from '../support/nodes.ts';
import { type Json, uuid7, WireClient } from '../support/server.ts';

const nodes = new Nodes();
const silent = new Nodes();
afterEach(terminateAll);
afterAll(async () => {
  await nodes.remove();
  await silent.remove();
});

const isPoke = ({ type }: Json) => type === 'poke';
const create = (table: string, realm = 'public') => ({
  op: 'create',
  table,
  id: uuid7(),
  realm,
  set: table === 'cities' ? { name: 'x' } : {},
});
const revisionOf = (result: Json, realm = 'public') => (result.revisions as Json)[realm];

async function two(of: Nodes, args: readonly string[] = []): Promise<[string, string]> {
  const [a, b] = await Promise.all([
    of.running[0] ?? of.start(0, { args }),
    of.running[1] ?? of.start(1, { args }),
  ]);
  return [a.url, b.url];
}

test('a push to one node pokes permitted clients of the other, once', async () => {
  const [first, second] = await two(nodes);
  const author = new WireClient(second, 'owner');
  const ears = {
    witness: await listenAt(first, 'owner', ['cities']),
    near: await listenAt(second, 'owner', ['cities']),
    stranger: await listenAt(first, 'stranger', ['cities']),
    otherTable: await listenAt(first, 'owner', ['userGroups']),
    // The author's own client, connected elsewhere.
    own: await listenAt(first, 'owner', ['cities'], author.id),
  };
  await author.push([create('cities', 'user:owner')]);
  await ears.witness.hears(isPoke);
  await ears.near.hears(isPoke);
  // A poke for all of them shows that nothing else came before it.
  const last = await new WireClient(second, 'owner').push([create('notices')]);
  for (const ear of Object.values(ears)) {
    await ear.hears(({ type, realm }) => type === 'poke' && realm === 'public');
  }
  const personal = {
    type: 'poke',
    realm: 'user:owner',
    revision: 1,
    tables: ['cities'],
    streams: [],
  };
  const notice = { ...personal, realm: 'public', revision: revisionOf(last), tables: ['notices'] };
  expect(ears.witness.pokes()).toEqual([personal, notice]);
  expect(ears.near.pokes()).toEqual([personal, notice]);
  for (const ear of [ears.stranger, ears.otherTable, ears.own]) {
    expect(ear.pokes()).toEqual([notice]);
  }
});

test('pushes to both nodes poke once for every change', async () => {
  const [first, second] = await two(nodes);
  const ears = [
    await listenAt(first, 'dora', ['cities']),
    await listenAt(second, 'dora', ['cities']),
  ];
  const clients = [first, second, first, second].map((url) => new WireClient(url));
  const results = await Promise.all(
    clients.map(async (client) => {
      const revisions: number[] = [];
      for (let i = 0; i < 15; i++) {
        revisions.push(Number(revisionOf(await client.push([create('cities')]))));
      }
      return revisions;
    }),
  );
  const last = Math.max(...results.flat());
  for (const ear of ears) {
    await ear.hears(({ revision }) => revision === last);
    const heard = ear.pokes().map(({ revision }) => Number(revision));
    expect(new Set(heard).size).toBe(heard.length);
  }
});

test('a node whose connection was cut listens again, and catches up', async () => {
  const [first, second] = await two(nodes);
  const ear = await listenAt(first, 'emil', ['cities']);
  const client = new WireClient(second);
  const cutThem = () =>
    nodes.sql(
      `select pg_terminate_backend(pid) as done from pg_stat_activity
        where datname = current_database() and (query like 'listen %' or query like '%pg_notify%')
          and pid <> pg_backend_pid()`,
    );
  for (let cut = 0; cut < 5; cut++) {
    // A poll may have brought the last poke before they were connected again.
    await expect.poll(async () => (await cutThem()).length).toBeGreaterThan(0);
    const revision = revisionOf(await client.push([create('cities')]));
    await ear.hears((message) => Number(message.revision) >= Number(revision));
  }
});

test('polls heads without notifications', async () => {
  const [first, second] = await two(silent, ['--no-notify']);
  const ear = await listenAt(first, 'fred', ['cities']);
  const result = await new WireClient(second).push([create('cities')]);
  await ear.hears(({ revision }) => revision === revisionOf(result));
  const listening = await silent.sql(
    `select 1 from pg_stat_activity where datname = current_database() and query like 'listen %'`,
  );
  expect(listening).toEqual([]);
});
