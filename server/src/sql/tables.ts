// The typed tables: one SQL table for each table of the schema, with `id`, `realm`, a column per prop, `created_at`,
// `modified_at`, `deleted_at`, `moved_to`, `revision`. The key is (realm, id). apply-schema.ts creates them.
//
// A deleted row stays as a tombstone (`deleted_at`), and so does a row that has moved to another realm (`moved_to`). A prop that may not be null and has a default has both in SQL
// (defaults.ts). All other columns may be null in any schema, because the authority checks the rules of props, and
// because tombstones and rows of other releases must remain possible.

import type { NameBefore, PropType, SchemaDescription } from './description.ts';
import { SchemaError } from './description.ts';
import { kMembers } from './members.ts';
import { columnName, quoteName, tableName } from './names.ts';

export const columnTypes: Readonly<Record<PropType, string>> = {
  string: 'text',
  number: 'double precision',
  boolean: 'boolean',
  date: 'timestamp with time zone',
  bytes: 'bytea',
  enum: 'text',
  ref: 'text',
  json: 'json',
  class: 'json',
};

/** A column's declaration: strings compare by their UTF-8 bytes, whatever the database's own locale is. */
export function declaration(type: PropType): string {
  const name = columnTypes[type];
  return name === 'text' ? 'text collate "C"' : name;
}

/** The type of a prop in the JSON for json_to_recordset. */
const jsonTypes: Readonly<Record<PropType, string>> = {
  string: 'text',
  number: 'double precision',
  boolean: 'boolean',
  date: 'double precision',
  bytes: 'text',
  enum: 'text',
  ref: 'text',
  json: 'json',
  class: 'json',
};

export interface SqlColumn {
  readonly prop: string;
  readonly was?: readonly NameBefore[];
  readonly type: PropType;
  /** Quoted. */
  readonly name: string;
  /** Whether the rows of a realm have an index on it (byRealm). */
  readonly isIndexed?: boolean;
}

export interface SqlTable {
  readonly table: string;
  readonly was?: readonly NameBefore[];
  /** Quoted. */
  readonly name: string;
  readonly uuids: boolean;
  readonly autosubscribe: boolean;
  /** Whether migrations make the table, instead of the schema. */
  readonly isSystem?: boolean;
  readonly columns: readonly SqlColumn[];
  /** Columns that only other releases have, with the expressions of their defaults (left-columns.ts). */
  readonly left?: readonly { readonly name: string; readonly default: string }[];
}

export type SqlSchema = ReadonlyMap<string, SqlTable>;

/** The table of memberships, as migrations have made it. */
const membersTable: SqlTable = {
  table: kMembers,
  name: 'skerry.membership',
  uuids: false,
  autosubscribe: true,
  isSystem: true,
  columns: [
    { prop: 'user', type: 'string', name: '"user"' },
    { prop: 'role', type: 'enum', name: '"role"' },
    { prop: 'accepted', type: 'boolean', name: '"accepted"' },
    { prop: 'by', type: 'string', name: '"by"' },
  ],
};

/** Checks the names, and that no two of them produce the same SQL name. `adopted`: the names of some tables in SQL (adopted-names.ts). */
export function sqlSchema(
  schema: SchemaDescription,
  adopted: ReadonlyMap<string, string> = new Map(),
): SqlSchema {
  const tables = new Map<string, SqlTable>();
  const taken = new Map<string, string>();
  const claim = (key: string, owner: string) => {
    const other = taken.get(key);
    if (other !== undefined) {
      throw new SchemaError(`${other} and ${owner} would share a name in SQL: rename one.`);
    }
    taken.set(key, owner);
  };
  for (const table of schema.tables) {
    if (table.name === kMembers) {
      tables.set(kMembers, membersTable);
      continue;
    }
    const name = adopted.get(table.name) ?? tableName(table.name);
    claim(name, `table ${table.name}`);
    const columns = table.props.map((prop) => {
      const column = columnName(table.name, prop.name);
      claim(`${name}.${column}`, `prop ${table.name}.${prop.name}`);
      const isIndexed = prop.type === 'ref' || prop.index === true;
      const { name: propName, was = [], type } = prop;
      return { prop: propName, was, type, name: quoteName(column), isIndexed };
    });
    tables.set(table.name, {
      table: table.name,
      was: table.was ?? [],
      name: `public.${quoteName(name)}`,
      uuids: table.ids !== 'string',
      autosubscribe: table.autosubscribe === true,
      columns,
    });
  }
  return tables;
}

