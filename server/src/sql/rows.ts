// Rows between the typed tables and the authority: always as JSON text, in whole sets, so that JavaScript parses no
// row. Keys are looked up one by one within the statement (lateral, with a limit or an offset, which keep the planner
// from a join): a join of sets of unknown size may read whole tables and indexes.

import type { RowNeeds } from '../base/wire-types.ts';
import { type Param, Params, type Queryable } from '../db/database.ts';
import { doneActions } from './done-actions.ts';
import { filterSql } from './filter.ts';
import { kIsMember } from './members.ts';
import { fixedColumns, quoteName, quoteText } from './names.ts';
import { RowBudget } from './row-budget.ts';
import { rowBytes } from './row-bytes.ts';
import {
  columnType,
  fromPlain,
  propsObject,
  propsRecord,
  type SqlColumn,
  type SqlSchema,
  type SqlTable,
  textKeyed,
} from './tables.ts';

/** A row of a typed table as the authority's Row (docs/authority.md section 2), as json. */
export function rowJson(table: SqlTable, alias: string): string {
  return `json_build_object('table', ${quoteText(table.table)}, 'id', ${alias}.id, 'realm', ${alias}.realm,
    'createdAt', skerry.to_ms(${alias}.created_at), 'modifiedAt', skerry.to_ms(${alias}.modified_at),
    'revision', ${alias}.revision, 'deletedAt', skerry.to_ms(${alias}.deleted_at), 'movedTo', ${alias}.moved_to, 'props', ${propsObject(table, alias)})`;
}

/** The texts of the elements, joined by commas: a list without its brackets. */
function aggregate(json: string, order = ''): string {
  return `string_agg((${json})::text, ',' ${order})`;
}

interface Joined {
  readonly rows: string | null;
  /** What was found; empty if it was not asked for. */
  readonly found: string | null;
  readonly bytes: string | null;
}

/** So many rows, of at most 1 MiB each, are read without counting them first. */
const kRowsUncounted = 32;

/**
 * The rows of `source`, which has them as `t`, and uses the parameters `values`, as elements of lists. `most`: the maximum number,
 * if it is known.
 */
async function joined(
  tx: Queryable,
  table: SqlTable,
  source: string,
  values: readonly Param[],
  budget: RowBudget,
  most = Number.POSITIVE_INFINITY,
): Promise<string> {
  const rows = `select ${aggregate(rowJson(table, 't'))} from ${source}`;
  if (most <= kRowsUncounted) {
    const [row] = await tx.query<Joined>(`select (${rows}) as rows`, values);
    const text = row?.rows ?? '';
    budget.take(text === '' ? 0 : 1, text.length);
    return text;
  }
  const [mostRows, mostBytes] = [`$${values.length + 1}`, `$${values.length + 2}`];
  const [row] = await tx.query<Joined>(
    `select s.found::text as found, s.bytes::text as bytes,
            case when s.found <= ${mostRows}::text::bigint and s.bytes <= ${mostBytes}::text::bigint then (${rows}) end as rows
       from (select count(*) as found, coalesce(sum(f.size), 0) as bytes
               from (select ${rowBytes(table, 't')} as size from ${source} limit ${mostRows}::text::bigint + 1) f) s`,
    [...values, String(budget.rows), String(budget.bytes)],
  );
  budget.take(Number(row?.found ?? 0), Number(row?.bytes ?? 0));
  return row?.rows ?? '';
}

/** A JSON list. The parts are lists without brackets. */
export function joinLists(parts: readonly string[]): string {
  return `[${parts.filter((part) => part !== '').join(',')}]`;
}

function tableOf(schema: SqlSchema, name: string): SqlTable {
  const table = schema.get(name);
  if (table === undefined) throw new Error(`The authority named an unknown table ${name}.`);
  return table;
}

