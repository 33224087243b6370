// The SQL reads of a pull: heads, ranges of the log and their contents, rows of a realm, and earlier versions of rows;
// those of sub-selects are in join-reads.ts, pages in pages.ts. SQL builds lists as JSON text. Each key is looked up by itself (lateral, with a limit), because the
// planner may read whole tables for a join of sets.

import { limits } from '../base/limits.ts';
import type { RowNeed } from '../base/wire-types.ts';
import { kNow } from '../db/clock.ts';
import type { Queryable } from '../db/database.ts';
import { memberOps } from '../sql/members.ts';
import { quoteText } from '../sql/names.ts';
import { rowBytes, TooMuchToRead } from '../sql/row-bytes.ts';
import { rowJson } from '../sql/rows.ts';
import { propsObject, type SqlSchema, type SqlTable } from '../sql/tables.ts';
import type { Range } from './ranges.ts';

interface Text {
  readonly text: string | null;
}

export async function readText(
  tx: Queryable,
  sql: string,
  params: readonly (string | null)[],
): Promise<string> {
  const [row] = await tx.query<Text>(sql, params);
  return row?.text ?? '';
}

const kCursor = /^(\d{1,15})@(\d{1,16})$/;

export interface HeadRows {
  readonly rows: number;
}

export interface PullHeads {
  readonly now: string;
  readonly realms: Readonly<Record<string, HeadRows>>;
  /**
   * The realms whose cursors are at their beginning, though they have entries, or belong to another history than the log has
   * (after a restore, or because the caller has made them up). Those that the log has forgotten are not among them.
   */
  readonly begunAgain: ReadonlySet<string>;
}

/** The heads of the realms that a user may read; a realm without any writes has revision 0. */
export async function readHeads(
  tx: Queryable,
  readable: readonly string[],
  cursors: Readonly<Record<string, string>>,
): Promise<PullHeads> {
  const asked = readable.map((realm) => {
    const given = Object.hasOwn(cursors, realm) ? cursors[realm] : undefined;
    const [, revision, at] = kCursor.exec(given ?? '') ?? [];
    return revision === undefined ? { realm } : { realm, revision, at };
  });
  const [row] = await tx.query<{ now: string; realms: string; again: string }>(
    `select (${kNow})::text as now,
            coalesce(json_object_agg(k.realm, json_build_object('head', coalesce(r.head, 0),
                      'headAt', coalesce(r.at, 0), 'rows', coalesce(r.rows, 0), 'floor', coalesce(r.floor, 0),
                      'floorAt', coalesce(r.floor_at, 0))), '{}')::text as realms,
            coalesce(json_agg(k.realm) filter (where case k.revision when 0 then r.head > 0
              else l.at is distinct from k.at and k.revision >= coalesce(r.floor, 0) end), '[]')::text as again
       from json_to_recordset($1::text::json) as k(realm text, revision bigint, at bigint)
       left join lateral (select r.* from skerry.realm r where r.realm = k.realm limit 1) r on true
       left join lateral (select l.at from skerry.log l
                           where l.realm = k.realm and l.revision = k.revision limit 1) l on true`,
    [JSON.stringify(asked)],
  );
  if (row === undefined) throw new Error('The database returned no heads.');
  return {
    now: row.now,
    realms: JSON.parse(row.realms) as PullHeads['realms'],
    begunAgain: new Set(JSON.parse(row.again) as string[]),
  };
}

export interface EntryRange {
  readonly realm: string;
  readonly from: number;
  readonly upto: string;
  /** Only the entries of this client. */
  readonly client: string | null;
}

/**
 * Entries without their changes, which are in `changes`: those of all ranges in one query. Of the entry of a cursor only its
 * time is needed. An update's entry in each of its realms names all of them (`revisions`): what is not needed of them is
 * not read, because it grows with their square.
 */
export async function readEntries(tx: Queryable, ranges: readonly EntryRange[]): Promise<string> {
  if (ranges.length === 0) return '';
  return readText(
    tx,
    `select string_agg((case
              when l.revision = k."from" then json_build_object('realm', l.realm, 'revision', l.revision, 'at', l.at)
              else json_build_object('realm', l.realm, 'revision', l.revision, 'at', l.at, 'client', l.client,
                'update', l.update_id, 'declared', l.declared,
                'revisions', case when k.client is null then a.revisions end,
                'base', (l.base->>l.realm)::bigint, 'gone', a.gone, 'missing', a.missing, 'dropped', a.dropped,
                'notAppended', a."notAppended", 'streams', l.streams) end)::text,
              ',' order by k.place, l.revision) as text
       from json_to_recordset($1::text::json) as k(place integer, realm text, "from" bigint, upto bigint, client text)
      cross join lateral (
        select l.* from skerry.log l
         where l.realm = k.realm and l.revision >= k."from" and l.revision <= k.upto
           and (k.client is null or l.client = k.client)
         order by l.revision offset 0) l
       left join lateral json_to_record(case when l.revision > k."from" then l.answer end)
                   as a(revisions json, gone json, missing json, dropped json, "notAppended" json) on true`,
    [JSON.stringify(ranges.map((range, place) => ({ place, ...range })))],
  );
}

