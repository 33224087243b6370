// The columns that exist in a database.

import type { Queryable } from '../db/database.ts';

export interface ExistingColumn {
  readonly table_name: string;
  readonly column_name: string;
  readonly data_type: string;
  readonly is_nullable: 'YES' | 'NO';
  readonly comment: string | null;
  /** Whether statements may write it. */
  readonly is_written: boolean;
  /** The expression of its default. */
  readonly default_value: string | null;
}

export type Columns = ReadonlyMap<string, ExistingColumn>;

/** The columns of each application table, by their plain names. */
export async function existingColumns(tx: Queryable): Promise<Map<string, Columns>> {
  const rows = await tx.query<ExistingColumn>(
    `select c.table_name::text, c.column_name::text, c.data_type::text, c.is_nullable::text,
            col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position) as comment,
            c.is_generated = 'NEVER' and c.is_identity = 'NO' as is_written,
            (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
              where d.adrelid = format('%I.%I', c.table_schema, c.table_name)::regclass
                and d.adnum = c.ordinal_position) as default_value
       from information_schema.columns c where c.table_schema = 'public'`,
  );
  const tables = new Map<string, Map<string, ExistingColumn>>();
  for (const row of rows) {
    const columns = tables.get(row.table_name) ?? new Map<string, ExistingColumn>();
    columns.set(row.column_name, row);
    tables.set(row.table_name, columns);
  }
  return tables;
}
