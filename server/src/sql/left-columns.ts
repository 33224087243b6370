// Columns of props that only other releases have. Rows keep their values, also when they move to another realm; but an
// object that is created again over the tombstone of another, under the same id, starts without them.

import type { Queryable } from '../db/database.ts';
import { existingColumns } from './existing-columns.ts';
import { fixedColumns, quoteName, unquote } from './names.ts';
import type { SqlSchema, SqlTable } from './tables.ts';

/** The tables, with the existing columns that the schema does not name. */
export async function withLeftColumns(tx: Queryable, schema: SqlSchema): Promise<SqlSchema> {
  const existing = await existingColumns(tx);
  const leftOf = (table: SqlTable) => {
    if (table.isSystem === true) return [];
    const own = new Set<string>([
      ...fixedColumns,
      ...table.columns.map(({ name }) => unquote(name)),
    ]);
    return [...(existing.get(unquote(table.name))?.values() ?? [])]
      .filter(({ column_name, is_written }) => is_written && !own.has(column_name))
      .map(({ column_name, default_value }) => ({
        name: quoteName(column_name),
        default: default_value ?? 'null',
      }));
  };
  return new Map([...schema].map(([key, table]) => [key, { ...table, left: leftOf(table) }]));
}