/** Joins `t`, the live row that `key` names. Each row by itself, so that no index is read whole. */
function liveRow(table: SqlTable, key: string): string {
  return `left join lateral (select t.* from ${table.name} t
              where t.realm = ${key}.realm and t.id = ${key}.id limit 1) t on t.deleted_at is null`;
}

/**
 * The changes of ranges: as many statements as tables, however many realms there are. If a range ends at the head, the last
 * change of a row comes with the current row, which the authority would need next.
 */
export function readChanges(
  tx: Queryable,
  schema: SqlSchema,
  ranges: readonly Range[],
): Promise<string[]> {
  const parts: Promise<string>[] = [];
  for (const isHead of [true, false]) {
    const alike = ranges.filter((range) => range.isHead === isHead);
    for (const name of new Set(alike.flatMap(({ tables }) => tables))) {
      const table = schema.get(name);
      if (table === undefined) continue; // The schema no longer has this table.
      const among = alike.filter(({ tables }) => tables.includes(name));
      parts.push(readChangesOf(tx, table, among, isHead));
    }
  }
  return Promise.all(parts);
}

function readChangesOf(
  tx: Queryable,
  table: SqlTable,
  ranges: readonly Range[],
  isHead: boolean,
): Promise<string> {
  const name = table.table;
  // Built as text, because it runs for every row, and the parts common to all rows come from outside.
  const row = `'"createdAt":' || skerry.to_ms(t.created_at) || ',"modifiedAt":' || skerry.to_ms(t.modified_at)
      || ',"revision":' || t.revision || ',"props":' || (${propsObject(table, 't')})::text`;
  const given = `case when t.id is null then ',"row":null'
                        when t.revision = c.revision then ',"row":{' || ${row} || '}' else '' end`;
  return readText(
    tx,
    `select string_agg(k.begin || c.revision || ',"id":' || to_json(c.id)::text
                  || coalesce(',"before":' || c.before::text, '') || ${isHead ? given : "''"} || '}', ',') as text
           from json_to_recordset($1::text::json) as k(realm text, "from" bigint, upto bigint, begin text)
          cross join lateral (
            select c.* from skerry.change c
             where c.realm = k.realm and c.table_name = ${quoteText(name)}
               and c.revision > k."from" and c.revision <= k.upto offset 0) c
           ${isHead ? liveRow(table, 'c') : ''}`,
    [
      JSON.stringify(
        ranges.map(({ realm, from, upto }) => ({
          ...{ realm, from, upto },
          begin: `{"realm":${JSON.stringify(realm)},"table":${JSON.stringify(name)},"revision":`,
        })),
      ),
    ],
  );
}

/**
 * Own updates, wherever they are in the log. Their ops are read only within the given ranges, each from its `from` to
 * its `upto`; `ranges` null: none but those on memberships.
 */
