// The size of rows, computed by SQL before they are read: the texts of many rows of a megabyte would make a string
// that no engine can hold.

import type { SqlColumn, SqlTable } from './tables.ts';

/** The size of a row as JSON without its long values. */
const kOfARow = 200;
const kOfAColumn = 24;

/**
 * The length of a text is known without reading it, even if it is stored compressed and out of line; that of json is
 * not.
 */
function columnBytes(column: SqlColumn, alias: string): string | null {
  const name = `${alias}.${column.name}`;
  switch (column.type) {
    case 'string':
    case 'enum':
    case 'ref':
      return `octet_length(${name})`;
    case 'bytes':
      return `octet_length(${name}) * 4 / 3`;
    case 'json':
    case 'class':
      return `octet_length(${name}::text)`;
    default:
      return null;
  }
}

/** About how many bytes a row of a typed table has as JSON text: an SQL expression. */
export function rowBytes(table: SqlTable, alias: string): string {
  const parts: string[] = [String(kOfARow + kOfAColumn * table.columns.length)];
  for (const column of table.columns) {
    const bytes = columnBytes(column, alias);
    if (bytes !== null) parts.push(`coalesce(${bytes}, 0)`);
  }
  return `(${parts.join(' + ')})::bigint`;
}

/**
 * A subselect of the first rows of `from`, in the order of their ids: as many as `rows` and `bytes` (an SQL expression)
 * allow, at least one, and all rows of the last id, which may be in several realms. It has the extra columns `$number`
 * and `$upto_bytes`, which are the same for all rows of an id.
 */
export function cutRows(table: SqlTable, from: string, rows: number, bytes: string): string {
  return `select * from (
    select p.*, rank() over w as "$number", sum(${rowBytes(table, 'p')}) over w as "$upto_bytes"
      from ${from} p window w as (order by p.id)) n
   where n."$number" <= ${rows} and (n."$number" = 1 or n."$upto_bytes" <= ${bytes})`;
}

/** A read that was skipped or stopped because it would have exceeded its limit of bytes. */
export class TooMuchToRead extends Error {}
