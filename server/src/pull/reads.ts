// What a pull reads, in SQL: heads, ranges of the log and what is in them, rows of a realm, pages, and rows as they were.
// Lists come as JSON text made by SQL.

import { Params, type Queryable } from '../db/database.ts';
import { filterSql } from '../sql/filter.ts';
import { quoteText } from '../sql/names.ts';
import { rowJson } from '../sql/rows.ts';
import { propsObject, type SqlSchema, type SqlTable } from '../sql/tables.ts';

interface EntryNeed {
  readonly realm: string;
  readonly from: number;
  readonly limit: number;
}
interface ChangeNeed {
  readonly realm: string;
  readonly from: number;
}
interface PageNeed {
  readonly table: string;
  readonly where: unknown;
  readonly above: string;
  readonly realms: readonly string[];
  readonly limit: number;
}
interface RowNeed {
  readonly realm: string;
  readonly table: string;
  readonly id: string;
  readonly after: number;
}
export interface Needs {
  readonly entries?: readonly EntryNeed[];
  readonly changes?: readonly ChangeNeed[];
  readonly own?: readonly string[];
  readonly actions?: readonly string[];
  readonly state?: readonly { readonly realm: string; readonly tables: readonly string[] }[];
  readonly pages?: readonly PageNeed[];
  readonly images?: readonly { readonly realm: string }[];
  readonly rows?: readonly RowNeed[];
}

interface Text {
  readonly text: string | null;
}

async function readText(
  tx: Queryable,
  sql: string,
  params: readonly (string | null)[],
): Promise<string> {
  const [row] = await tx.query<Text>(sql, params);
  return row?.text ?? '';
}

/** The heads of the realms that a user may read; a realm that nobody has written yet has revision 0. */
export async function readHeads(
  tx: Queryable,
  readable: readonly string[],
): Promise<{ now: string; realms: string }> {
  const [row] = await tx.query<{ now: string; realms: string }>(
    `select floor(extract(epoch from clock_timestamp()) * 1000)::text as now,
            (select coalesce(json_object_agg(k.realm, json_build_object('head', coalesce(r.head, 0),
                      'headAt', coalesce(r.at, 0), 'rows', coalesce(r.rows, 0))), '{}')
               from json_array_elements_text($1::text::json) as k(realm)
               left join skerry.realm r on r.realm = k.realm)::text as realms`,
    [JSON.stringify(readable)],
  );
  if (row === undefined) throw new Error('The database told no heads.');
  return row;
}

interface Range {
  readonly upto: string;
  /** Whether nothing in the realm comes after it. */
  readonly isHead: boolean;
  /** The tables that its entries touched. */
  readonly tables: readonly string[];
}

/** How far a range goes: at most `limit` entries, which begin within `changes` changes; at least one. */
export async function readRange(
  tx: Queryable,
  { realm, from, limit }: EntryNeed,
  changes: number,
): Promise<Range> {
  const [row] = await tx.query<{ upto: string | null; head: string | null; tables: string }>(
    `with read as (
       select * from (
         select revision, tables, sum(changes) over (order by revision) - changes as before_it
           from skerry.log where realm = $1::text and revision >= $2::text::bigint
          order by revision limit $3::text::bigint) e
        where e.before_it <= $4::text::bigint or e.revision <= $2::text::bigint + 1)
     select (select max(revision) from read)::text as upto,
            (select head from skerry.realm where realm = $1::text)::text as head,
            (select coalesce(json_agg(distinct n.name), '[]') from read
              cross join lateral json_array_elements_text(read.tables) as n(name)
              where read.revision > $2::text::bigint)::text as tables`,
    [realm, String(from), String(limit), String(changes)],
  );
  return {
    upto: row?.upto ?? String(from),
    isHead: row !== undefined && row.upto !== null && row.upto === row.head,
    tables: JSON.parse(row?.tables ?? '[]') as string[],
  };
}

export function readEntries(
  tx: Queryable,
  { realm, from }: EntryNeed,
  upto: string,
  have: readonly string[],
): Promise<string> {
  return readText(
    tx,
    `select string_agg(json_build_object('realm', l.realm, 'revision', l.revision, 'at', l.at, 'client', l.client,
              'update', l.update_id, 'declared', l.declared, 'revisions', l.answer -> 'revisions', 'gone', l.answer -> 'gone',
              'ops', case when h.id is null then null else l.ops end)::text, ',' order by l.revision) as text
       from skerry.log l
       left join json_array_elements_text($4::text::json) as h(id) on h.id = l.update_id
      where l.realm = $1::text and l.revision >= $2::text::bigint and l.revision <= $3::text::bigint`,
    [realm, String(from), upto, JSON.stringify([...new Set(have)])],
  );
}

/** Joins `t`, the row that `key` names, where it lives in the realm of `key`. By itself, so that no index is read whole. */
function liveRow(table: SqlTable, key: string): string {
  return `left join lateral (select t.* from ${table.name} t where t.id = ${key}.id limit 1) t
            on t.realm = ${key}.realm and t.deleted_at is null`;
}

/**
 * The changes of a range. Where it goes to the head, the last change of a row comes with the row as it is: the authority
 * would ask for it next.
 */
