// Adopts tables of an existing PostgreSQL, in one transaction, or takes it back.

import { installCapture } from '../capture/install.ts';
import { type Database, isUnavailable, type Queryable, sqlState } from '../db/database.ts';
import { readAdopted, readAdoptedNames, writeAdopted } from '../sql/adopted-names.ts';
import { applySchema } from '../sql/apply-schema.ts';
import { type SchemaDescription, SchemaError } from '../sql/description.ts';
import { withLeftColumns } from '../sql/left-columns.ts';
import { kMembers, withMembers } from '../sql/members.ts';
import { lockTables, migrate, wasServed } from '../sql/migrations.ts';
import { NameError, quoteName } from '../sql/names.ts';
import { readNewest, writeNewest } from '../sql/newest-schema.ts';
import { kWriteAnything } from '../sql/own-writes.ts';
import { ownSearchPath } from '../sql/search-path.ts';
import { type SqlSchema, sqlSchema } from '../sql/tables.ts';
import { type CatalogTable, readCatalog } from './catalog.ts';
import {
  copying,
  type MirrorParts,
  mirrorFunctions,
  mirrorTriggers,
  unmirroring,
} from './mirror.ts';
import {
  type AdoptedName,
  type AdoptedTable,
  type AdoptionPlan,
  kIdColumn,
  planAdoption,
} from './plan.ts';
import { schemaOf } from './schema-text.ts';

export interface Adoption extends AdoptionPlan {
  /** Those that were adopted before come first. */
  readonly all: readonly AdoptedTable[];
  /** That of the schema with all of them. */
  readonly version: number;
  /** Tables of the schema that is served already, beside the adopted ones. */
  readonly served: readonly string[];
}

/** Parents first: what refers to a table needs its rows. */
function inOrder(tables: readonly AdoptedTable[]): AdoptedTable[] {
  const sorted: AdoptedTable[] = [];
  const visit = (table: AdoptedTable, above: ReadonlySet<string>) => {
    if (sorted.includes(table) || above.has(table.name)) return;
    // The realm decides first: refs may go round in a circle, realms do not.
    const { realm } = table;
    const parents = tables.filter((each) => realm.kind === 'parent' && each.table === realm.target);
    for (const parent of parents) visit(parent, new Set([...above, table.name]));
    sorted.push(table);
  };
  for (const table of tables) visit(table, new Set());
  return sorted;
}

async function readAround(tx: Queryable) {
  const isServed = await wasServed(tx);
  const newest = isServed ? await readNewest(tx) : null;
  const earlier = isServed ? await readAdopted<AdoptedTable>(tx) : [];
  const adopted = new Set([kMembers, ...earlier.map(({ name }) => name)]);
  const served = (newest?.tables ?? [])
    .map(({ name }) => name)
    .filter((name) => !adopted.has(name));
  return { newest, earlier, served };
}

async function plan(tx: Queryable, names: readonly AdoptedName[]): Promise<Adoption> {
  const { newest, earlier, served } = await readAround(tx);
  const { tables, problems, notes } = await planAdoption(tx, names, { earlier, served });
  const all = [...earlier, ...tables];
  const version = (newest?.version ?? 0) + 1;
  const clash = problems.length > 0 ? null : sharedNames(schemaWith(newest, all), all);
  return { tables, problems: clash === null ? problems : [clash], notes, all, version, served };
}

/** Why the schema has no tables in SQL, if it has none. */
function sharedNames(schema: SchemaDescription, all: readonly AdoptedTable[]): string | null {
  try {
    sqlSchema(schema, new Map(all.map(({ name, mirror }) => [name, mirror])));
    return null;
  } catch (error) {
    if (error instanceof SchemaError || error instanceof NameError) return error.message;
    throw error;
  }
}

/** The schema that is served, if one is, with these tables. */
function schemaWith(
  newest: SchemaDescription | null,
  all: readonly AdoptedTable[],
): SchemaDescription {
  const base = newest ?? { ...schemaOf([]) };
  const known = new Set(base.tables.map(({ name }) => name));
  const more = schemaOf(all).tables.filter(({ name }) => !known.has(name));
  return withMembers({ ...base, tables: [...base.tables, ...more] });
}

/**
 * Adopts the tables. With problems nothing was changed. `done` is called before the transaction is committed: if it throws, nothing
 * was changed, either.
 */
export async function adopt(
  database: Database,
  names: readonly AdoptedName[],
  done: (adoption: Adoption) => void = () => {},
): Promise<Adoption> {
  const first = await database.transaction({ mode: 'snapshot' }, (tx) => plan(tx, names));
  if (first.problems.length > 0) return first;
  await migrate(database);
  try {
    return await database.transaction({ mode: 'tables' }, async (tx) => {
      await lockTables(tx);
      // What was planned may not be true any more.
      const again = await plan(tx, names);
      if (again.problems.length > 0) return again;
      await carryOut(tx, again);
      done(again);
      return again;
    });
  } catch (error) {
    return { ...first, problems: [refusal(error)] };
  }
}

