// What a release has dropped and the database still has: nothing reads it, and only an operator deletes it.

import type { Queryable } from '../db/database.ts';
import type { Columns } from '../sql/existing-columns.ts';
import { fixedColumns, quoteName, unquote } from '../sql/names.ts';
import type { SqlSchema, SqlTable } from '../sql/tables.ts';

async function tableLine(tx: Queryable, name: string): Promise<string> {
  const table = `public.${quoteName(name)}`;
  const [row] = await tx.query<{ rows: string }>(
    `select count(*) filter (where t.deleted_at is null)::text as rows from ${table} t`,
  );
  return `${name}: the schema has no such table, and its rows are kept (${row?.rows ?? 0}); drop table ${table} deletes them.`;
}

function columnLines(table: SqlTable, columns: Columns): string[] {
  const own = new Set<string>([...fixedColumns, ...table.columns.map(({ name }) => unquote(name))]);
  return [...columns.keys()]
    .filter((column) => !own.has(column))
    .map(
      (column) =>
        `${table.table}: the schema has no prop for the column ${column}, and its values are kept; alter table ${table.name} drop column ${quoteName(column)} deletes them.`,
    );
}

/** A sentence for each table of Skerry's, and each column of one, that the schema does not have. */
export async function keptLines(
  tx: Queryable,
  tables: SqlSchema,
  existing: ReadonlyMap<string, Columns>,
): Promise<string[]> {
  const known = new Map([...tables.values()].map((table) => [unquote(table.name), table]));
  const lines: string[] = [];
  for (const [name, columns] of existing) {
    const table = known.get(name);
    if (table !== undefined) lines.push(...columnLines(table, columns));
    else if (fixedColumns.every((column) => columns.has(column)))
      lines.push(await tableLine(tx, name));
  }
  return lines.sort();
}
