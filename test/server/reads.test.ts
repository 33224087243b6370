// Goal: a pull's reads are limited in bytes before they run. Method: the reads themselves, over rows of known length.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import type { Database, Queryable } from '../../server/src/db/database.ts';
import { waitingRealms } from '../../server/src/pull/new-realms.ts';
import { readPage } from '../../server/src/pull/pages.ts';
import { readRanges } from '../../server/src/pull/ranges.ts';
import {
  readEntries,
  readHeads,
  readOwn,
  readRowsAfter,
  readSizes,
  readState,
} from '../../server/src/pull/reads.ts';
import { checkSubSelects } from '../../server/src/pull/sub-selects.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { TooMuchToRead } from '../../server/src/sql/row-bytes.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import type { CheckedPull } from '../../server/src/wire/pulls.ts';
import { openTestDatabase } from './support/database.ts';
import { testSchema } from './support/schemas.ts';

const schema = sqlSchema(testSchema);
const kLong = 100_000;
const kMega = 1 << 20;
let database: Database;
type Row = { readonly id: string; readonly realm: string };
type Json = { readonly revision: number; readonly revisions?: object | null };

async function entry(realm: string, revision: number, bytes: number | null, at = revision) {
  await database.query(
    `insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, ops, tables, streams, changes, bytes)
     values ($1::text, $2::text::bigint, $3::text::bigint, 'c', 'u', gen_random_uuid()::text, true, '[]', '["cities"]', '[]', 1, $4::text::bigint)`,
    [realm, String(revision), String(at), bytes === null ? null : String(bytes)],
  );
  await database.query(
    `insert into skerry.realm (realm, epoch, head) values ($1::text, 'e', $2::text::bigint)
       on conflict (realm) do update set head = excluded.head`,
    [realm, String(revision)],
  );
}

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database);
  await database.transaction({ mode: 'tables' }, (tx) => applySchema(tx, testSchema, schema));
  // Long rows that compress to nothing: the size on the wire counts.
  await database.query(
    `insert into public.cities (id, realm, revision, created_at, modified_at, name, extra)
     select 'c' || i, 'A', 1, now(), now(), repeat('x', ${kLong}), to_json(repeat('y', ${kLong / 2})) from generate_series(1, 9) i`,
  );
});

afterAll(async () => {
  await database.close();
});

describe('a page', () => {
  const page = (bytes: number, rows = 2_000, above = '') =>
    readPage(
      database,
      schema,
      { table: 'cities', where: ['true'], above, realms: ['A'], limit: 2_000 },
      { rows, bytes },
    );

  test('ends at its limit of bytes, and says that there is more', async () => {
    const { text, rows, bytes } = await page(2.5 * 1.6 * kLong);
    expect(rows).toBe(2);
    expect(text.length).toBeGreaterThan(2 * 1.5 * kLong);
    expect(Math.abs(bytes - text.length)).toBeLessThan(3_000);
    expect(text.endsWith('"more":true}')).toBe(true);
  });

  test('has at least one row, so that the initial sync always makes progress', async () => {
    expect(await page(1)).toMatchObject({ rows: 1 });
    expect(await page(1, 2_000, 'c8')).toMatchObject({ rows: 1 });
    expect((await page(1, 2_000, 'c8')).text.endsWith('"more":false}')).toBe(true);
  });

  test('ends at its limit of rows, too', async () => {
    expect(await page(64 * kMega, 4)).toMatchObject({ rows: 4 });
    expect((await page(64 * kMega)).text.endsWith('"more":false}')).toBe(true);
  });

  test('has all rows of its last id, in whatever realms: the next one begins above it', async () => {
    await database.query(
      `insert into public.cities (id, realm, revision, created_at, modified_at, name)
       select i, r, 1, now(), now(), r from unnest(array['p1', 'p2', 'p3']) i, unnest(array['T1', 'T2', 'T3']) r`,
    );
    const need = { table: 'cities', where: ['true'], realms: ['T3', 'T1', 'T2'], limit: 2_000 };
    const places = async (above: string, rows: number, bytes = kMega) => {
      const read = await readPage(database, schema, { ...need, above }, { rows, bytes });
      const { rows: found, more } = JSON.parse(read.text) as { rows: Row[]; more: boolean };
      return [...found.map(({ id, realm }) => `${id} ${realm}`).sort(), more];
    };
    const all = (id: string) => ['T1', 'T2', 'T3'].map((realm) => `${id} ${realm}`);
    expect(await places('', 1)).toEqual([...all('p1'), true]);
    expect(await places('', 2_000, 1)).toEqual([...all('p1'), true]);
    expect(await places('p1', 2)).toEqual([...all('p2'), true]);
    expect((await places('p1', 4)).slice(0, 6)).toEqual([...all('p2'), ...all('p3')]);
    expect(await places('p2', 4)).toEqual([...all('p3'), false]);
  });
});

