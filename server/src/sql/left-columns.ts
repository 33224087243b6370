// Columns of props that only other releases have. Rows keep what they hold of them; but an object that is created anew over
// what is left of another, under its id, begins with nothing of that.

import type { Queryable } from '../db/database.ts';
import { quoteName } from './names.ts';
import type { SqlSchema, SqlTable } from './tables.ts';

interface Column {
  readonly table: string;
  readonly name: string;
}

/** What every typed table has beside its props. */
const kFixed = ['id', 'realm', 'revision', 'created_at', 'modified_at', 'deleted_at'];

/** The tables, with the columns that are there and that the schema does not name. */
export async function withLeftColumns(tx: Queryable, schema: SqlSchema): Promise<SqlSchema> {
  const columns = await tx.query<Column>(
    `select table_name::text as table, column_name::text as name
       from information_schema.columns
      where table_schema = 'public' and is_generated = 'NEVER' and is_identity = 'NO'`,
  );
  const leftOf = (table: SqlTable) => {
    const own = new Set([...kFixed.map(quoteName), ...table.columns.map(({ name }) => name)]);
    return columns
      .filter((column) => `public.${quoteName(column.table)}` === table.name)
      .map(({ name }) => quoteName(name))
      .filter((name) => !own.has(name));
  };
  return new Map([...schema].map(([key, table]) => [key, { ...table, left: leftOf(table) }]));
}
