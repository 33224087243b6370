// The typed tables: one SQL table for each table of the schema, `id`, `realm`, a column a prop, `created_at`,
// `modified_at`, `deleted_at`, `revision`. Made when they are missing, widened when the schema has grown; a change that
// the rows of existing columns cannot follow is refused, with the whole list of what is wrong.
//
// A deleted row stays as a tombstone (`deleted_at`). Columns of props may be null in SQL whatever the schema says,
// because the rules of props are the authority's, and tombstones and older rows must be able to stay.

import type { Queryable } from '../db/database.ts';
import type { PropDescription, PropType, SchemaDescription } from './description.ts';
import { SchemaError } from './description.ts';
import { columnName, indexNames, quoteName, quoteText, tableName } from './names.ts';

const columnTypes: Readonly<Record<PropType, string>> = {
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
function declaration(type: PropType): string {
  const name = columnTypes[type];
  return name === 'text' ? 'text collate "C"' : name;
}

/** The type that a prop has in the JSON that goes into json_to_recordset. */
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
  readonly type: PropType;
  /** Quoted. */
  readonly name: string;
}

export interface SqlTable {
  readonly table: string;
  /** Quoted. */
  readonly name: string;
  readonly uuids: boolean;
  readonly autosubscribe: boolean;
  readonly columns: readonly SqlColumn[];
}

export type SqlSchema = ReadonlyMap<string, SqlTable>;

/** Checks the names, and that no two of them fall together. */
export function sqlSchema(schema: SchemaDescription): SqlSchema {
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
    const name = tableName(table.name);
    claim(name, `table ${table.name}`);
    const columns = table.props.map((prop) => {
      const column = columnName(table.name, prop.name);
      claim(`${name}.${column}`, `prop ${table.name}.${prop.name}`);
      return { prop: prop.name, type: prop.type, name: quoteName(column) };
    });
    tables.set(table.name, {
      table: table.name,
      name: `public.${quoteName(name)}`,
      uuids: table.ids !== 'string',
      autosubscribe: table.autosubscribe === true,
      columns,
    });
  }
  return tables;
}

/** The types of a column: in SQL, and in the JSON that goes into json_to_recordset. */
export function columnType(column: SqlColumn): { readonly sql: string; readonly json: string } {
  return { sql: columnTypes[column.type], json: jsonTypes[column.type] };
}

/**
 * What a value is looked up by: itself, or the digest of what may be too long for an index (its rows hold 2.7 KB). The
 * index and the look-up must say the same expression.
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

interface ExistingColumn {
  readonly table_name: string;
  readonly column_name: string;
  readonly data_type: string;
  readonly comment: string | null;
}

type Columns = ReadonlyMap<string, ExistingColumn>;

async function existingColumns(tx: Queryable): Promise<Map<string, Columns>> {
  const rows = await tx.query<ExistingColumn>(
    `select c.table_name::text, c.column_name::text, c.data_type::text,
            col_description(format('%I.%I', c.table_schema, c.table_name)::regclass, c.ordinal_position) as comment
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

/** What the comment of an enum's column says, so that its rows are looked at only where the members have changed. */
function memberComment(prop: PropDescription): string {
  return `skerry: ${JSON.stringify(prop.enum?.values ?? [])}`;
}

/** What is wrong with the values of an enum's column that is there, or null. */
async function removedMember(
  tx: Queryable,
  table: SqlTable,
  column: SqlColumn,
  prop: PropDescription,
): Promise<string | null> {
  const [row] = await tx.query<{ value: string }>(
    `select ${column.name} as value from ${table.name}
      where deleted_at is null and ${column.name} is not null
        and not (${column.name} = any (select jsonb_array_elements_text($1::text::jsonb))) limit 1`,
    [JSON.stringify(prop.enum?.values ?? [])],
  );
  if (row === undefined) return null;
  return `${table.table}.${prop.name} has no member ${JSON.stringify(row.value)} now, but there are rows with it: keep it, or change them first`;
}

function unquote(name: string): string {
  return name.slice(name.indexOf('"') + 1, -1).replaceAll('""', '"');
}

function createTable(table: SqlTable): string {
  const columns = table.columns.map(({ name, type }) => `${name} ${declaration(type)}`);
  return `create table ${table.name} (${[
    'id text collate "C" primary key',
    'realm text collate "C" not null',
    'revision bigint not null',
    'created_at timestamp with time zone not null',
    'modified_at timestamp with time zone not null',
    'deleted_at timestamp with time zone',
    ...columns,
  ].join(', ')})`;
}