test('knows about how many bytes the rows of whole realms have, before it reads them', async () => {
  const realms = ['A', 'none', 'T1'];
  const sizes = await readSizes(database, schema, realms, 'cities');
  expect([...sizes.keys()].sort()).toEqual(['A', 'T1']);
  for (const realm of realms) {
    const text = await readState(database, schema, [realm], 'cities');
    expect(Math.abs((sizes.get(realm) ?? 0) - text.length)).toBeLessThan(9_000);
  }
  const all = await readState(database, schema, realms, 'cities');
  const rows = JSON.parse(`[${all}]`) as Row[];
  expect(new Set(rows.map(({ realm }) => realm))).toEqual(new Set(['A', 'T1']));
});

describe('realms that an answer begins', () => {
  const realms = ['B1', 'B2', 'B3'];
  const most = limits.newRowsPerPull;
  beforeAll(async () => {
    await database.query(
      `insert into skerry.realm (realm, epoch, head, rows) select n.name, 'e', 1, ${most * 0.6}
         from json_array_elements_text($1::text::json) as n(name)`,
      [JSON.stringify(realms)],
    );
    for (const realm of realms) await entry(realm, 5, 1, 50);
  });
  const waiting = async (cursors: Record<string, string>, filled: unknown, images?: false) => {
    const scopes = [{ table: 'cities', where: ['true'], filled }];
    const request = { scopes, images } as unknown as CheckedPull;
    const heads = await readHeads(database, realms, cursors);
    return waitingRealms(database, heads, request, cursors);
  };
  const all = (cursor: string) => Object.fromEntries(realms.map((realm) => [realm, cursor]));

  test('have so many rows in all, where rows are read', async () => {
    expect(await waiting({}, true)).toEqual(['B2', 'B3']);
    expect(await waiting({ B1: '5@50' }, true)).toEqual(['B3']);
    expect(await waiting({}, false)).toEqual(['B2', 'B3']);
    expect(await waiting({}, false, false)).toEqual([]);
  });

  test('do not wait behind empty ones, which are at their beginning with every pull', async () => {
    const empty = Array.from({ length: limits.newRealmsPerPull + 1 }, (_, i) => `A${i}`);
    await database.query(
      `insert into skerry.realm (realm, epoch, head) select n.name, 'e', 0
         from json_array_elements_text($1::text::json) as n(name)`,
      [JSON.stringify(empty)],
    );
    const request = { scopes: [], images: true } as unknown as CheckedPull;
    const waitingOf = async (names: string[], cursors: Record<string, string>) => {
      const heads = await readHeads(database, names, cursors);
      const rows = limits.newRowsPerPull + 1;
      const realms = { ...heads.realms, B2: { ...heads.realms['B2'], rows } };
      return waitingRealms(database, { ...heads, realms }, request, cursors);
    };
    const begun = Object.fromEntries(empty.map((realm) => [realm, '0@0']));
    expect(await waitingOf([...empty, 'B2'], begun)).toEqual([]);
    // One that the client does not know yet, either.
    expect(await waitingOf(['A0', 'B2'], {})).toEqual([]);
  });

  test('are also those whose cursor is at the beginning, or of another history', async () => {
    expect(await waiting(all('5@50'), true)).toEqual([]);
    for (const cursor of ['0@0', '5@51', '6@60'])
      expect(await waiting(all(cursor), true)).toEqual(['B2', 'B3']);
    // What is forgotten is said first.
    await database.query(`update skerry.realm set floor = 7 where realm like 'B%'`);
    expect(await waiting(all('6@60'), true)).toEqual([]);
  });
});

