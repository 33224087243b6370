/** Migrations of a schema: the former names that its description has, and what is refused where it is written. */
import { describe, expect, test } from 'vitest';
import { type Migration, type Migrations, schema, t, table } from '../../js/index.ts';

const tables = {
  cities: table({ name: t.string(), population: t.number(), size: t.number() }),
  roads: table({ city: t.ref('cities') }),
};

function made(migrations: Migrations, version = 4) {
  return schema(tables, { version, migrations });
}

interface Described {
  readonly name: string;
  readonly was?: readonly unknown[];
  readonly props: readonly Described[];
}

/** The former names in the description that core and server get. */
function formerNames(migrations: Migrations): Record<string, unknown> {
  const described = JSON.parse(JSON.stringify(made(migrations))) as { tables: Described[] };
  return Object.fromEntries(
    described.tables.flatMap((of) => [
      [of.name, of.was],
      ...of.props.map((prop) => [`${of.name}.${prop.name}`, prop.was]),
    ]),
  );
}

describe('the description of a schema', () => {
  test('has former names with the versions that ended them, the oldest first', () => {
    const names = formerNames({
      2: (m) => {
        m.table('towns').renameProp('people', 'pop');
        m.renameTable('towns', 'places');
        m.table('places').renameProp('title', 'label').renameProp('label', 'caption');
      },
      4: (m) => {
        m.renameTable('places', 'cities');
        m.table('cities').renameProp('pop', 'population').renameProp('caption', 'name');
      },
    });
    const was = (...all: [string, number][]) => all.map(([name, until]) => ({ name, until }));
    expect(names.cities).toEqual(was(['towns', 2], ['places', 4]));
    expect(names['cities.population']).toEqual(was(['people', 2], ['pop', 4]));
    expect(names['cities.name']).toEqual(was(['title', 2], ['label', 2], ['caption', 4]));
    for (const name of ['roads', 'roads.city', 'cities.size']) expect(names[name]).toBeUndefined();
  });

  test('is as it was without migrations', () => {
    expect(JSON.stringify(made({}))).toBe(JSON.stringify(schema(tables, { version: 4 })));
    expect(JSON.stringify(made({}))).not.toContain('was');
  });

  test('lets a name return to what had it first', () => {
    const names = formerNames({
      2: (m) => m.table('cities').renameProp('size', 'area'),
      3: (m) => m.table('cities').renameProp('area', 'size'),
    });
    expect(names['cities.size']).toEqual([
      { name: 'size', until: 2 },
      { name: 'area', until: 3 },
    ]);
  });
});

const wrong: readonly (readonly [why: string, migrations: Migrations, sentence: RegExp])[] = [
  ['a version to come', { 5: () => {} }, /migrations, 5: no such version/],
  ['the first version', { 1: () => {} }, /migrations, 1: no such version/],
  ['a prop that is not there', { 2: (m) => prop(m, 'a', 'b') }, /migrations, 2: there is no b/],
  ['a table that is not there', { 3: (m) => m.renameTable('a', 'b') }, /there is no b/],
  ['props of a table that is not there', { 3: (m) => ignore(m.table('a')) }, /there is no a/],
  [
    'a name that another prop has',
    { 2: (m) => prop(m, 'size', 'population') },
    /size is a name of size/,
  ],
  [
    'a name that another prop has had',
    {
      2: (m) => prop(m, 'pop', 'size'),
      3: (m) => prop(m, 'pop', 'population'),
    },
    /pop is a name of population, too/,
  ],
  [
    'a name that another table has had',
    {
      2: (m) => m.renameTable('towns', 'roads'),
      3: (m) => m.renameTable('towns', 'cities'),
    },
    /towns is a name of cities, too/,
  ],
  [
    'a name that ended before',
    {
      2: (m) => prop(m, 'pop', 'population'),
      3: (m) => prop(m, 'people', 'population'),
    },
    /migrations, 2: there is no population/,
  ],
  ['what is no function', { 2: 'rename' as never }, /migrations, 2 takes a function/],
];

function prop(m: Migration, from: string, to: string): void {
  m.table('cities').renameProp(from, to);
}
function ignore(of: ReturnType<Migration['table']>): void {
  of.renameProp('x', 'y');
}

test.each(wrong)('refuses %s', (_why, migrations, sentence) => {
  expect(() => made(migrations)).toThrow(sentence);
});
