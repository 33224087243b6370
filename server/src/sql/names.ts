// SQL names: from the schema's camelCase to snake_case, quoted wherever they are used.

import { createHash } from 'node:crypto';

const kMaxIdentifierBytes = 63;

/** The columns of every typed table besides its props: the key, and those that change. */
export const fixedColumns = [
  'id',
  'realm',
  'revision',
  'created_at',
  'modified_at',
  'deleted_at',
  'moved_to',
] as const;

const reserved = new Set<string>([
  ...fixedColumns,
  // PostgreSQL's own columns, in every table.
  ...['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid'],
]);

export class NameError extends Error {}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function unquote(name: string): string {
  return name.slice(name.indexOf('"') + 1, -1).replaceAll('""', '"');
}

/** A literal for names that are part of a statement's text; values are always parameters. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

function fitting(name: string, what: string): string {
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) > kMaxIdentifierBytes) {
    throw new NameError(`${what} cannot be a name in SQL: it needs 1 to 63 bytes.`);
  }
  return name;
}

export function tableName(table: string): string {
  return fitting(snakeCase(table), `The table ${table}`);
}

/** A prop's column; it gets an underscore if it would hide a column that every row has. */
export function columnName(table: string, prop: string): string {
  const name = snakeCase(prop);
  return fitting(reserved.has(name) ? `${name}_` : name, `The prop ${table}.${prop}`);
}

/** The longest prefix of a text within so many bytes. */
function beginning(text: string, bytes: number): string {
  let end = Math.min(text.length, bytes);
  while (Buffer.byteLength(text.slice(0, end)) > bytes) end--;
  return text.slice(0, end);
}

/**
 * The possible names of a table's index on a column (or on `realm`), from their plain names. `short` is the name in
 * all versions; other columns may produce the same one if names were shortened for it (`isCut`), or contain
 * underscores. `unique` belongs to this column alone.
 */
export function indexNames(
  table: string,
  column: string,
): { readonly short: string; readonly isCut: boolean; readonly unique: string } {
  const named = `${table.slice(0, 40)}_${column.slice(0, 18)}_ix`;
  const short = beginning(named, kMaxIdentifierBytes); // PostgreSQL shortens it in the same way.
  const hash = createHash('sha256')
    .update(JSON.stringify([table, column]))
    .digest('hex')
    .slice(0, 10);
  return {
    short,
    isCut: short !== `${table}_${column}_ix`,
    unique: `${beginning(table, 30)}_${beginning(column, 18)}_${hash}_ix`,
  };
}
