// Goal: a filter selects the same rows in SQL and in C++. Method: the same scope is pulled twice: as filled, so that
// the authority filters the rows of the range, and as unfilled, so that a page of SQL does.

import { beforeAll, expect, test } from 'vitest';
import { postgresUrl } from './support/database.ts';
import { type Json, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();
let before: Record<string, string>;
const realm = 'public';

const texts = [
  null,
  '',
  'a',
  'A',
  'å',
  'Å',
  'z',
  'Sto',
  'Stockholm',
  'sto',
  'S%o',
  'S_o',
  'S\\o',
  '10',
  '9',
  '\u{10000}',
  '\uffff',
  'a\nb',
  '😀b',
];
const numbers = [null, 0, -1, 1, 0.1, 1e300, -1e-300, 10, 9, 2 ** 53 - 1];
const booleans = [null, true, false];
const dates = [null, 0, -62135596800000, 1760000000123, 8.64e15, -210_866_803_200_000];
/** In filters, some dates are earlier than any database can store. */
const named = [...dates, -8.64e15, -210_866_803_200_001];
const bytes = [null, '', 'AA==', 'AP8=', '/w=='];
const sizes = [null, 's', 'm', 'l'];

beforeAll(async () => {
  const writer = new WireClient(server.url);
  // An earlier entry, so that the first cursor is not the empty one.
  await writer.push([{ op: 'create', table: 'notices', id: 'n', realm, set: {} }]);
  const { body } = await writer.pull();
  before = body.cursors as Record<string, string>;
  const ops: Json[] = [];
  for (let i = 0; i < 190; i++) {
    const set: Json = { name: texts[1 + (i % (texts.length - 1))]! };
    const put = (prop: string, value: unknown) => {
      if (value !== null) set[prop] = value;
    };
    put('country', texts[(i * 7) % texts.length]);
    put('population', numbers[(i * 3) % numbers.length]);
    put('capital', booleans[i % 3]);
    put('foundedOn', dates[i % dates.length]);
    put('flag', bytes[(i * 2) % bytes.length]);
    put('size', sizes[i % 4]);
    ops.push({ op: 'create', table: 'cities', id: `c${String(i).padStart(4, '0')}`, realm, set });
  }
  expect(await writer.push(ops)).toMatchObject({ status: 'applied' });
});

async function matches(
  where: unknown,
  filled: boolean,
): Promise<{ status: number; ids: string[] }> {
  const reader = new WireClient(server.url, 'reader');
  const { status, body } = await reader.pull({
    cursors: before,
    scopes: [{ table: 'cities', where, filled }],
  });
  const changes = (body.changes ?? []) as Json[];
  return { status, ids: changes.map(({ id }) => String(id)).sort() };
}

// `>` and `>=` negate `<=` and `<` on values that are not null; they are compared on text, numbers and dates only.
const operators = ['=', '!=', '<', '<='];
const comparisons: unknown[] = [
  ...['>', '>='].flatMap((operator) => [
    ...['', 'a', 'å', '10', '\u{10000}', null].map((value) => [operator, 'country', value]),
    ...named.map((value) => [operator, 'foundedOn', value]),
    ...[0, 10, 1e300, null].map((value) => [operator, 'population', value]),
  ]),
  ...operators.flatMap((operator) => [
    ...texts.map((value) => [operator, 'country', value]),
    ...numbers.map((value) => [operator, 'population', value]),
    ...booleans.map((value) => [operator, 'capital', value]),
    ...named.map((value) => [operator, 'foundedOn', value]),
    ...bytes.map((value) => [operator, 'flag', value]),
    ...sizes.map((value) => [operator, 'size', value]),
    [operator, 'id', 'c0100'],
    [operator, 'realm', 'public'],
  ]),
  ...[
    '%',
    '',
    'S%',
    '%o',
    'S_o',
    'S\\_o',
    'S\\%o',
    'S\\\\o',
    '_',
    '__',
    '%_%',
    'sto%',
    'å',
    '%\n%',
    '%o%c%h%',
    '%_o%o%',
    '%k__m',
    'S%_%m',
    '%%t%_',
    '😀_',
    '_b',
    'S\\',
    'S\\\\',
  ].map((pattern) => ['like', 'country', pattern]),
  ['in', 'country', ['a', 'å', 'Stockholm']],
  ['in', 'country', []],
  ['in', 'population', [0, 10, 1e300]],
  ['in', 'size', ['s', 'l']],
  ['in', 'capital', [true]],
  ['in', 'foundedOn', [0, -8.64e15]],
  ['in', 'country', ['a', null]],
  ['true'],
];

/** Pairs of comparisons under the connectives, evenly selected. */
const combined: unknown[] = comparisons.flatMap((filter, i) => {
  const other = comparisons[(i * 31 + 17) % comparisons.length];
  if (i % 4 !== 0) return [];
  if (i % 8 !== 0) return [['not', filter]];
  return [
    ['and', filter, ['not', other]],
    ['or', filter, other],
    ['not', ['or', ['and', filter, other], ['not', other]]],
  ];
});

test('every comparison and its negation select the same rows in SQL and C++', async () => {
  let refused = 0;
  let picked = 0;
  // The connectives are not the database's own: they are compared on one.
  const filters = postgresUrl === undefined ? comparisons : [...comparisons, ...combined];
  for (const where of filters) {
    const [sql, core] = [await matches(where, false), await matches(where, true)];
    expect(sql, JSON.stringify(where)).toEqual(core);
    if (sql.status !== 200) refused++;
    if (sql.ids.length > 0 && sql.ids.length < 190) picked++;
  }
  expect(refused).toBeLessThan(20);
  expect(picked).toBeGreaterThan(filters.length / 2);
}, 300_000);

test.each([
  [['=', 'moons', 1]],
  [['=', 'population', '10']],
  [['~', 'country', 'a']],
  [['like', 'population', '1%']],
  [['and', ['nonsense']]],
  [[]],
  ['country'],
  [['not', ['not', ['not', ['not', ['not', ['not', ['not', ['not', ['true']]]]]]]]]],
])('%j is no filter, to either', async (where) => {
  expect((await matches(where, false)).status).toBe(422);
  expect((await matches(where, true)).status).toBe(422);
});