/** What the database says of rows or tables that cannot be adopted, or be as they were. */
function refusal(error: unknown): string {
  if (sqlState(error) === '' || isUnavailable(error)) throw error;
  return `The database refused it: ${(error as Error).message}`;
}

async function carryOut(tx: Queryable, { tables, all }: Adoption): Promise<void> {
  const { newest } = await readAround(tx);
  await writeAdopted(tx, all);
  for (const { table } of tables) {
    await tx.query(`lock table public.${quoteName(table)} in access exclusive mode`);
  }
  const description = schemaWith(newest, all);
  const schema = await readSchema(tx, description);
  await tx.query(`select ${kWriteAnything} as mark`);
  await applySchema(tx, { ...description, tables: schemaOf(tables).tables }, schema);
  await installCapture(tx, description, await readSchema(tx, description));
  await tx.query(
    `select set_config('skerry.writer', '', true) as mark, set_config('skerry.max_rows', '9000000000000000', true) as rows,
            set_config('skerry.max_realms', '9000000000000000', true) as realms`,
  );
  for (const { table } of tables) {
    await tx.query(
      `alter table public.${quoteName(table)} add column ${quoteName(kIdColumn)} text collate "C" not null default skerry.uuid_v7() unique`,
    );
  }
  const parts = await mirrorParts(tx, all, schema);
  const path = await ownSearchPath(tx);
  // Those of before have followers now, perhaps.
  for (const table of all) {
    for (const statement of mirrorFunctions(parts, table, path)) await tx.query(statement);
  }
  for (const table of inOrder(tables)) {
    for (const statement of copying(parts, table)) await tx.query(statement);
    for (const statement of mirrorTriggers(table)) await tx.query(statement);
  }
}

async function readSchema(tx: Queryable, description: SchemaDescription): Promise<SqlSchema> {
  return withLeftColumns(tx, sqlSchema(description, await readAdoptedNames(tx)));
}

async function mirrorParts(
  tx: Queryable,
  tables: readonly AdoptedTable[],
  schema: SqlSchema,
): Promise<MirrorParts> {
  const catalog = new Map<string, CatalogTable | null>();
  for (const { table } of tables) catalog.set(table, await readCatalog(tx, table));
  return {
    tables,
    of: (table, column) => {
      const found = catalog.get(table)?.columns.find(({ name }) => name === column);
      if (found === undefined) throw new Error(`${table} has lost its column ${column}.`);
      return found;
    },
    columnOf: (table, { prop }) =>
      schema.get(table.name)?.columns.find((each) => each.prop === prop)?.name ?? '',
  };
}

/** Takes an adoption back. Returns the sentences of what stands in the way. */
export async function abandon(database: Database, names: readonly string[]): Promise<string[]> {
  try {
    return await database.transaction({ mode: 'tables' }, (tx) => abandonIn(tx, names));
  } catch (error) {
    return [refusal(error)];
  }
}

async function abandonIn(tx: Queryable, names: readonly string[]): Promise<string[]> {
  const { newest, earlier } = await readAround(tx);
  const gone = earlier.filter(({ table }) => names.includes(table));
  const left = earlier.filter(({ table }) => !names.includes(table));
  const problems = [
    ...names
      .filter((table) => !gone.some((each) => each.table === table))
      .map((table) => `${table} is not adopted.`),
    ...gone.flatMap((table) => needing(table, left)),
  ];
  if (problems.length > 0) return problems;
  await lockTables(tx);
  for (const table of gone) {
    for (const statement of unmirroring(table)) await tx.query(statement);
    await tx.query('delete from skerry.owed where table_name = $1::text', [table.name]);
  }
  await writeAdopted(tx, left);
  const without = new Set(gone.map(({ name }) => name));
  const base = newest && {
    ...newest,
    tables: newest.tables.filter(({ name }) => !without.has(name)),
  };
  if (base !== null) await writeNewest(tx, base);
  // The functions of what stays know nothing of what is gone.
  const description = schemaWith(base, left);
  const schema = await readSchema(tx, description);
  await installCapture(tx, description, schema);
  const [parts, path] = [await mirrorParts(tx, left, schema), await ownSearchPath(tx)];
  for (const table of left) {
    for (const statement of mirrorFunctions(parts, table, path)) await tx.query(statement);
  }
  return [];
}

/** What stays adopted and needs the rows of a table. */
function needing({ table, name }: AdoptedTable, left: readonly AdoptedTable[]): string[] {
  const all = left.filter(({ props }) => props.some(({ ref }) => ref?.table === name));
  if (all.length === 0) return [];
  const others = all.map((each) => each.table).join(', ');
  return [`${table}: rows of ${others} refer to its rows. Take back ${others}, too.`];
}
