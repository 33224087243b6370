// Goal: a migration is done or not, whenever it fails, and runs once, even if several nodes start together. Method:
// lists of migrations of the test's own, on an empty database, from two connections at once.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../server/src/db/database.ts';
import { readMeta } from '../../server/src/sql/meta.ts';
import { migrate, migrations } from '../../server/src/sql/migrations.ts';
import { openTestDatabase } from './support/database.ts';

const open: Database[] = [];
let db: Database;

beforeEach(async () => {
  db = await openTestDatabase();
  open.push(db);
});
afterAll(async () => {
  for (const each of open) await each.close();
});

const version = () => readMeta(db, 'version');

async function tableNames(): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    `select table_name::text as name from information_schema.tables
      where table_schema = 'skerry' and table_name <> 'meta' order by 1`,
  );
  return rows.map(({ name }) => name);
}

const first = ['create table skerry.a (n integer)', 'insert into skerry.a values (1)'];

test('a failed migration leaves nothing, and keeps the earlier ones', async () => {
  const broken = ['create table skerry.b (n integer)', 'create table skerry.a (n integer)'];
  await expect(migrate(db, [first, broken])).rejects.toMatchObject({ code: '42P07' });
  expect([await version(), await tableNames()]).toEqual(['1', ['a']]);
  const mended = ['create table skerry.b (n integer)', 'create table skerry.c (n integer)'];
  await migrate(db, [first, mended]);
  expect([await version(), await tableNames()]).toEqual(['2', ['a', 'b', 'c']]);
});

test('runs each migration once, though several start together', async () => {
  const names = Array.from({ length: 5 }, () => `t${randomUUID().slice(0, 8)}`).sort();
  const steps = [first, ...names.map((name) => [`create table skerry.${name} (n integer)`])];
  await Promise.all(Array.from({ length: 4 }, () => migrate(db, steps)));
  expect([await version(), await tableNames()]).toEqual(['6', ['a', ...names]]);
  const [row] = await db.query<{ count: string }>('select count(*)::text as count from skerry.a');
  expect(row?.count).toBe('1');
});

test('leaves tables of a newer server alone', async () => {
  await migrate(db, [first, []]);
  await expect(migrate(db, [first])).rejects.toThrow('newer skerry-server');
});

test('keys older rows by realm and id, with tombstones of those that had moved', async () => {
  const step = migrations.findIndex((each) => each.some((sql) => sql.includes('moved_to')));
  await migrate(db, migrations.slice(0, step));
  const columns = `id text collate "C" primary key, realm text collate "C" not null, revision bigint not null,
    created_at timestamptz not null, modified_at timestamptz not null, deleted_at timestamptz`;
  const at = `'2026-01-01', '2026-01-02'`;
  for (const sql of [
    `create table public.old_notes (${columns}, title text, moved_to text)`,
    `create table public.foreign_table (id text primary key, realm text)`,
    `insert into public.old_notes values ('x', 'B', 7, ${at}, null, 'x', 'attic'), ('y', 'A', 2, ${at}, null, 'y', null)`,
    `insert into skerry.change (realm, revision, table_name, id, before, touch) values
       ('A', 1, 'oldNotes', 'x', null, false), ('A', 4, 'oldNotes', 'x', '{}', false),
       ('B', 7, 'oldNotes', 'x', null, false), ('A', 2, 'oldNotes', 'y', null, false)`,
  ]) {
    await db.query(sql);
  }
  await migrate(db);
  const rows = await db.query(
    `select realm, id, revision::text as revision, (deleted_at is null)::text as live, moved_to, moved_to_
       from public.old_notes order by realm, id`,
  );
  expect(rows).toEqual([
    { realm: 'A', id: 'x', revision: '4', live: 'false', moved_to: 'B', moved_to_: null },
    { realm: 'A', id: 'y', revision: '2', live: 'true', moved_to: null, moved_to_: null },
    { realm: 'B', id: 'x', revision: '7', live: 'true', moved_to: null, moved_to_: 'attic' },
  ]);
  // The same id in two realms; a table of somebody else is left alone.
  await db.query(
    `insert into public.old_notes (id, realm, revision, created_at, modified_at) values ('y', 'B', 8, ${at})`,
  );
  await expect(
    db.query(`insert into public.foreign_table values ('y', 'A'), ('y', 'B')`),
  ).rejects.toThrow();
});

test('takes over the appends that an earlier server logged', async () => {
  const step = migrations.findIndex((each) => each.some((sql) => sql.includes('skerry.append')));
  await migrate(db, migrations.slice(0, step));
  const action = (n: number) => `{"id":"a${n}","name":"said","arg":{"n":${n}},"at":${n}}`;
  const op = (stream: string, by: string) =>
    `{"op":"append","stream":"${stream}","realm":"r"${by}}`;
  const log = (revision: number, actions: string, ops: string, streams: string) =>
    db.query(
      `insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, actions, ops, tables, streams, changes)
       values ('r', $1::text::bigint, 1000, 'c', 'anna', $1::text, true, $2::text::json, $3::text::json, '[]', $4::text::json, 0)`,
      [String(revision), actions, ops, streams],
    );
  await log(
    1,
    `[${action(1)},${action(2)}]`,
    `[${op('chat', ',"by":[1]')},${op('chat', ',"by":[0]')},${op('notes', ',"by":[0]')}]`,
    '["chat","notes"]',
  );
  await log(2, `[${action(3)}]`, `[${op('chat', '')}]`, '["chat"]');
  await log(3, `[${action(4)}]`, '[]', '[]');
  await migrate(db);
  const rows = await db.query<Record<string, string>>(
    `select a.stream || ' ' || a.revision || '.' || a.position || ' ' || a.id || ' ' || (a.arg ->> 'n') || ' ' || a.author as text
       from skerry.append a order by a.stream, a.revision, a.position`,
  );
  expect(rows.map(({ text }) => text)).toEqual([
    'chat 1.0 a2 2 anna',
    'chat 1.1 a1 1 anna',
    'chat 2.0 a3 3 anna',
    'notes 1.0 a1 1 anna',
  ]);
});

test('counts the updates of an earlier log by their clients', async () => {
  const step = migrations.findIndex((each) => each.some((sql) => sql.includes('add column floor')));
  await migrate(db, migrations.slice(0, step));
  const log = (revision: number, client: string, declared: boolean) =>
    db.query(
      `insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, tables, streams, changes)
       values ('r', $1::text::bigint, 1000, $2::text, 'anna', $1::text, $3::text::boolean, '[]', '[]', 0)`,
      [String(revision), client, String(declared)],
    );
  for (const [revision, client] of [...'abaab'].entries()) await log(revision + 1, client, true);
  await log(6, 'a', false);
  // Its third update is at revision 4; the first was before the log began.
  await db.query(
    `insert into skerry.chain (realm, client, seq, update_id, refused) values ('r', 'a', 4, '4', '{}'), ('r', 'b', 2, '5', '{}')`,
  );
  await migrate(db);
  const rows = await db.query<{ text: string }>(
    `select l.client || coalesce(l.seq::text, '-') as text from skerry.log l order by l.revision`,
  );
  expect(rows.map(({ text }) => text)).toEqual(['a2', 'b1', 'a3', 'a4', 'b2', 'a-']);
});
