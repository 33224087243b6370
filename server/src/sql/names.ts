// Names of SQL: from the schema's camelCase to snake_case, quoted wherever they are used.

const kMaxIdentifierBytes = 63;
const reserved = new Set(['id', 'realm', 'created_at', 'modified_at', 'deleted_at', 'revision']);

export class NameError extends Error {}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
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

/** A prop's column; one that would hide a column of every row gets an underscore. */
export function columnName(table: string, prop: string): string {
  const name = snakeCase(prop);
  return fitting(reserved.has(name) ? `${name}_` : name, `The prop ${table}.${prop}`);
}
