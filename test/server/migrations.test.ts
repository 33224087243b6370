// Goal: a migration is done or not, whenever it fails, and runs once, even if several nodes start together. Method:
// lists of migrations of the test's own, on an empty database, from two connections at once.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../../server/src/db/database.ts';
import { migrate, readMeta } from '../../server/src/sql/migrations.ts';
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
