// Goal: typed tables follow the schema, and rows are stored and read as the authority writes them. Method: an empty
// database.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RowNeeds } from '../../server/src/base/wire-types.ts';
import { type Database, Params } from '../../server/src/db/database.ts';
import { type SchemaDescription, SchemaError } from '../../server/src/sql/description.ts';
import { RowBudget, TooMuchRead } from '../../server/src/sql/row-budget.ts';
import { readNeeds, writingRows } from '../../server/src/sql/rows.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { openTestDatabase } from './support/database.ts';
import { rowNeeds } from './support/needs.ts';
import { testSchema } from './support/schemas.ts';
import { apply, full, locked, makeEmpty, withCities, writeRows } from './support/typed-tables.ts';

let db: Database;

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(() => makeEmpty(db));
afterAll(() => db.close());

async function readCity(id: string, realm = full.realm): Promise<unknown> {
  const needs = rowNeeds({ rows: [[realm, 'cities', id]] });
  const text = await readNeeds(db, sqlSchema(testSchema), needs);
  return (JSON.parse(text) as { rows: unknown[] }).rows[0];
}

describe('typed tables', () => {
  test('stores and reads a row of every prop type unchanged', async () => {
    await apply(db, testSchema);
    await writeRows(db, [full]);
    expect(await readCity('Åre')).toEqual(full);
  });

  test('props named like PostgreSQL’s own columns work like any other', async () => {
    const names = ['xmin', 'xmax', 'cmin', 'cmax', 'ctid', 'tableoid'];
    const bounds = withCities((props) => [
      ...props,
      ...names.map((name) => ({ ...props[2], name })),
    ]);
    await apply(db, bounds);
    await apply(db, bounds);
    const props = Object.fromEntries(names.map((name, i) => [name, i]));
    const row = { ...full, props: { ...full.props, ...props } };
    const params = new Params();
    const list = [{ table: 'cities', list: JSON.stringify([row]) }];
    const { members, check } = writingRows(sqlSchema(bounds), list, 1, locked, params);
    await db.query(`with ${members.join(',')} select ${check}::text as written`, params.values);
    const text = await readNeeds(
      db,
      sqlSchema(bounds),
      rowNeeds({ rows: [[full.realm, 'cities', 'Åre']] }),
    );
    expect(JSON.parse(text)).toMatchObject({ rows: [{ props }] });
  });

  test('creates each index, however long or similar the names are', async () => {
    const kind = { type: 'ref', optional: true, index: true, unique: false };
    const ref = (name: string) => ({ ...kind, name, ref: { table: 'notices' } });
    const table = (name: string, ...props: unknown[]) => ({
      ...{ name, ids: 'uuid', autosubscribe: false },
      props,
    });
    const long = 'a'.repeat(45);
    const schema = {
      ...testSchema,
      tables: [
        ...testSchema.tables,
        table(long, ref('theSameBeginningOne'), ref('theSameBeginningTwo')),
        table(`${long}Other`, ref('theSameBeginningOne')),
        table('å'.repeat(30), ref('å'.repeat(17)), ref(`${'å'.repeat(17)}X`)),
        table('a', ref('bC')),
        table('aB', ref('c')),
      ],
    } as unknown as SchemaDescription;
    const indexed = () =>
      db.query<{ table: string; columns: string; name: string }>(
        `select t.relname::text as table, i.relname::text as name, pg_get_indexdef(i.oid) as columns
           from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
          where t.relnamespace = 'public'::regnamespace and not x.indisprimary order by 1, 3`,
      );
    // As an earlier version has left it: of two indexes with the same shortened name, only the first.
    await apply(db, {
      ...schema,
      tables: schema.tables.map((one) => ({
        ...one,
        props: one.props.filter(({ type }) => type !== 'ref'),
      })),
    });
    const cut = `${long.slice(0, 40)}_the_same_beginning_ix`;
    await db.execute(
      `alter table public.${long} add column the_same_beginning_one text collate "C";
       create index ${cut} on public.${long} (the_same_beginning_one) where deleted_at is null`,
    );
    await apply(db, schema);
    const first = await indexed();
    const of = (name: string) => first.filter(({ table }) => table === name).length;
    expect([of(long), of(`${long}_other`), of('å'.repeat(30)), of('a'), of('a_b')]).toEqual([
      5, 3, 5, 3, 3,
    ]);
    expect(first.map(({ name }) => name)).toContain(cut);
    expect(
      first.filter(({ columns }) => columns.includes('(the_same_beginning_one)')),
    ).toHaveLength(2);
    await apply(db, schema);
    expect(await indexed()).toEqual(first);
  });

  test('has indexes by realm of refs and declared props, in older databases, too', async () => {
    const byRealm = async () => {
      const rows = await db.query<{ definition: string }>(
        `select indexdef as definition from pg_indexes where schemaname = 'public' and indexname ~ '_realm_.+_ix$'`,
      );
      return rows.map(({ definition }) => definition.replace(/^.* USING btree /, '')).sort();
    };
    const wanted = [
      '(realm, "group", id) WHERE (deleted_at IS NULL)',
      '(realm, "left"(country, 200), id) WHERE (deleted_at IS NULL)',
    ];
    await apply(db, testSchema);
    expect(await byRealm()).toEqual(wanted);
    await db.execute('drop index cities_realm_country_ix; drop index members_realm_group_ix');
    await apply(db, testSchema);
    expect(await byRealm()).toEqual(wanted);
    const declared = (props: readonly { name: string }[]) =>
      props.map((prop) => (prop.name === 'population' ? { ...prop, index: true } : prop));
    await apply(
      db,
      withCities((props) => declared(props as { name: string }[])),
    );
    expect(await byRealm()).toContain('(realm, population, id) WHERE (deleted_at IS NULL)');
  });

  test('replaces the whole row when it is written again', async () => {
    await apply(db, testSchema);
    const second = { ...full, deletedAt: 5, movedTo: 'team', props: { name: 'x' } };
    await writeRows(db, [full]);
    await writeRows(db, [second]);
    expect(await readCity('Åre')).toMatchObject({
      deletedAt: 5,
      movedTo: 'team',
      props: { name: 'x', population: null },
    });
  });

  test('keep what only other releases have in a row that moves, not in a new one', async () => {
    await apply(db, testSchema);
    await db.execute(`alter table public.cities add attic text default 'none'`);
    const attics = async () =>
      (await db.query(`select t.attic from public.cities t order by t.realm`)).map(
        ({ attic }) => attic,
      );
    await writeRows(db, [full]);
    expect(await attics()).toEqual(['none']);
    await db.execute(`update public.cities set attic = 'kept'`);
    await writeRows(db, [{ ...full, revision: 58 }]);
    const left = { ...full, revision: 59, deletedAt: 5, movedTo: 'team' };
    await writeRows(db, [left, { ...full, realm: 'team', revision: 3 }]);
    expect(await attics()).toEqual(['kept', 'kept']);
    await writeRows(db, [{ ...full, revision: 60, createdAt: full.createdAt + 1 }]);
    expect(await attics()).toEqual(['none', 'kept']);
  });

  test('keeps the rows of one id in two realms apart', async () => {
    await apply(db, testSchema);
    await writeRows(db, [full]);
    await writeRows(db, [{ ...full, realm: 'team', revision: 9 }]);
    expect(await readCity('Åre')).toEqual(full);
    expect(await readCity('Åre', 'team')).toMatchObject({ realm: 'team', revision: 9 });
    expect(await readCity('Åre', 'elsewhere')).toBeUndefined();
  });

  test('does not overwrite a row in a realm that is not locked', async () => {
    await apply(db, testSchema);
    await writeRows(db, [full]);
    await db.query(`update public.cities set realm = 'elsewhere'`);
    const row = { ...full, realm: 'elsewhere', revision: 9 };
    await expect(writeRows(db, [row])).rejects.toMatchObject({ code: '40001' });
    expect(await readCity('Åre', 'elsewhere')).toMatchObject({ revision: full.revision });
  });

  test('finds children and unique rivals, but no tombstones or other realms', async () => {
    await apply(db, testSchema);
    const schema = sqlSchema(testSchema);
    const at = { createdAt: 1, modifiedAt: 1, revision: 1, deletedAt: null };
    const group = '00000000-0000-8000-8000-000000000001';
    await writeRows(db, [
      { table: 'members', id: 'm1', realm: 'public', ...at, props: { group } },
      { table: 'members', id: 'm2', realm: 'public', ...at, deletedAt: 2, props: { group } },
      {
        table: 'cities',
        id: 'c1',
        realm: 'public',
        ...at,
        props: { name: 'a', code: full.props.code },
      },
      {
        table: 'cities',
        id: 'c2',
        realm: 'team',
        ...at,
        props: { name: 'b', code: full.props.code },
      },
    ] as never);
    const children = await readNeeds(
      db,
      schema,
      rowNeeds({
        children: [['public', 'members', 'group', group]],
      }),
    );
    expect((JSON.parse(children) as { rows: { id: string }[] }).rows.map(({ id }) => id)).toEqual([
      'm1',
    ]);
    const rivals = await readNeeds(
      db,
      schema,
      rowNeeds({
        unique: [['public', 'cities', 'code', full.props.code]],
      }),
    );
    expect((JSON.parse(rivals) as { rows: { id: string }[] }).rows.map(({ id }) => id)).toEqual([
      'c1',
    ]);
  });

  test('reads no more rows and bytes than its limits', async () => {
    await apply(db, testSchema);
    const schema = sqlSchema(testSchema);
    const at = { realm: 'public', createdAt: 1, modifiedAt: 1, revision: 1, deletedAt: null };
    const group = '00000000-0000-8000-8000-000000000001';
    const numbers = Array.from({ length: 40 }, (_, i) => i);
    // Half of the bytes are a text, half are JSON; both compress to little on disk.
    const props = { name: 'a'.repeat(5_000), extra: { b: 'b'.repeat(5_000) } };
    await writeRows(db, [
      ...numbers.map((i) => ({ table: 'cities', id: `c${i}`, ...at, props })),
      ...numbers.map((i) => ({ table: 'members', id: `m${i}`, ...at, props: { group } })),
    ] as never);
    const cities = rowNeeds({ rows: numbers.map((i) => ['public', 'cities', `c${i}`] as const) });
    const children = rowNeeds({ children: [['public', 'members', 'group', group] as const] });
    const read = async (needs: RowNeeds, rows: number, bytes: number) => {
      const text = await readNeeds(db, schema, needs, new RowBudget(rows, bytes));
      return (JSON.parse(text) as { rows: unknown[] }).rows.length;
    };
    for (const needs of [cities, children]) {
      expect(await read(needs, 40, 1e6)).toBe(40);
      await expect(read(needs, 39, 1e6)).rejects.toThrow(TooMuchRead);
    }
    await expect(read(cities, 40, 40 * 10_000)).rejects.toThrow(TooMuchRead);
    // Several statements of one transaction share the budget.
    const budget = new RowBudget(79, 1e6);
    await readNeeds(db, schema, cities, budget);
    await expect(readNeeds(db, schema, children, budget)).rejects.toThrow(TooMuchRead);
  });

  test('widens the tables for a grown schema; a required prop gets its default', async () => {
    await apply(db, testSchema);
    await writeRows(db, [full]);
    const grown = withCities((props) => [
      ...props,
      { name: 'mayor', type: 'string', optional: true },
      { name: 'likes', type: 'number', optional: false, default: 7 },
    ]);
    await apply(db, grown);
    const text = await readNeeds(
      db,
      sqlSchema(grown),
      rowNeeds({ rows: [[full.realm, 'cities', 'Åre']] }),
    );
    const [row] = (JSON.parse(text) as { rows: { props: object }[] }).rows;
    expect(row?.props).toMatchObject({ name: full.props.name, mayor: null, likes: 7 });
  });

  test('refuses a schema that rows cannot follow, names all problems, changes nothing', async () => {
    await apply(db, testSchema);
    await writeRows(db, [full]);
    const broken = withCities((props) => [
      ...props.map((prop) => (prop.name === 'population' ? { ...prop, type: 'string' } : prop)),
      { name: 'mayor', type: 'string', optional: false },
      { name: 'fine', type: 'string', optional: true },
    ]);
    const error = await apply(db, broken).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SchemaError);
    expect((error as Error).message).toContain('cities.mayor is new and required');
    expect((error as Error).message).toContain('cities.population is text now');
    const columns = await db.query(
      `select column_name from information_schema.columns where table_name = 'cities' and column_name = 'fine'`,
    );
    expect(columns).toEqual([]);
  });

  test('refuses two props that would share a column', () => {
    const clash = withCities((props) => [...props, { name: 'founded_on', type: 'string' }]);
    expect(() => sqlSchema(clash)).toThrow(/founded_on/);
  });
});
