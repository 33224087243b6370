// Goal: what another program writes is logged the same, whoever it is and whatever its session is like; and nothing that it sets
// up runs with the rights of the server. Method: a role with rights on one table, sessions with strange settings, functions under the names of PostgreSQL's
// own, and prepared transactions.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster } from '../../../tools/lib/cluster.mjs';
import { connectTo } from '../support/database.ts';
import { ForeignWorld, filled } from '../support/foreign-world.ts';
import { Nodes } from '../support/nodes.ts';
import type { Json } from '../support/server.ts';

let world: ForeignWorld;
beforeAll(async () => {
  world = await ForeignWorld.open();
});
afterAll(() => world.close());

const known = (rows: ReadonlyMap<string, Json>) =>
  Object.fromEntries([...rows].map(([key, props]) => [key, filled(props)] as const).sort());

test('a role with rights on a table only writes it, and gets no others', async () => {
  const owner = await world.program();
  await owner.query(`
    create role backend login password 'of the test';
    grant select, insert, update, delete on cities to backend`);
  const url = new URL(world.databaseUrl);
  url.username = 'backend';
  url.password = 'of the test';
  const backend = await connectTo(url.href);
  await backend.query('begin');
  await backend.query(`select skerry.begin('public', 'billing')`);
  await backend.query(`insert into cities (id, name) values ('by-a-role', 'x')`);
  await backend.query(`update cities set population = 1 where id = 'by-a-role'`);
  await backend.query('commit');
  for (const statement of [
    'select * from skerry.raw',
    'select * from skerry.log',
    `select skerry."unmark cities"('public', 'x')`,
    `select skerry.changed('cities')`,
    `select skerry."log cities"('1'::xid8, '{}', 1)`,
    `insert into user_groups (realm, name) values ('public', 'x')`,
  ]) {
    await expect(backend.query(statement), statement).rejects.toMatchObject({ code: '42501' });
  }
  await backend.end();
  const follower = world.follower();
  await follower.follow();
  expect(follower.rows.get('public cities by-a-role')).toMatchObject({ population: 1 });
});

test.each([
  ['few digits', `set extra_float_digits = -15`],
  ['bytes as escapes', `set bytea_output = 'escape'`],
  [
    'another time zone, and dates of another style',
    `set timezone = 'Asia/Kathmandu'; set datestyle = 'SQL, DMY'`,
  ],
  ['no patience', `set lock_timeout = '1ms'`],
  ['an empty search path', `set search_path = ''`],
  ['all constraints at once', `begin; set constraints all immediate; commit`],
  ['the role of the triggers', `set skerry.writer = '0 0'`],
])('a session with %s writes what others write', async (_what, settings) => {
  const follower = world.follower();
  await follower.follow();
  const program = await world.program();
  await program.query(settings);
  const columns = '(id, realm, name, population, founded_on, flag, extra)';
  const values = `('strange', 'public', 'x', 0.1::float8 + 0.2::float8, '1900-01-02 03:04:05.678Z', '\\x00ff5c', '{"a": [0.1, 1e30]}')`;
  await program.query(`insert into public.cities ${columns} values ${values}`);
  await follower.follow();
  expect(known(follower.rows)).toEqual(known(await world.rows()));
  expect(follower.rows.get('public cities strange')).toMatchObject({
    population: 0.1 + 0.2,
    flag: 'AP9c',
  });
  const late = world.follower();
  late.client.cursors = { ...follower.client.cursors };
  for (const scope of late.client.scopes) scope.filled = true;
  for (const [key, row] of follower.rows) late.rows.set(key, row);
  await program.query(`update public.cities set name = 'y' where id = 'strange'`);
  await late.client.pull().then(({ body }) => {
    // Only the name has changed: every other value is the same before and after.
    expect((body.changes as Json[]).map(({ set }) => set)).toEqual([{ name: 'y' }]);
  });
  await program.query(`delete from public.cities where id = 'strange'`);
});

test('functions under the names of PostgreSQL’s own are not called', async () => {
  const program = await world.program();
  await program.query(`
    create schema evil;
    create function evil.to_json(anyelement) returns json language plpgsql as $$ begin raise exception 'evil'; end $$;
    create function evil.clock_timestamp() returns timestamptz language plpgsql as $$ begin raise exception 'evil'; end $$;
    create function evil.octet_length(text) returns int language plpgsql as $$ begin raise exception 'evil'; end $$;
    set search_path = evil, pg_catalog, public;
    insert into public.cities (id, realm, name) values ('guarded', 'public', 'x');
    update public.cities set name = 'y' where id = 'guarded';
    delete from public.cities where id = 'guarded'`);
  await program.query('drop schema evil cascade');
});

test.each([
  ['a schema of its own', 'create schema evil', 'evil', 'evil, public'],
  ['temporary tables', 'select 1', 'pg_temp', 'public'],
  ['an empty search path', 'create schema evil', 'evil', `''`],
])(
  'triggers at the commit write to the tables of the application, with %s',
  async (_, prepare, space, path) => {
    const program = await world.program();
    try {
      await program.query(`
      ${prepare};
      create table public.seen (name text);
      create table ${space}.seen (name text);
      create function public.see() returns trigger language plpgsql as $$ begin
        insert into seen values (new.name); return null; end $$;
      create trigger see after update on public.cities for each row when (old.revision < new.revision)
        execute function public.see();
      set search_path = ${path};
      insert into public.cities (id, realm, name) values ('watched', 'public', 'x')`);
      const { rows } = await program.query(`
      select (select string_agg(name, ' ') from public.seen) as ours, (select string_agg(name, ' ') from ${space}.seen) as theirs`);
      expect(rows).toEqual([{ ours: 'x', theirs: null }]);
    } finally {
      await program.query(`
      drop trigger if exists see on public.cities; drop function if exists public.see();
      delete from public.cities where id = 'watched';
      drop table if exists public.seen, ${space}.seen; drop schema if exists evil cascade`);
    }
  },
);

test('what has written cannot be prepared, where that would keep its realms locked', async () => {
  const cluster = await startCluster({ max_prepared_transactions: 2 });
  const nodes = new Nodes(cluster.url);
  try {
    await nodes.start(0);
    const program = await connectTo(await nodes.databaseUrl());
    await program.query('begin');
    await program.query(`insert into cities (realm, id, name) values ('public', 'prepared', 'x')`);
    await expect(program.query(`prepare transaction 'kept'`)).rejects.toThrow(/NOTIFY/);
    await program.query('rollback');
    await program.query(`insert into cities (realm, id, name) values ('public', 'committed', 'x')`);
    await program.end();
    const [row] = await nodes.sql(`select string_agg(id, ' ') as ids from cities`);
    expect(row).toEqual({ ids: 'committed' });
  } finally {
    await nodes.remove();
    await cluster.remove();
  }
});
