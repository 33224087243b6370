// Goal: a pull's reads are limited in bytes before they run. Method: the reads themselves, over rows of known length.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import type { Database, Queryable } from '../../server/src/db/database.ts';
import { readPage } from '../../server/src/pull/pages.ts';
import { readRanges } from '../../server/src/pull/ranges.ts';
import { readOwn, readRowsAfter, readSizes, readState } from '../../server/src/pull/reads.ts';
import { checkSubSelects } from '../../server/src/pull/sub-selects.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { TooMuchToRead } from '../../server/src/sql/row-bytes.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { openTestDatabase } from './support/database.ts';
import { testSchema } from './support/schemas.ts';

const schema = sqlSchema(testSchema);
const kLong = 100_000;
const kMega = 1 << 20;
let database: Database;
type Row = { readonly id: string; readonly realm: string };

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

describe('a page that is looked for in parts', () => {
  const realms = ['P1', 'P2', 'P3', 'P4', 'P5'];
  beforeAll(async () => {
    // Two realms of which one begins where the other ends, and three that have ids in between, some of them the same.
    await database.query(
      `insert into public.cities (id, realm, revision, created_at, modified_at, name, country, population, deleted_at)
       select 'p' || to_char(case r when 1 then i when 2 then i + 200 else i * 3 + r % 2 end, 'FM0000'), 'P' || r, 1, now(), now(),
              case when i % 7 = 0 then repeat('long ', 4000) else 'n' || i % 5 end,
              'c' || i % 3, i % 11, case when i % 13 = 0 then now() end
         from generate_series(1, 5) r, generate_series(1, 120) i`,
    );
    await database.query(
      `insert into skerry.realm (realm, epoch, head, rows) select 'P' || r, 'e', 1, 120 from generate_series(1, 5) r`,
    );
  });
  const group = (where: unknown) => ({ table: 'cities', select: 'country', where });
  const filters: [string, unknown][] = [
    ['everything', ['true']],
    ['a pattern', ['like', 'name', '%4']],
    ['nothing', ['=', 'name', 'none']],
    ['an index', ['and', ['=', 'country', 'c1'], ['>', 'population', 5]]],
    ['long texts', ['>', 'name', 'm']],
    ['a sub-select by an index', ['in', 'country', group(['=', 'population', 3])]],
    ['one in a `not`', ['not', ['in', 'country', group(['=', 'name', 'none'])]]],
    ['one without an index', ['in', 'name', { ...group(['=', 'population', 3]), select: 'name' }]],
  ];
  const texts = async (where: unknown, most: object) => {
    const found: string[] = [];
    let pages = 0;
    for (let above: string | undefined = ''; above !== undefined; pages++) {
      const page = await readPage(
        database,
        schema,
        { table: 'cities', where, above, realms, limit: 2_000 },
        { rows: 2_000, bytes: 64 * kMega, ...most },
      );
      const { rows, upto, more } = JSON.parse(page.text) as {
        rows: Row[];
        upto?: string;
        more: boolean;
      };
      expect(rows.every(({ id }) => id > String(above))).toBe(true);
      found.push(...rows.map(({ id, realm }) => `${id} ${realm}`));
      expect(more && (upto ?? rows.at(-1)?.id ?? '') <= above).toBe(false);
      above = more ? (upto ?? rows.at(-1)?.id) : undefined;
    }
    return { found: found.sort(), pages };
  };
  test.each(filters)('has the same rows: %s', async (_name, where) => {
    const whole = await texts(where, {});
    expect(whole.pages).toBe(1);
    const goesOn = () => false;
    const portions = [
      { looks: 9, goesOn },
      { looks: 17, goesOn },
      { looks: 40 },
      { work: 300, goesOn },
      { rows: 5, looks: 11 },
      { bytes: 5_000, looks: 30 },
    ];
    for (const portion of portions)
      expect((await texts(where, portion)).found, JSON.stringify(portion)).toEqual(whole.found);
    expect((await texts(where, { looks: 17, goesOn })).pages).toBeGreaterThan(10);
    expect((await texts(where, { looks: 40 })).pages).toBe(1);
  });

  test('counts long texts by their length', async () => {
    const pages = async (where: unknown) =>
      (await texts(where, { work: 10_000, goesOn: () => false })).pages;
    expect(await pages(['>', 'population', 5])).toBe(1);
    expect(await pages(['like', 'name', '%none'])).toBeGreaterThan(3);
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

describe('ranges of the log', () => {
  const most = { changes: 100, bytes: 4 * kMega, isOmitted: false };
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
});
