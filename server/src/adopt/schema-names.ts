// How tables and columns of a PostgreSQL are named in a schema. The rules are those of the package (js/api/schema.ts).

/** What a table of a schema cannot be named: members of an open database. */
export const reservedTables: readonly string[] = [
  ...['name', 'user', 'mutate', 'transact', 'replay', 'sync', 'conflicts', 'problems', 'realms'],
  ...['stream', 'lock', 'undo', 'redo', 'canUndo', 'canRedo', 'on', 'export', 'import', 'logout'],
  ...['close', 'then', 'constructor', 'toString', '__proto__'],
];

/** And a prop: what every row has. */
export const reservedProps: readonly string[] = [
  ...['id', 'realm', 'createdAt', 'modifiedAt', '__proto__'],
];

const kName = /^[A-Za-z_][A-Za-z0-9_]{0,47}$/;

/** `owner_id` and `"ownerId"` are ownerId. */
function camelCase(name: string): string {
  const even = /[a-z]/.test(name) ? name : name.toLowerCase();
  const joined = even.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

/** Null: the name has other characters than letters, digits and _, or too many. */
function nameIn(reserved: readonly string[], name: string): string | null {
  const camel = camelCase(name);
  const free = reserved.includes(camel) ? `${camel}_` : camel;
  return kName.test(free) ? free : null;
}

export function schemaTableName(table: string): string | null {
  return nameIn(reservedTables, table);
}

export function schemaPropName(column: string): string | null {
  return nameIn(reservedProps, column);
}

/** The name of a ref: `owner_id` refers to an owner. */
export function schemaRefName(column: string): string | null {
  return schemaPropName(column.replace(/(?<=.)(_id|_ID|Id)$/, ''));
}
