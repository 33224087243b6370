// Goal: a page that is looked for in parts, or that ends early, has no row twice and leaves none out; and what changed inner rows
// concern is limited. Method: the reads themselves, over rows in several realms, some with the same ids.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import type { CandidateNeed } from '../../server/src/base/wire-types.ts';
import type { Database, Queryable } from '../../server/src/db/database.ts';
import { readCandidates } from '../../server/src/pull/join-reads.ts';
import { readPage } from '../../server/src/pull/pages.ts';
import { Portion, type PullOptions, PullReading } from '../../server/src/pull/reading.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { openTestDatabase } from './support/database.ts';
import { pullNeeds } from './support/needs.ts';
import { testSchema } from './support/schemas.ts';

const schema = sqlSchema(testSchema);
const kMega = 1 << 20;
let database: Database;
type Row = { readonly id: string; readonly realm: string };

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database);
  await database.transaction({ mode: 'tables' }, (tx) => applySchema(tx, testSchema, schema));
});

afterAll(async () => {
  await database.close();
});

describe('a page that is looked for in parts', () => {
  const realms = ['P1', 'P2', 'P3', 'P4', 'P5'];
  beforeAll(async () => {
    // Two realms of which one begins where the other ends, and three that have ids in between, some of them the same.
    await database.query(
      `insert into public.cities (id, realm, revision, created_at, modified_at, name, country, population, deleted_at)
       select 'p' || to_char(case r when 1 then i when 2 then i + 60 else i * 3 + r % 2 end, 'FM0000'), 'P' || r, 1, now(), now(),
              case when i % 7 = 0 then repeat('long ', 4000) else 'n' || i % 5 end,
              'c' || i % 3, i % 11, case when i % 13 = 0 then now() end
         from generate_series(1, 5) r, generate_series(1, 40) i`,
    );
    await database.query(
      `insert into skerry.realm (realm, epoch, head, rows) select 'P' || r, 'e', 1, 40 from generate_series(1, 5) r`,
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
  const texts = async (where: unknown, most: object, of = realms) => {
    const found: string[] = [];
    let pages = 0;
    for (let above: string | undefined = ''; above !== undefined; pages++) {
      const page = await readPage(
        database,
        schema,
        { table: 'cities', where, above, realms: of, limit: 2_000 },
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
      { looks: 17, goesOn },
      { looks: 40 },
      { work: 500, goesOn },
      { rows: 15, looks: 11 },
      { bytes: 50_000, looks: 30 },
    ];
    for (const portion of portions)
      expect((await texts(where, portion)).found, JSON.stringify(portion)).toEqual(whole.found);
    expect((await texts(where, { looks: 17, goesOn })).pages).toBeGreaterThan(2);
    const alone = await texts(where, { looks: 7, goesOn }, ['P2']);
    expect(alone.found).toEqual(whole.found.filter((row) => row.endsWith(' P2')));
    expect((await texts(where, { looks: 40 })).pages).toBe(1);
  });

  test('selects by inner rows of the same realm only', async () => {
    await database.query(
      `insert into public.cities (id, realm, revision, created_at, modified_at, name, country, population)
       select 'q' || n, 'Q' || n, 1, now(), now(), 'same', 'same', n from generate_series(1, 3) n`,
    );
    for (const select of ['country', 'name']) {
      const where = ['in', select, { table: 'cities', select, where: ['=', 'population', 2] }];
      for (const of of [['Q1'], ['Q1', 'Q2'], ['Q1', 'Q2', 'Q3']]) {
        const { found } = await texts(where, {}, of);
        expect(found).toEqual(of.length === 1 ? [] : ['q2 Q2']);
      }
    }
  });

  test('counts long texts by their length', async () => {
    const pages = async (where: unknown) =>
      (await texts(where, { work: 5_000, goesOn: () => false })).pages;
    expect(await pages(['>', 'population', 5])).toBe(1);
    expect(await pages(['like', 'name', '%none'])).toBeGreaterThan(3);
  });
});

test('pages end after some time, each answer with one at least', async () => {
  const need = { table: 'cities', where: ['true'], above: '', realms: ['P1'], limit: 2 };
  const images = { offer: () => Promise.reject(new Error('There are none.')) };
  const options = { database, schema, images, snapshotSaves: 0 } as unknown as PullOptions;
  const pagesIn = async (msOfAPage: number) => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const tx: Queryable = {
      query(sql, params, more) {
        now += msOfAPage;
        return database.query(sql, params, more);
      },
    };
    try {
      const reading = new PullReading(options, Portion.all);
      const text = await reading.read(tx, pullNeeds({ pages: [need, need, need] }), ['P1']);
      return (JSON.parse(text) as { pages: unknown[] }).pages.map((page) => page !== null);
    } finally {
      clock.mockRestore();
    }
  };
  expect(await pagesIn(0)).toEqual([true, true, true]);
  expect(await pagesIn(limits.pagesMs * 0.7)).toEqual([true, true, false]);
  expect(await pagesIn(limits.pagesMs * 10)).toEqual([true, false, false]);
});

test('outer rows of changed inner ones are limited over all realms together', async () => {
  const most = { rows: 35, bytes: 64 * kMega, looks: 1_000 };
  const needs = ['P1', 'P2', 'P3'].map((realm) => ({
    ...{ realm, table: 'cities', prop: 'country', values: ['c1', 'none'] },
  }));
  const read = async (one: readonly CandidateNeed[], more = {}) =>
    (await readCandidates(database, schema, one, { ...most, ...more })).map((text) => {
      const { rows, more: isTooMany } = JSON.parse(text) as { rows: Row[]; more: boolean };
      expect(rows.every(({ realm }) => realm === rows[0]?.realm)).toBe(true);
      return isTooMany ? 'too many' : rows.length;
    });
  const [count] = await read(needs.slice(0, 1));
  expect(count).toBeGreaterThan(11);
  expect(await read(needs.slice(0, 2))).toEqual([count, count]);
  expect(await read(needs)).toEqual(['too many', 'too many', 'too many']);
  // Without an index all rows are looked at.
  const byName = needs.map((need) => ({ ...need, prop: 'name', values: ['n1'] }));
  const [byNames] = await read(byName.slice(0, 1));
  expect(byNames).toBeGreaterThan(3);
  expect(await read(byName, { looks: 100 })).toEqual(['too many', 'too many', 'too many']);
});
