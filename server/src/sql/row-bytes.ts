// How large rows are, said by SQL before they are read: the texts of many rows of a megabyte would make a string that no
// engine holds.

import type { SqlColumn, SqlTable } from './tables.ts';

/** What a row takes as JSON beside its long values. */
const kOfARow = 200;
const kOfAColumn = 24;

/** The length of a text is known without reading it, also where it is stored compressed and apart; that of json is not. */
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
 * Of the rows of `from`, in the order of their ids, as many as `rows` and `bytes` (an SQL expression) allow, and one at the
 * least: a subselect, with the columns `number` and `upto_bytes` more.
 */
export function cutRows(table: SqlTable, from: string, rows: number, bytes: string): string {
  return `select * from (
    select p.*, row_number() over w as number, sum(${rowBytes(table, 'p')}) over w as upto_bytes
      from ${from} p window w as (order by p.id)) n
   where n.number <= ${rows} and (n.number = 1 or n.upto_bytes <= ${bytes})`;
}

/** A read that was not made, or not to its end, because it would have been of more bytes than it may be. */
export class TooMuchToRead extends Error {}
