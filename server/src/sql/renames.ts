// Tables and columns get the names of the schema that follows, in the transaction that records it as the newest. Rows stay
// as they are, and so does the log but for the names of tables. What is logged names props as their releases did: it is
// read by those names.

import type { Queryable } from '../db/database.ts';
import { readAdoptedNames } from './adopted-names.ts';
import type { PropDescription, SchemaDescription, TableDescription } from './description.ts';
import { SchemaError } from './description.ts';
import { existingColumns } from './existing-columns.ts';
import { nameAt } from './former-names.ts';
import { columnName, indexNames, quoteName, quoteText, tableName } from './names.ts';

interface Name {
  readonly from: string;
  readonly to: string;
}

interface RenamedTable {
  /** In the schema. */
  readonly table: Name;
  readonly sql: Name;
  readonly columns: readonly Name[];
}

function isOther({ from, to }: Name): boolean {
  return from !== to;
}

function columnOf(
  former: TableDescription,
  present: TableDescription,
  prop: PropDescription,
  version: number,
): Name | null {
  const name = nameAt(prop, version);
  if (name === prop.name || !former.props.some((each) => each.name === name)) return null;
  return { from: columnName(former.name, name), to: columnName(present.name, prop.name) };
}

/** What has another name than under the schema that was served last. */
function renamesOf(former: SchemaDescription, schema: SchemaDescription): RenamedTable[] {
  return schema.tables.flatMap((present) => {
    const table = { from: nameAt(present, former.version), to: present.name };
    const before = former.tables.find(({ name }) => name === table.from);
    if (before === undefined) return [];
    const columns = present.props.flatMap(
      (prop) => columnOf(before, present, prop, former.version) ?? [],
    );
    if (!isOther(table) && columns.length === 0) return [];
    const sql = { from: tableName(table.from), to: tableName(table.to) };
    return [{ table, sql, columns: columns.filter(isOther) }];
  });
}

/** Its indexes are found by the names of what they are on (apply-schema.ts). */
async function renameIndexes(tx: Queryable, { sql, columns }: RenamedTable): Promise<void> {
  const rows = await tx.query<{ name: string }>(
    `select indexname::text as name from pg_indexes where schemaname = 'public' and tablename = ${quoteText(sql.to)}`,
  );
  const present = new Map(columns.map(({ from, to }) => [from, to]));
  const all = await existingColumns(tx);
  const names = new Map<string, string>();
  for (const column of ['realm', ...(all.get(sql.to)?.keys() ?? [])]) {
    const before = columns.find(({ to }) => to === column)?.from ?? column;
    for (const prefix of ['', 'realm_']) {
      const [from, to] = [
        indexNames(sql.from, prefix + before),
        indexNames(sql.to, prefix + (present.get(before) ?? column)),
      ];
      names.set(from.short, to.isCut ? to.unique : to.short);
      names.set(from.unique, to.unique);
    }
  }
  const taken = new Set(rows.map(({ name }) => name));
  for (const name of taken) {
    const to = names.get(name);
    if (to === undefined || taken.has(to)) continue;
    await tx.query(`alter index public.${quoteName(name)} rename to ${quoteName(to)}`);
  }
}

/** The triggers name the table; they are made again (capture/install.ts). */
async function dropTriggers(tx: Queryable, { sql }: RenamedTable): Promise<void> {
  const rows = await tx.query<{ name: string }>(
    `select tgname::text as name from pg_trigger
      where tgname like '~skerry%' and tgrelid = ${quoteText(`public.${quoteName(sql.to)}`)}::regclass`,
  );
  for (const { name } of rows)
    await tx.query(`drop trigger ${quoteName(name)} on public.${quoteName(sql.to)}`);
}

async function renameInLog(tx: Queryable, { from, to }: Name): Promise<void> {
  const [before, after] = [quoteText(from), quoteText(to)];
  for (const table of ['skerry.change', 'skerry.owed'])
    await tx.query(`update ${table} set table_name = ${after} where table_name = ${before}`);
  await tx.query(
    `update skerry.log l set tables = (
       select json_agg(case when n.name = ${before} then ${after} else n.name end)
         from json_array_elements_text(l.tables) as n(name))
      where ${before} in (select n.name from json_array_elements_text(l.tables) as n(name))`,
  );
}

/**
 * Renames what the schema names otherwise than `former`, the schema that was served before it. Throws SchemaError where
 * something has the name already.
 */
export async function renameTables(
  tx: Queryable,
  former: SchemaDescription,
  schema: SchemaDescription,
): Promise<void> {
  const adopted = await readAdoptedNames(tx);
  const renames = renamesOf(former, schema);
  const existing = await existingColumns(tx);
  const wrong: string[] = [];
  for (const { table, sql, columns } of renames) {
    // The triggers that keep both the same name their columns (adopt/mirror.ts).
    if (adopted.has(table.from))
      wrong.push(
        `${table.from} is adopted: take that back before the release (skerry-server adopt --undo), and adopt it again under the new names`,
      );
    if (isOther(sql) && existing.has(sql.to))
      wrong.push(
        `${table.from} is ${table.to} now, but there is a table ${sql.to} already: rename or drop that one`,
      );
    for (const { from, to } of columns) {
      if (existing.get(sql.from)?.has(to) === true)
        wrong.push(
          `${table.to}: the column ${from} is ${to} now, but there is a column ${to} already: rename or drop that one`,
        );
    }
  }
  if (wrong.length > 0) {
    throw new SchemaError(
      `The database cannot follow what this schema renames:\n- ${wrong.join('\n- ')}`,
    );
  }
  for (const renamed of renames) {
    const { table, sql, columns } = renamed;
    if (!existing.has(sql.from)) continue;
    if (isOther(sql))
      await tx.query(`alter table public.${quoteName(sql.from)} rename to ${quoteName(sql.to)}`);
    for (const { from, to } of columns) {
      if (existing.get(sql.from)?.has(from) !== true) continue;
      await tx.query(
        `alter table public.${quoteName(sql.to)} rename column ${quoteName(from)} to ${quoteName(to)}`,
      );
    }
    await renameIndexes(tx, renamed);
    if (!isOther(table)) continue;
    await dropTriggers(tx, renamed);
    await renameInLog(tx, table);
  }
}
