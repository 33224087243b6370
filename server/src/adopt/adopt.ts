// Adopts tables of an existing PostgreSQL, in one transaction, or takes it back.

import { installCapture } from '../capture/install.ts';
import type { Database, Queryable } from '../db/database.ts';
import { readAdoptedNames, writeAdoptedNames } from '../sql/adopted-names.ts';
import { applySchema } from '../sql/apply-schema.ts';
import { withMembers } from '../sql/members.ts';
import { lockTables, migrate, wasServed } from '../sql/migrations.ts';
import { quoteName } from '../sql/names.ts';
import { kWriteAnything } from '../sql/own-writes.ts';
import { ownSearchPath } from '../sql/search-path.ts';
import { sqlSchema } from '../sql/tables.ts';
import { type CatalogTable, readCatalog } from './catalog.ts';
import { copying, mirroring, unmirroring } from './mirror.ts';
import {
  type AdoptedName,
  type AdoptedTable,
  type AdoptionPlan,
  camelCase,
  kIdColumn,
  mirrorName,
  planAdoption,
} from './plan.ts';
import { schemaOf } from './schema-text.ts';

/** Parents first: what refers to a table needs its rows. */
function inOrder(tables: readonly AdoptedTable[]): AdoptedTable[] {
  const sorted: AdoptedTable[] = [];
  const visit = (table: AdoptedTable, above: ReadonlySet<string>) => {
    if (sorted.includes(table) || above.has(table.name)) return;
    for (const { ref } of table.props) {
      const target = tables.find(({ name }) => name === ref?.table);
      if (target !== undefined) visit(target, new Set([...above, table.name]));
    }
    sorted.push(table);
  };
  for (const table of tables) visit(table, new Set());
  return sorted;
}

/** Adopts the tables. With problems nothing was changed. */
export async function adopt(
  database: Database,
  names: readonly AdoptedName[],
): Promise<AdoptionPlan> {
  const plan = await database.transaction({ mode: 'snapshot' }, (tx) => planAdoption(tx, names));
  if (plan.problems.length > 0) return plan;
  await migrate(database);
  return database.transaction({ mode: 'tables' }, async (tx) => {
    await lockTables(tx);
    // What was planned may not be true any more.
    const again = await planAdoption(tx, names);
    if (again.problems.length === 0) await carryOut(tx, again);
    return again;
  });
}

async function carryOut(tx: Queryable, { tables }: AdoptionPlan): Promise<void> {
  const named = new Map(await readAdoptedNames(tx));
  for (const table of tables) named.set(table.name, mirrorName(table.table));
  await writeAdoptedNames(tx, named);
  for (const { table } of tables) {
    const name = `public.${quoteName(table)}`;
    await tx.query(`lock table ${name} in access exclusive mode`);
  }
  const description = withMembers(schemaOf(tables));
  const schema = sqlSchema(description, named);
  await tx.query(`select ${kWriteAnything} as mark`);
  await applySchema(tx, description, schema);
  await installCapture(tx, description, schema);
  await tx.query(
    `select set_config('skerry.writer', '', true) as mark, set_config('skerry.max_rows', '9000000000000000', true) as rows,
            set_config('skerry.max_realms', '9000000000000000', true) as realms`,
  );
  const catalog = new Map<string, CatalogTable>();
  for (const { table } of tables) {
    await tx.query(
      `alter table public.${quoteName(table)} add column ${quoteName(kIdColumn)} text collate "C" not null default skerry.uuid_v7() unique`,
    );
    catalog.set(table, (await readCatalog(tx, table)) as CatalogTable);
  }
  const byName = new Map(tables.map((table) => [table.name, table]));
  const parts = {
    tables: byName,
    of: (table: string, column: string) => {
      const found = catalog.get(table)?.columns.find(({ name }) => name === column);
      if (found === undefined) throw new Error(`${table} has lost its column ${column}.`);
      return found;
    },
    columnOf: (table: AdoptedTable, prop: { readonly prop: string }) =>
      schema.get(table.name)?.columns.find((each) => each.prop === prop.prop)?.name ?? '',
  };
  const path = await ownSearchPath(tx);
  for (const table of inOrder(tables)) {
    await tx.query(copying(parts, table));
    for (const statement of mirroring(parts, table, path)) await tx.query(statement);
  }
}

/** Takes an adoption back. Returns the sentences of what stands in the way. */
export async function abandon(database: Database, names: readonly string[]): Promise<string[]> {
  return database.transaction({ mode: 'tables' }, async (tx) => {
    const problems: string[] = [];
    const named = new Map((await wasServed(tx)) ? await readAdoptedNames(tx) : []);
    for (const table of names)
      if (!named.has(camelCase(table))) problems.push(`${table} is not adopted.`);
    if (problems.length > 0) return problems;
    await lockTables(tx);
    for (const table of names) {
      for (const statement of unmirroring({ table })) await tx.query(statement);
      named.delete(camelCase(table));
    }
    await writeAdoptedNames(tx, named);
    return [];
  });
}
