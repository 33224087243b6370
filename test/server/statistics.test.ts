// Goal: on PGlite the planner knows how large the tables are, however they have grown since the start. Method: PGlite itself,
// and the estimates of its plans; and how often statistics are gathered, by a database that counts.

import { expect, test } from 'vitest';
import type { Database } from '../../server/src/db/database.ts';
import { openPGlite } from '../../server/src/db/pglite.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { Statistics } from '../../server/src/sql/statistics.ts';
import { ForeignWorld } from './support/foreign-world.ts';

const log = (message: string, error: unknown) => {
  throw new Error(message, { cause: error });
};

test('knows of the rows that were written since the start', async () => {
  const database = await openPGlite(null);
  try {
    await migrate(database);
    await database.execute('create table public.t (n integer)');
    const statistics = await Statistics.begin({ database, log });
    const known = async () => {
      const [row] = await database.query<{ rows: string }>(
        `select reltuples::text as rows from pg_class where oid = 'public.t'::regclass`,
      );
      return Number(row?.rows);
    };
    const before = await known();
    expect(before).toBe(0);
    await database.execute('insert into t select generate_series(1, 5000)');
    statistics.written(999);
    await statistics.close();
    expect(await known()).toBe(before);
    const again = await Statistics.begin({ database, log });
    await database.execute('insert into t select generate_series(1, 5000)');
    again.written(1_000);
    await expect.poll(known).toBe(10_000);
    await again.close();
  } finally {
    await database.close();
  }
});

test('knows of what the application writes by its own SQL', async () => {
  const world = await ForeignWorld.open();
  try {
    const known = async () => {
      const [row] = await world.server.sql.query(
        `select reltuples::text as rows from pg_class where oid = 'public.cities'::regclass`,
      );
      return Number(row?.rows);
    };
    expect(await known()).toBe(0);
    await world.write(
      `insert into cities (realm, id, name) select 'public', n::text, 'x' from generate_series(1, 5000) n`,
    );
    await expect.poll(known).toBe(5000);
  } finally {
    await world.close();
  }
});

test('gathers them when the rows have doubled, and once at a time', async () => {
  let gathered = 0;
  const database = {
    kind: 'pglite',
    async query<Row extends object>(sql: string) {
      const rows = sql.includes('pg_class')
        ? [{ schema: 'public', name: 't' }]
        : [{ rows: '3000' }];
      return rows as unknown as Row[];
    },
    async execute(sql: string) {
      if (sql.includes('"t"')) gathered++;
    },
  } as unknown as Database;
  const statistics = await Statistics.begin({ database, log });
  expect(gathered).toBe(1);
  gathered = 0;
  const after = async (rows: number) => {
    statistics.written(rows);
    // While they are gathered, more is written.
    statistics.written(0);
    await new Promise((resolve) => setImmediate(resolve));
    return gathered;
  };
  expect(await after(2_999)).toBe(0);
  expect(await after(1)).toBe(1);
  expect(await after(5_999)).toBe(1);
  expect(await after(1)).toBe(2);
  expect(await after(12_000)).toBe(3);
  // What is written while they are gathered may itself be enough for the next time.
  statistics.written(24_000);
  statistics.written(48_000);
  await expect.poll(() => gathered).toBe(5);
  await statistics.close();
});