describe('sub-selects over a prop without an index', () => {
  const of = (table: string, select: string) => ['in', 'name', { table, select, where: ['true'] }];
  const most = limits.unindexedRows;
  const cases: [string, unknown[], number, boolean][] = [
    ['may read all rows that are allowed', [of('cities', 'name')], most, true],
    ['are refused one row beyond', [of('cities', 'name')], most + 1, false],
    ['count each', [['or', of('cities', 'name'), ['not', of('cities', 'size')]]], most / 2, true],
    ['count in all scopes', [of('cities', 'name'), of('cities', 'size')], most / 2 + 1, false],
    ['cost nothing by an index', [of('cities', 'country'), of('cities', 'id')], 10 * most, true],
    ['cost nothing by a ref', [of('members', 'group')], 10 * most, true],
    ['are the core’s to refuse if they are malformed', [['in'], 7, of('none', 'x')], most, true],
  ];
  test.each(cases)('%s', async (_name, filters, rows, isAllowed) => {
    const asked: string[] = [];
    const tx: Queryable = {
      async query<Found extends object>(sql: string, params?: readonly (string | null)[]) {
        asked.push(`${sql} ${params?.join()}`);
        return [{ rows: String(rows) }] as unknown as Found[];
      },
    };
    const scopes = filters.map((where) => ({ table: 'cities', where, filled: false }));
    const filled = scopes.map((scope) => ({ ...scope, filled: true }));
    await checkSubSelects(tx, schema, filled, ['A', 'B']);
    expect(asked).toEqual([]);
    const checked = checkSubSelects(tx, schema, scopes, ['A', 'B']).then(
      () => true,
      (error: unknown) => (error as { code: string }).code !== 'limit',
    );
    expect(await checked).toBe(isAllowed);
    for (const one of asked) expect(one).toContain('["A","B"]');
  });
});

test('does not read the rows at the end of a range if they have too many bytes', async () => {
  const keys = (times: number) =>
    Array.from({ length: 9 * times }, (_, i) => ({
      realm: 'A',
      table: 'cities',
      id: `c${1 + (i % 9)}`,
      after: 1,
    }));
  const [rows] = await readRowsAfter(database, schema, keys(1));
  expect(JSON.parse(`[${rows}]`)).toHaveLength(9);
  await expect(readRowsAfter(database, schema, keys(13))).rejects.toThrow(TooMuchToRead);
});

test('reads ops of own updates only within ranges, and within the byte limit', async () => {
  await database.query(
    `insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, ops, tables, streams, changes, bytes)
     select 'O', i, i, 'c', 'u', 'own-' || i, true, '[1]', '[]', '[]', 0, 9 * ${kMega} from generate_series(1, 3) i`,
  );
  const own = ['own-1', 'own-2', 'own-3'];
  const read = async (upto: string) =>
    JSON.parse(`[${await readOwn(database, own, ['O'], [{ realm: 'O', from: 1, upto }])}]`);
  expect((await read('2')).map(({ ops }: { ops: unknown }) => ops)).toEqual([null, [1], null]);
  await expect(read('3')).rejects.toThrow(TooMuchToRead);
  expect(JSON.parse(`[${await readOwn(database, own, ['O'], null)}]`)).toHaveLength(3);
});

test('ranges of very many realms look at a few entries of each', async () => {
  for (let revision = 1; revision <= 9; revision++) await entry('Z', revision, 10);
  const need = { realm: 'Z', from: 1, limit: 100, client: null, tables: ['cities'] };
  const entriesOf = async (count: number) => {
    const needs = Array.from({ length: count }, () => ({ ...need, isEachCounted: false }));
    const most = { entries: 40, changes: 1_000_000, bytes: 64 * kMega, isOmitted: false };
    const { ranges } = await readRanges(database, needs, most);
    return ranges[0]?.entries;
  };
  expect(await entriesOf(1)).toBe(8);
  expect(await entriesOf(10)).toBe(5);
  expect(await entriesOf(100)).toBe(1);
});