export async function readChanges(
  tx: Queryable,
  schema: SqlSchema,
  range: Range & { readonly realm: string; readonly from: number },
): Promise<string[]> {
  const parts: Promise<string>[] = [];
  for (const name of range.tables) {
    const table = schema.get(name);
    if (table === undefined) continue; // of a table that the schema has no more
    // Written as text: this is done for every row, and what all of them share comes from outside.
    const row = `'"createdAt":' || skerry.to_ms(t.created_at) || ',"modifiedAt":' || skerry.to_ms(t.modified_at)
      || ',"revision":' || t.revision || ',"props":' || (${propsObject(table, 't')})::text`;
    const given = `case when t.id is null then ',"row":null'
                        when t.revision = c.revision then ',"row":{' || ${row} || '}' else '' end`;
    parts.push(
      readText(
        tx,
        `select string_agg($4::text || c.revision || ',"id":' || to_json(c.id)::text
                  || coalesce(',"before":' || c.before::text, '') || ${range.isHead ? given : "''"} || '}', ',') as text
           from skerry.change c
           ${range.isHead ? liveRow(table, 'c') : ''}
          where c.realm = $1::text and c.table_name = ${quoteText(name)}
            and c.revision > $2::text::bigint and c.revision <= $3::text::bigint`,
        [
          ...[range.realm, String(range.from), range.upto],
          `{"realm":${JSON.stringify(range.realm)},"table":${JSON.stringify(name)},"revision":`,
        ],
      ),
    );
  }
  return Promise.all(parts);
}

export function readOwn(
  tx: Queryable,
  own: readonly string[],
  readable: readonly string[],
): Promise<string> {
  return readText(
    tx,
    `select string_agg(json_build_object('update', l.update_id, 'realm', l.realm, 'revision', l.revision, 'at', l.at,
              'client', l.client, 'ops', l.ops, 'gone', l.answer -> 'gone')::text, ',' order by l.realm, l.revision) as text
       from skerry.log l
      where l.declared
        and l.update_id = any(array(select k.id from json_array_elements_text($1::text::json) as k(id)))
        and l.realm in (select k.realm from json_array_elements_text($2::text::json) as k(realm))`,
    [JSON.stringify(own), JSON.stringify(readable)],
  );
}

export function readActions(
  tx: Queryable,
  actions: readonly string[],
  readable: readonly string[],
): Promise<string> {
  return readText(
    tx,
    `select string_agg(json_build_object('realm', a.realm, 'id', a.id, 'revision', a.revision)::text, ',') as text
       from json_array_elements_text($2::text::json) as r(realm)
      cross join json_array_elements_text($1::text::json) as k(id)
       join skerry.action a on a.realm = r.realm and a.id = k.id`,
    [JSON.stringify(actions), JSON.stringify(readable)],
  );
}

function tableOf(schema: SqlSchema, name: string): SqlTable {
  const table = schema.get(name);
  if (table === undefined) throw new Error(`The authority named an unknown table ${name}.`);
  return table;
}

export function readState(
  tx: Queryable,
  schema: SqlSchema,
  realm: string,
  name: string,
): Promise<string> {
  const table = tableOf(schema, name);
  return readText(
    tx,
    `select string_agg((${rowJson(table, 't')})::text, ',') as text from ${table.name} t
      where t.realm = $1::text and t.deleted_at is null`,
    [realm],
  );
}

export async function readPage(
  tx: Queryable,
  schema: SqlSchema,
  need: PageNeed,
  atMost: number,
): Promise<string> {
  const table = tableOf(schema, need.table);
  const params = new Params();
  const where = filterSql(schema, table, 't', need.where, params);
  const limit = Math.min(need.limit, atMost);
  const realms = params.add(JSON.stringify(need.realms));
  const above = params.add(need.above);
  const [page] = await tx.query<{ rows: string | null; count: string }>(
    `with page as (
       select t.* from ${table.name} t
        where t.deleted_at is null and t.id > ${above} collate "C" and ${where}
          and t.realm in (select k.realm from json_array_elements_text(${realms}::json) as k(realm))
        order by t.id limit ${limit + 1})
     select count(*)::text as count, string_agg((${rowJson(table, 'p')})::text, ',' order by p.id)
              filter (where p.number <= ${limit}) as rows
       from (select page.*, row_number() over (order by id) as number from page) p`,
    params.values,
  );
  return `{"rows":[${page?.rows ?? ''}],"more":${Number(page?.count ?? 0) > limit}}`;
}

/** Rows as they were in a realm after a revision: the `before` of their first change after it, else as they are. */
export async function readRowsAfter(
  tx: Queryable,
  schema: SqlSchema,
  needs: readonly RowNeed[],
): Promise<string[]> {
  const parts: string[] = [];
  const byTable = new Map<string, RowNeed[]>();
  for (const need of needs) {
    const group = byTable.get(need.table);
    if (group === undefined) byTable.set(need.table, [need]);
    else group.push(need);
  }
  for (const [name, group] of byTable) {
    const table = tableOf(schema, name);
    parts.push(
      await readText(
        tx,
        `select string_agg((case
             when c.found then json_build_object('realm', k.realm, 'table', k."table", 'id', k.id, 'before', c.before)
             when t.id is null then json_build_object('realm', k.realm, 'table', k."table", 'id', k.id, 'row', null)
             else json_build_object('realm', k.realm, 'table', k."table", 'id', k.id, 'row', ${rowJson(table, 't')})
           end)::text, ',') as text
           from json_to_recordset($1::text::json) as k(realm text, "table" text, id text, after bigint)
           left join lateral (
             select true as found, x.before from skerry.change x
              where x.table_name = k."table" and x.id = k.id and x.realm = k.realm and x.revision > k.after
              order by x.revision limit 1) c on true
           ${liveRow(table, 'k')}`,
        [JSON.stringify(group)],
      ),
    );
  }
  return parts;
}