/** The indexes that are missing; they are added to `existing`. Even to ask `if not exists` would lock the table against writers, on every start. */
function indexStatements(
  table: SqlTable,
  props: readonly PropDescription[],
  existing: Indexes,
): string[] {
  const plain = unquote(table.name);
  const make = (column: string, columns: string) => {
    const { short, isCut, unique } = indexNames(plain, column);
    const isThere = [short, unique].some((name) => {
      const index = existing.get(name);
      return index?.table === plain && index.columns.has(column);
    });
    if (isThere) return '';
    const name = isCut || existing.has(short) ? unique : short;
    existing.set(name, { table: plain, columns: new Set([column]) });
    return `create index if not exists ${quoteName(name)}
       on ${table.name} (${columns}) where deleted_at is null`;
  };
  const statements = [make('realm', 'realm, id')];
  for (const [i, prop] of props.entries()) {
    const column = table.columns[i];
    if (column === undefined) continue;
    if (prop.type === 'ref') statements.push(make(unquote(column.name), column.name));
    else if (prop.unique) {
      statements.push(make(unquote(column.name), `realm, (${textKeyed(column, column.name)})`));
    }
  }
  return statements.filter((statement) => statement !== '');
}

/** By name: the table of an index, and the columns that it is made of, also inside of expressions. */
type Indexes = Map<string, { readonly table: string; readonly columns: ReadonlySet<string> }>;

async function existingIndexes(tx: Queryable): Promise<Indexes> {
  const rows = await tx.query<{ name: string; table: string; columns: string }>(
    `select i.relname::text as name, t.relname::text as table,
            (select coalesce(json_agg(a.attname), '[]') from pg_depend d
               join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
              where d.objid = i.oid and d.refobjid = t.oid and d.refobjsubid > 0)::text as columns
       from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
      where t.relnamespace = 'public'::regnamespace`,
  );
  return new Map(
    rows.map(({ name, table, columns }) => [
      name,
      { table, columns: new Set(JSON.parse(columns) as string[]) },
    ]),
  );
}

/**
 * Makes and widens the tables. Throws SchemaError, having changed nothing (its transaction is rolled back), when what is
 * there cannot become what the schema says.
 */
export async function applySchema(
  tx: Queryable,
  schema: SchemaDescription,
  tables: SqlSchema,
): Promise<void> {
  const existing = await existingColumns(tx);
  const indexes = await existingIndexes(tx);
  const wrong: string[] = [];
  const statements: string[] = [];
  for (const description of schema.tables) {
    const table = tables.get(description.name);
    if (table === undefined) continue;
    const columns = existing.get(unquote(table.name));
    if (columns === undefined) statements.push(createTable(table));
    else wrong.push(...(await widenTable(tx, table, description.props, columns, statements)));
    statements.push(...indexStatements(table, description.props, indexes));
  }
  if (wrong.length > 0) {
    throw new SchemaError(
      `The database holds tables that this schema cannot follow:\n- ${wrong.join('\n- ')}`,
    );
  }
  for (const statement of statements) await tx.query(statement);
}

async function widenTable(
  tx: Queryable,
  table: SqlTable,
  props: readonly PropDescription[],
  columns: Columns,
  statements: string[],
): Promise<string[]> {
  if (!columns.has('deleted_at') || !columns.has('revision')) {
    return [`the table ${table.name} exists and is not one of Skerry's`];
  }
  const wrong: string[] = [];
  const [first] = await tx.query<{ any: string }>(
    `select exists(select 1 from ${table.name} where deleted_at is null)::text as any`,
  );
  for (const [i, prop] of props.entries()) {
    const column = table.columns[i];
    if (column === undefined) continue;
    const there = columns.get(unquote(column.name));
    const type = there?.data_type;
    if (type === undefined) {
      if (prop.optional !== true && prop.default === undefined && first?.any === 'true') {
        wrong.push(
          `${table.table}.${prop.name} is new and required, but there are rows without it: make it optional, or give it a default`,
        );
        continue;
      }
      statements.push(
        `alter table ${table.name} add column ${column.name} ${declaration(prop.type)}`,
      );
      if (prop.optional !== true && prop.default !== undefined) {
        const value = `(select p.v from json_to_record(${quoteText(JSON.stringify({ v: prop.default }))}::json) as p(v ${jsonTypes[prop.type]}))`;
        statements.push(`update ${table.name} set ${column.name} = ${fromPlain(column, value)}`);
      }
    } else if (type !== columnTypes[prop.type]) {
      wrong.push(
        `${table.table}.${prop.name} is ${columnTypes[prop.type]} now, its column is ${type}`,
      );
    } else if (prop.type === 'enum' && there?.comment !== memberComment(prop)) {
      const removed = await removedMember(tx, table, column, prop);
      if (removed !== null) wrong.push(removed);
      statements.push(
        `comment on column ${table.name}.${column.name} is ${quoteText(memberComment(prop))}`,
      );
    }
  }
  return wrong;
}