function had(name: unknown, was: readonly NameBefore[] = []): boolean {
  return was.some((former) => former.name === name);
}

/** The column of a prop, by the name that it has, or has had. */
export function columnOfProp({ columns }: SqlTable, name: unknown): SqlColumn | undefined {
  return columns.find(({ prop }) => prop === name) ?? columns.find(({ was }) => had(name, was));
}

/** The same of a table, which a client has named. */
export function tableNamed(schema: SqlSchema, name: unknown): SqlTable | undefined {
  const present = typeof name === 'string' ? schema.get(name) : undefined;
  return present ?? [...schema.values()].find(({ was }) => had(name, was));
}

/** The types of a column: in SQL, and in the JSON that goes into json_to_recordset. */
export function columnType(column: SqlColumn): { readonly sql: string; readonly json: string } {
  return { sql: columnTypes[column.type], json: jsonTypes[column.type] };
}

/**
 * The expression that a value is looked up by: the value itself, or its digest if it may be too long for an index
 * (whose rows hold 2.7 KB). The index and the look-up must use the same expression.
 */
export function textKeyed(column: SqlColumn, expression: string): string {
  switch (column.type) {
    case 'string':
    case 'enum':
    case 'bytes':
      return `md5(${expression})`;
    case 'json':
    case 'class':
      return `md5((${expression})::text)`;
    default:
      return expression;
  }
}

/**
 * What a column's index by realm holds: the value, or the beginning of one that may be long (an index's rows hold
 * 2.7 KB). Beginnings are ordered like the values: equal for equal values, and never the other way around. Null for a
 * column that no filter compares.
 */
export function byRealm(column: SqlColumn, expression: string): string | null {
  switch (column.type) {
    case 'string':
    case 'enum':
      return `left(${expression}, 200)`;
    case 'bytes':
      return `substring(${expression} from 1 for 800)`;
    case 'json':
    case 'class':
      return null;
    default:
      return expression;
  }
}

/** A prop's value, from its plain form (an alias of json_to_recordset's column) to its column. */
export function fromPlain(column: SqlColumn, expression: string): string {
  switch (column.type) {
    case 'date':
      return `skerry.from_ms(${expression})`;
    case 'bytes':
      return `decode(${expression}, 'base64')`;
    default:
      return expression;
  }
}

/** A column in its plain form, as an argument of a json function. */
export function toPlain(column: SqlColumn, alias: string): string {
  const name = `${alias}.${column.name}`;
  switch (column.type) {
    case 'date':
      return `skerry.to_ms(${name})`;
    case 'bytes':
      return `translate(encode(${name}, 'base64'), E'\\n', '')`;
    default:
      return name;
  }
}

/** `"prop" type, …`: the record that a row's props are opened as. */
export function propsRecord(table: SqlTable): string {
  return table.columns.map(({ prop, type }) => `${quoteName(prop)} ${jsonTypes[type]}`).join(', ');
}

/** The props of a row as one JSON object, in the schema's order, nulls and all (the core takes null for absent). */
export function propsObject(table: SqlTable, alias: string): string {
  if (table.columns.length === 0) return `'{}'::json`;
  const columns = table.columns.map(
    (column) => `${toPlain(column, alias)} as ${quoteName(column.prop)}`,
  );
  return `(select row_to_json(p) from (select ${columns.join(', ')}) p)`;
}
