// Goal: clients of every node hear of what other programs write, within a second, and only those concerned; a table whose triggers were
// disabled can be logged afterwards. Method: two real nodes on one PostgreSQL, and a connection beside them.

import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import { ForeignEntries } from '../../../server/src/poke/foreign-entries.ts';
import { patience } from '../../support/patience.ts';
import { connectInTest } from '../support/database.ts';
import { listenAt, terminateAll } from '../support/ear.ts';
import { Follower } from '../support/follower.ts';
import { Nodes } from '../support/nodes.ts';
import type { Json } from '../support/server.ts';

const nodes = new Nodes();
const tables = ['cities', 'userGroups', 'members', 'notices'];
let urls: string[] = [];
beforeAll(async () => {
  urls = (await Promise.all([nodes.start(0), nodes.start(1)])).map(({ url }) => url);
});
afterEach(terminateAll);
afterAll(() => nodes.remove());

const isPoke = ({ type }: Json) => type === 'poke';

test('a write pokes clients of all nodes within a second', async () => {
  const ears = {
    first: await listenAt(urls[0] as string, 'ada', ['cities']),
    second: await listenAt(urls[1] as string, 'bo', ['cities']),
    otherTable: await listenAt(urls[0] as string, 'ada', ['userGroups']),
  };
  const stranger = await listenAt(urls[1] as string, 'eve', ['cities']);
  await nodes.sql(`insert into cities (realm, id, name) values ('user:ada', 'own', 'x')`);
  const began = performance.now();
  await ears.first.hears(isPoke);
  expect(performance.now() - began).toBeLessThan(patience(1_000));
  await nodes.sql(`insert into notices (realm, id, text) values ('public', 'all', 'x')`);
  for (const ear of [...Object.values(ears), stranger]) {
    await ear.hears((message) => isPoke(message) && message.realm === 'public');
  }
  expect(stranger.pokes().map(({ realm }) => realm)).toEqual(['public']);
  expect(ears.otherTable.pokes().map(({ realm }) => realm)).toEqual(['public']);
  expect(ears.second.pokes().map(({ realm }) => realm)).toEqual(['public']);
});

test('a transaction that was open long is heard of when it ends', async () => {
  const ear = await listenAt(urls[0] as string, 'ada', ['cities']);
  const program = await connectInTest(await nodes.databaseUrl());
  await program.query('begin');
  await program.query(`insert into cities (realm, id, name) values ('user:ada', 'early', 'x')`);
  // Its entry is made now, and others come to be seen before it.
  await program.query('set constraints all immediate');
  await nodes.sql(`insert into cities (realm, id, name) values ('public', 'beside', 'x')`);
  await ear.hears(({ realm }) => realm === 'public');
  await program.query('commit');
  await ear.hears(({ realm }) => realm === 'user:ada');
});

test('an entry of before a reading that was not committed then is in the next one', async () => {
  const url = await nodes.databaseUrl();
  const [program, database] = [await connectInTest(url), await openPostgres(url)];
  onTestFinished(() => database.close());
  const entries = new ForeignEntries(database);
  await entries.begin();
  await program.query('begin');
  await program.query(`insert into cities (realm, id, name) values ('user:dan', 'late', 'x')`);
  await program.query('set constraints all immediate');
  await nodes.sql(`insert into cities (realm, id, name) values ('public', 'meanwhile', 'x')`);
  const realms = async () => [...(await entries.read()).heads.keys()];
  const first = await realms();
  expect(first).toContain('public');
  expect(first).not.toContain('user:dan');
  await program.query('commit');
  expect(await realms()).toContain('user:dan');
});

test('rows that were written without triggers are logged by skerry.changed', async () => {
  const follower = new Follower(urls[0] as string, 'cyd', tables);
  await nodes.sql(`insert into cities (realm, id, name) values ('user:cyd', 'kept', 'before')`);
  await follower.follow();
  await nodes.sql(`
    alter table cities disable trigger user;
    update cities set name = 'after' where realm = 'user:cyd';
    insert into cities (realm, id, name, revision) values ('user:cyd', 'new', 'unseen', 999);
    alter table cities enable trigger user`);
  await follower.follow();
  expect(follower.rows.get('user:cyd cities kept')).toMatchObject({ name: 'before' });
  await nodes.sql(`select skerry.changed('cities')`);
  await follower.follow();
  expect(follower.rows.get('user:cyd cities kept')).toMatchObject({ name: 'after' });
  expect(follower.rows.get('user:cyd cities new')).toMatchObject({ name: 'unseen' });
  const [row] = await nodes.sql(
    `select (c.revision = r.head)::text as is_last from cities c join skerry.realm r using (realm) where c.id = 'new'`,
  );
  expect(row).toEqual({ is_last: 'true' });
  await expect(nodes.sql(`select skerry.changed('towns')`)).rejects.toThrow(
    `skerry.changed: the schema has no table 'towns'.`,
  );
});

test('a start says which triggers are disabled, and makes those that are missing', async () => {
  await nodes.sql(`
    alter table cities disable trigger "~skerry_update";
    drop trigger "~skerry_delete" on notices`);
  const third = await nodes.start(2);
  expect(third.output()).toContain('The triggers of public."cities" are disabled');
  expect(third.output()).not.toContain('public."notices"');
  await nodes.sql(`alter table cities enable trigger "~skerry_update"`);
  const follower = new Follower(third.url, 'ada', tables);
  await follower.follow();
  expect(follower.rows.has('public notices all')).toBe(true);
  await nodes.sql(`delete from notices where id = 'all'`);
  await follower.follow();
  expect(follower.rows.has('public notices all')).toBe(false);
});

test('a start refuses tables that hide rows from their owner', async () => {
  await nodes.sql('alter table notices force row level security');
  await expect(nodes.start(3)).rejects.toThrow('FORCE ROW LEVEL SECURITY');
  await nodes.sql('alter table notices no force row level security');
});

test('a start waits for a program that holds a lock on a table that has to change', async () => {
  await nodes.sql(`drop trigger "~skerry_delete" on notices`);
  const program = await connectInTest(await nodes.databaseUrl());
  await program.query('begin; lock table notices in row exclusive mode');
  let isReady = false;
  const started = nodes.start(4).then((server) => {
    isReady = true;
    return server;
  });
  const waits = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%~skerry_delete%'`;
  await expect.poll(async () => (await nodes.sql(waits)).length).toBe(1);
  // It does not wait for long, because everybody who wants the table would wait behind it.
  await expect.poll(async () => (await nodes.sql(waits)).length).toBe(0);
  expect(isReady).toBe(false);
  await program.query('commit');
  expect((await started).output()).toContain('Another program holds a lock');
  const [row] = await nodes.sql(
    `select count(*)::text as n from pg_trigger where tgname = '~skerry_delete'`,
  );
  expect(row).toEqual({ n: '5' });
});