export async function readOwn(
  tx: Queryable,
  own: readonly string[],
  readable: readonly string[],
  ranges:
    | readonly { readonly realm: string; readonly from: number; readonly upto: string }[]
    | null,
): Promise<string> {
  // What no page brings is needed in any case.
  const folded = ranges === null ? memberOps('o.ops') : 'case when o.folds then o.ops end';
  const [row] = await tx.query<{ text: string | null; fits: string }>(
    `with own as (
       select l.*, k.realm is not null as folds, (select r.floor from skerry.realm r where r.realm = l.realm) as floor
         from (select distinct i.id from json_array_elements_text($1::text::json) as i(id)) i
        cross join lateral (select l.* from skerry.log l where l.update_id = i.id and l.declared offset 0) l
         left join json_to_recordset($3::text::json) as k(realm text, "from" bigint, upto bigint)
           on k.realm = l.realm and l.revision > k."from" and l.revision <= k.upto
        where l.realm in (select r.realm from json_array_elements_text($2::text::json) as r(realm))),
     whole as (
       select coalesce(sum(coalesce(bytes, octet_length(ops::text))) filter (where folds), 0) <= $4::text::bigint as fits
         from own)
     select fits::text as fits, case when fits then (
       select string_agg(json_build_object('update', o.update_id, 'realm', o.realm, 'revision', o.revision, 'at', o.at,
                'client', o.client, 'ops', ${folded}, 'gone', o.answer -> 'gone', 'missing', o.answer -> 'missing', 'dropped', o.answer -> 'dropped',
                'notAppended', o.answer -> 'notAppended',
                'revisions', o.answer -> 'revisions', 'forgotten', o.folds and o.revision <= o.floor)::text,
                ',' order by o.realm, o.revision) from own o) end as text
       from whole`,
    [
      JSON.stringify(own),
      JSON.stringify(readable),
      JSON.stringify(ranges ?? []),
      String(limits.entryBytes),
    ],
  );
  if (row?.fits !== 'true') throw new TooMuchToRead('The ops of own updates are too large.');
  return row.text ?? '';
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
      cross join lateral (select a.* from skerry.action a where a.realm = r.realm and a.id = k.id limit 1) a`,
    [JSON.stringify(actions), JSON.stringify(readable)],
  );
}

/** The table of a name that the authority has said. */
export function tableOf(schema: SqlSchema, name: string): SqlTable {
  const table = schema.get(name);
  if (table === undefined) throw new Error(`The authority named an unknown table ${name}.`);
  return table;
}

/** About how many bytes the live rows of a table have, by realm: of all realms in one statement. */
export async function readSizes(
  tx: Queryable,
  schema: SqlSchema,
  realms: readonly string[],
  name: string,
): Promise<Map<string, number>> {
  const table = tableOf(schema, name);
  const rows = await tx.query<{ realm: string; bytes: string }>(
    `select k.realm, s.bytes::text as bytes
       from json_array_elements_text($1::text::json) as k(realm)
      cross join lateral (
        select coalesce(sum(${rowBytes(table, 't')}), 0) as bytes from ${table.name} t
         where t.realm = k.realm and t.deleted_at is null) s
      where s.bytes > 0`,
    [JSON.stringify(realms)],
  );
  return new Map(rows.map(({ realm, bytes }) => [realm, Number(bytes)]));
}

/** All live rows of a table in these realms, as the text of a list without brackets. */
export function readState(
  tx: Queryable,
  schema: SqlSchema,
  realms: readonly string[],
  name: string,
): Promise<string> {
  const table = tableOf(schema, name);
  return readText(
    tx,
    `select string_agg((${rowJson(table, 't')})::text, ',') as text
       from json_array_elements_text($1::text::json) as k(realm)
      cross join lateral (
        select t.* from ${table.name} t where t.realm = k.realm and t.deleted_at is null offset 0) t`,
    [JSON.stringify(realms)],
  );
}

/** Rows of a realm as of a revision: the `before` of their first change after it, or else the current row. */
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
  let left = limits.entryBytes;
  for (const [name, group] of byTable) {
    const table = tableOf(schema, name);
    const [row] = await tx.query<{ text: string | null; bytes: string }>(
      `with found as (
         select k.realm as k_realm, k.id as k_id, coalesce(c.found, false) as found, c.before, t.*
           from json_to_recordset($1::text::json) as k(realm text, id text, after bigint)
           left join lateral (
             select true as found, x.before from skerry.change x
              where x.table_name = ${quoteText(name)} and x.id = k.id and x.realm = k.realm and x.revision > k.after
              order by x.revision limit 1) c on true
           ${liveRow(table, 'k')}),
       whole as (
         select coalesce(sum(case when f.found then octet_length(f.before::text) when f.id is not null then ${rowBytes(table, 'f')} end), 0) as bytes
           from found f)
       select w.bytes::text as bytes, case when w.bytes <= $2::text::bigint then (
         select string_agg((case
             when f.found then json_build_object('realm', f.k_realm, 'table', ${quoteText(name)}, 'id', f.k_id, 'before', f.before)
             when f.id is null then json_build_object('realm', f.k_realm, 'table', ${quoteText(name)}, 'id', f.k_id, 'row', null)
             else json_build_object('realm', f.k_realm, 'table', ${quoteText(name)}, 'id', f.k_id, 'row', ${rowJson(table, 'f')})
           end)::text, ',') from found f) end as text
         from whole w`,
      [JSON.stringify(group), String(left)],
    );
    left -= Number(row?.bytes ?? 0);
    if (left < 0) throw new TooMuchToRead('The rows at the end of a range are too large.');
    parts.push(row?.text ?? '');
  }
  return parts;
}