describe('ranges of the log', () => {
  const most = { entries: 1_000, changes: 100, bytes: 4 * kMega, isOmitted: false };
  const need = (realm: string, from = 1) => ({
    ...{ realm, from, limit: 100, client: null },
    ...{ tables: ['cities'], isEachCounted: false },
  });

  test('end at their limits, but have at least one entry', async () => {
    for (let i = 1; i <= 5; i++) await entry('R', i, 1.5 * kMega);
    const { ranges, bytes } = await readRanges(database, [need('R')], most);
    expect(ranges).toMatchObject([{ upto: '3', entries: 2, isHead: false, isOmitted: false }]);
    expect(bytes).toBe(3 * kMega);
    const one = await readRanges(database, [need('R')], { ...most, bytes: 1 });
    expect(one.ranges).toMatchObject([{ upto: '2', entries: 1, isOmitted: false }]);
    const last = await readRanges(database, [need('R', 4)], most);
    expect(last.ranges).toMatchObject([{ upto: '5', isHead: true }]);
  });

  test('do not count what concerns other tables, unless own updates are in them', async () => {
    for (let i = 1; i <= 5; i++) await entry('T', i, 3 * kMega);
    const other = { ...need('T'), tables: ['notices'] };
    const { ranges, bytes } = await readRanges(database, [other], most);
    expect(ranges).toMatchObject([{ upto: '5', isHead: true, tables: [] }]);
    expect(bytes).toBe(0);
    const own = await readRanges(database, [{ ...other, isEachCounted: true }], most);
    expect(own.ranges).toMatchObject([{ upto: '2', tables: [] }]);
  });

  test('are passed without changes if one entry is too large', async () => {
    await entry('L', 1, 10);
    await entry('L', 2, 17 * kMega);
    await entry('L', 3, 10);
    const { ranges, bytes } = await readRanges(database, [need('L')], most);
    expect(ranges).toMatchObject([
      { upto: '2', entries: 1, tables: ['cities'], isOmitted: true, isHead: false },
    ]);
    expect(bytes).toBe(0);
  });

  test('fit into one answer, oldest first, with all realms of an update', async () => {
    for (const realm of ['P', 'Q', 'S']) await entry(realm, 1, 10, 1);
    await entry('S', 2, 3 * kMega, 20);
    await entry('P', 2, 3 * kMega, 50);
    await entry('Q', 2, 3 * kMega, 20);
    const { ranges } = await readRanges(database, [need('P'), need('Q'), need('S')], most);
    const upto = Object.fromEntries(ranges.map((range) => [range.realm, range.upto]));
    expect(upto).toEqual({ P: '1', Q: '2', S: '2' });
    expect(ranges.every(({ isOmitted }) => !isOmitted)).toBe(true);
    const rest = await readRanges(database, [need('P'), need('Q', 2), need('S', 2)], most);
    expect(rest.ranges[0]).toMatchObject({ realm: 'P', upto: '2', isHead: true });
  });

  test('of entries without a stored size are measured', async () => {
    await entry('N', 1, null);
    await entry('N', 2, null);
    await database.query(
      `insert into skerry.change (realm, revision, table_name, id, before, touch)
       select 'N', 2, 'cities', 'n' || i, json_build_object('name', repeat('x', ${kMega})), false from generate_series(1, 9) i`,
    );
    const { ranges } = await readRanges(database, [need('N')], most);
    expect(ranges).toMatchObject([{ upto: '2', isOmitted: true }]);
  });

  test('count what their entries say of realms, and read it of new entries only', async () => {
    for (let revision = 1; revision <= 4; revision++) await entry('W', revision, 10);
    await database.query(
      `update skerry.log set answer = json_build_object('revisions',
         (select json_object_agg('realm ' || i, i) from generate_series(1, 100) i)) where realm = 'W'`,
    );
    const bytes = 5_000;
    const { ranges } = await readRanges(database, [need('W', 1)], { ...most, bytes });
    expect(ranges).toMatchObject([{ from: 1, upto: '3', entries: 2, isHead: false }]);
    const read = async (client: string | null) => {
      const range = { realm: 'W', from: 1, upto: '3', client };
      return JSON.parse(`[${await readEntries(database, [range])}]`) as Json[];
    };
    const realmsOf = (entries: readonly Json[]) =>
      entries.map(({ revision, revisions }) => [revision, Object.keys(revisions ?? {}).length]);
    const entries = await read(null);
    expect(realmsOf(entries)).toEqual([
      [1, 0],
      [2, 100],
      [3, 100],
    ]);
    // Of the entry of a cursor only the time is needed.
    expect(Object.keys(entries[0]!)).toEqual(['realm', 'revision', 'at']);
    // Of a realm that comes whole nothing is cut.
    expect(realmsOf(await read('c'))).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
  });
});
