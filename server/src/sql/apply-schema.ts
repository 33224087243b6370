// Creates missing typed tables, and adds to them when the schema has grown. A change that the rows of existing
// columns cannot follow is refused, with the full list of problems.

import type { Queryable } from '../db/database.ts';
import { AbsentProps, type AbsentWork } from './absent-props.ts';
import { logCorrection } from './corrections.ts';
import { absentValue, defaultClause } from './defaults.ts';
import type { PropDescription, SchemaDescription } from './description.ts';
import { SchemaError } from './description.ts';
import { type Columns, existingColumns } from './existing-columns.ts';
import { indexNames, quoteName, quoteText, unquote } from './names.ts';
import {
  byRealm,
  columnTypes,
  declaration,
  type SqlColumn,
  type SqlSchema,
  type SqlTable,
  textKeyed,
} from './tables.ts';

/** The comment of an enum's column, so that its rows are checked only after its members have changed. */
function memberComment(prop: PropDescription): string {
  return `skerry: ${JSON.stringify(prop.enum?.values ?? [])}`;
}

/** The problem with the values of an existing enum column, or null. */
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

function createTable(table: SqlTable, props: readonly PropDescription[]): string {
  const columns = table.columns.map(
    (column, i) =>
      `${column.name} ${declaration(column.type)}${defaultClause(column, props[i] as PropDescription)}`,
  );
  return `create table ${table.name} (${[
    'id text collate "C" not null',
    'realm text collate "C" not null',
    'revision bigint not null',
    'created_at timestamp with time zone not null',
    'modified_at timestamp with time zone not null',
    'deleted_at timestamp with time zone',
    'moved_to text collate "C"',
    ...columns,
    'primary key (realm, id)',
  ].join(', ')})`;
}

/**
 * The missing indexes; they are added to `existing`. Even `if not exists` would lock the table against writers, at
 * every start.
 */
function indexStatements(
  table: SqlTable,
  props: readonly PropDescription[],
  existing: Indexes,
): string[] {
  const plain = unquote(table.name);
  const make = (column: string, columns: string, named = column) => {
    const { short, isCut, unique } = indexNames(plain, named);
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
    const name = unquote(column.name);
    if (prop.type === 'ref') statements.push(make(name, column.name));
    else if (prop.unique) statements.push(make(name, `realm, (${textKeyed(column, column.name)})`));
    // With the id, so that the pages of a scope are read in order.
    const indexed = column.isIndexed ? byRealm(column, column.name) : null;
    if (indexed !== null) statements.push(make(name, `realm, (${indexed}), id`, `realm_${name}`));
  }
  return statements.filter((statement) => statement !== '');
}

/** By name: the table of an index, and its columns, also those within expressions. */
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

/** The work to do on the tables. */
interface SchemaWork extends AbsentWork {
  readonly wrong: string[];
  readonly statements: string[];
}

/**
 * Creates and widens the tables. `former` is the schema that was served before this one: rows that its clients, or
 * those of this one, may see differently are logged as changed. Throws SchemaError, without any change (its
 * transaction is rolled back), if the existing tables cannot follow the schema.
 */
export async function applySchema(
  tx: Queryable,
  schema: SchemaDescription,
  tables: SqlSchema,
  former: SchemaDescription | null = null,
): Promise<void> {
  const existing = await existingColumns(tx);
  const indexes = await existingIndexes(tx);
  const work: SchemaWork = { former, wrong: [], statements: [], corrections: [], last: [] };
  for (const description of schema.tables) {
    const table = tables.get(description.name);
    if (table === undefined || table.isSystem === true) continue;
    const columns = existing.get(unquote(table.name));
    if (columns === undefined) work.statements.push(createTable(table, description.props));
    else await widenTable(tx, table, description.props, columns, work);
    work.statements.push(...indexStatements(table, description.props, indexes));
  }
  if (work.wrong.length > 0) {
    throw new SchemaError(
      `The database holds tables that this schema cannot follow:\n- ${work.wrong.join('\n- ')}`,
    );
  }
  for (const statement of work.statements) await tx.query(statement);
  for (const correction of work.corrections) await logCorrection(tx, correction);
  for (const statement of work.last) await tx.query(statement);
}

async function widenTable(
  tx: Queryable,
  table: SqlTable,
  props: readonly PropDescription[],
  columns: Columns,
  work: SchemaWork,
): Promise<void> {
  if (!columns.has('deleted_at') || !columns.has('revision')) {
    work.wrong.push(`the table ${table.name} exists and is not one of Skerry's`);
    return;
  }
  const [first] = await tx.query<{ any: string }>(
    `select exists(select 1 from ${table.name} where deleted_at is null)::text as any`,
  );
  const absent = new AbsentProps(table, work);
  for (const [i, prop] of props.entries()) {
    const column = table.columns[i];
    if (column === undefined) continue;
    const there = columns.get(unquote(column.name));
    const type = there?.data_type;
    if (there === undefined) {
      if (prop.optional !== true && absentValue(prop) === null && first?.any === 'true') {
        work.wrong.push(
          `${table.table}.${prop.name} is new and required, but there are rows without it: make it optional, or give it a default`,
        );
        continue;
      }
      work.statements.push(
        `alter table ${table.name} add column ${column.name} ${declaration(prop.type)}${defaultClause(column, prop)}`,
      );
      continue;
    }
    if (type !== columnTypes[prop.type]) {
      work.wrong.push(
        `${table.table}.${prop.name} is ${columnTypes[prop.type]} now, its column is ${type}`,
      );
      continue;
    }
    if (prop.type === 'enum' && there.comment !== memberComment(prop)) {
      const removed = await removedMember(tx, table, column, prop);
      if (removed !== null) work.wrong.push(removed);
      work.statements.push(
        `comment on column ${table.name}.${column.name} is ${quoteText(memberComment(prop))}`,
      );
    }
    absent.follow(column, prop, there.is_nullable === 'NO');
  }
  absent.correct();
}