function columnOf(table: SqlTable, prop: string): SqlColumn {
  const column = table.columns.find((candidate) => candidate.prop === prop);
  if (column === undefined) throw new Error(`The authority named ${table.table}.${prop}.`);
  return column;
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Ids belong to their realm. */
export type RowKey = readonly [realm: string, table: string, id: string];

/** A row that is read only if one of the users is a member of its realm; null: in any case. */
export interface KeyFor {
  readonly key: RowKey;
  readonly users: readonly string[] | null;
}

/** The keys `k` of realms of which one of the users is a member. A key without users needs none. */
const kKeysOfMembers = `(
  select a.realm, a.id from json_to_recordset($1::text::json) as a(realm text, id text, users json)
   where a.users is null or json_typeof(a.users) = 'null' or exists (
     select 1 from json_array_elements_text(a.users) as u(name)
      cross join lateral (select 1 from skerry.membership m
        where m.realm = a.realm and m.id = a.realm || '/' || u.name and ${kIsMember} limit 1) m)) k`;

/** The rows of the keys, tombstones too, as elements of lists. */
export async function rowsById(
  tx: Queryable,
  schema: SqlSchema,
  keys: readonly KeyFor[],
  budget: RowBudget,
): Promise<string[]> {
  const parts: Promise<string>[] = [];
  for (const [name, group] of grouped(keys, ({ key: [, table] }) => table)) {
    const table = tableOf(schema, name);
    const places = group.map(({ key: [realm, , id], users }) => ({ realm, id, users }));
    const isFree = group.every(({ users }) => users === null);
    parts.push(
      joined(
        tx,
        table,
        `${isFree ? 'json_to_recordset($1::text::json) as k(realm text, id text)' : kKeysOfMembers}
           cross join lateral (select t.* from ${table.name} t
             where t.realm = k.realm and t.id = k.id limit 1) t`,
        [JSON.stringify(places)],
        budget,
        group.length,
      ),
    );
  }
  return Promise.all(parts);
}

async function childrenOf(
  tx: Queryable,
  schema: SqlSchema,
  keys: RowNeeds['children'],
  budget: RowBudget,
): Promise<string[]> {
  const parts: Promise<string>[] = [];
  for (const group of grouped(keys, ([, table, prop]) => `${table}\0${prop}`).values()) {
    const [, name, prop] = group[0] as (typeof group)[number];
    const table = tableOf(schema, name);
    const targets = group.map(([realm, , , id]) => ({ realm, id }));
    parts.push(
      joined(
        tx,
        table,
        `json_to_recordset($1::text::json) as k(realm text, id text)
           cross join lateral (select t.* from ${table.name} t
             where t.deleted_at is null and t.realm = k.realm
               and t.${columnOf(table, prop).name} = k.id offset 0) t`,
        [JSON.stringify(targets)],
        budget,
      ),
    );
  }
  return Promise.all(parts);
}

async function uniqueRivals(
  tx: Queryable,
  schema: SqlSchema,
  keys: RowNeeds['unique'],
  budget: RowBudget,
): Promise<string[]> {
  const parts: Promise<string>[] = [];
  for (const group of grouped(keys, ([, table, prop]) => `${table}\0${prop}`).values()) {
    const [, name, prop] = group[0] as (typeof group)[number];
    const table = tableOf(schema, name);
    const column = columnOf(table, prop);
    const values = group.map(([realm, , , value]) => ({ realm, value }));
    parts.push(
      joined(
        tx,
        table,
        `json_to_recordset($1::text::json) as k(realm text, value ${columnType(column).json})
           cross join lateral (select t.* from ${table.name} t
             where t.deleted_at is null and t.realm = k.realm
               and ${textKeyed(column, `t.${column.name}`)} = ${textKeyed(column, fromPlain(column, 'k.value'))} offset 0) t`,
        [JSON.stringify(values)],
        budget,
        group.length,
      ),
    );
  }
  return Promise.all(parts);
}

/** The live rows that match a filter, for the rules of the application. */
function matchingRows(
  tx: Queryable,
  schema: SqlSchema,
  needs: RowNeeds['matching'],
  budget: RowBudget,
): Promise<string[]> {
  return Promise.all(
    needs.map(([realm, name, filter]) => {
      const table = tableOf(schema, name);
      const params = new Params();
      const where = filterSql(schema, table, 't', filter, params);
      const live = `t.deleted_at is null and t.realm = ${params.add(realm)} collate "C"`;
      return joined(
        tx,
        table,
        `(select t.* from ${table.name} t where ${live} and ${where}) t`,
        params.values,
        budget,
      );
    }),
  );
}

async function listed(tx: Queryable, sql: string, params: readonly string[]): Promise<string> {
  const [row] = await tx.query<{ readonly rows: string | null }>(sql, params);
  return row?.rows ?? '';
}

async function othersOf(tx: Queryable, keys: RowNeeds['others']): Promise<string[]> {
  const parts: Promise<string>[] = [];
  for (const [name, group] of grouped(keys, ([, table]) => table)) {
    const values = group.map(([realm, , id, client]) => ({ realm, id, client }));
    parts.push(
      listed(
        tx,
        `select ${aggregate(
          `json_build_object('realm', k.realm, 'table', ${quoteText(name)}, 'id', k.id, 'client', k.client,
             'revision', o.revision)`,
        )} as rows
          from json_to_recordset($1::text::json) as k(realm text, id text, client text)
          cross join lateral (
            select max(c.revision) as revision from skerry.change c join skerry.log l using (realm, revision)
             where c.realm = k.realm and c.table_name = ${quoteText(name)} and c.id = k.id
               and l.client <> k.client and not c.touch) o
         where o.revision is not null`,
        [JSON.stringify(values)],
      ),
    );
  }
  return Promise.all(parts);
}

/** Reads what an admission needs: the text of its next step. */
export async function readNeeds(
  tx: Queryable,
  schema: SqlSchema,
  needs: RowNeeds,
  budget = new RowBudget(),
): Promise<string> {
  const [rows, children, rivals, matching, others, undone] = await Promise.all([
    rowsById(
      tx,
      schema,
      needs.rows.map((key) => ({ key, users: null })),
      budget,
    ),
    childrenOf(tx, schema, needs.children, budget),
    uniqueRivals(tx, schema, needs.unique, budget),
    matchingRows(tx, schema, needs.matching, budget),
    othersOf(tx, needs.others),
    doneActions(tx, needs.undone, budget),
  ]);
  return `{"rows":${joinLists([...rows, ...children, ...rivals, ...matching])},"others":${joinLists(others)},"undone":[${undone}]}`;
}

/** The rows of a table, as the JSON text of a list. */
export interface TableRows {
  readonly table: string;
  readonly list: string;
}

/** Parts of a statement that write rows. */
export interface RowsWritten {
  /** Members of its `with`, one per table. */
  readonly members: readonly string[];
  /** True, or an error: the statement must select it, so that the rows are certainly written. */
  readonly check: string;
}

/** Writes final states, each in its own realm, which must be locked: else nothing is written. */
export function writingRows(
  schema: SqlSchema,
  tables: readonly TableRows[],
  count: number,
  locked: Iterable<string>,
  params: Params,
): RowsWritten {
  if (tables.length === 0) return { members: [], check: 'true' };
  const realms = params.add(JSON.stringify([...locked]));
  const members = tables.map(({ table, list }, i) => {
    const written = writeTable(tableOf(schema, table), params.add(list), realms);
    return `written_${i} as (${written})`;
  });
  const counts = tables.map((_, i) => `(select count(*) from written_${i})`);
  const wanted = `${params.add(String(count))}::bigint`;
  return { members, check: `skerry.all_written(${counts.join(' + ')}, ${wanted})` };
}

function writeTable(table: SqlTable, list: string, realms: string): string {
  const names = table.columns.map((column) => column.name);
  const values = table.columns.map((column) => fromPlain(column, `p.${quoteName(column.prop)}`));
  // The object as it was before this statement, in this realm or in the one that it has left. An object that is created
  // again is a millisecond younger.
  const left = table.left ?? [];
  const before =
    left.length === 0
      ? ''
      : `left join lateral (select true as found, ${left.map(({ name }) => `s.${name}`).join(', ')} from ${table.name} s
           where s.id = r.id and s.realm in (select l.realm from json_array_elements_text(${realms}::json) as l(realm))
             and s.deleted_at is null and s.created_at < skerry.from_ms(r."createdAt") + interval '1 millisecond'
             and skerry.from_ms(r."createdAt") < s.created_at + interval '1 millisecond'
           order by s.realm = r.realm desc limit 1) b on true`;
  const kept = left.map(
    (column) => `case when b.found then b.${column.name} else ${column.default} end`,
  );
  const written = [...names, ...left.map(({ name }) => name)];
  const opened =
    table.columns.length === 0
      ? ''
      : `cross join lateral json_to_record(r.props) as p(${propsRecord(table)})`;
  return `
       insert into ${table.name} as t (${[...fixedColumns, ...written].join(', ')})
       select ${[
         'r.id',
         'r.realm',
         'r.revision',
         'skerry.from_ms(r."createdAt")',
         'skerry.from_ms(r."modifiedAt")',
         'skerry.from_ms(r."deletedAt")',
         'r."movedTo"',
         ...values,
         ...kept,
       ].join(', ')}
         from json_to_recordset(${list}::json) as r(id text, realm text, revision bigint,
           "createdAt" double precision, "modifiedAt" double precision, "deletedAt" double precision, "movedTo" text, props json)
         ${opened}
         ${before}
       on conflict (realm, id) do update set
         ${[...fixedColumns.slice(2), ...written].map((column) => `${column} = excluded.${column}`).join(', ')}
         where t.realm in (select l.realm from json_array_elements_text(${realms}::json) as l(realm))
       returning 1`;
}
