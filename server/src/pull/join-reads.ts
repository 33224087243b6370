// What a pull reads for sub-selects, of rows that did not change themselves.

import { limits } from '../base/limits.ts';
import { Params, type Queryable } from '../db/database.ts';
import { hashedSelection, selectionSql } from '../sql/filter.ts';
import { rowBytes } from '../sql/row-bytes.ts';
import { rowJson } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import type { CandidateNeed, SelectedNeed } from './needs.ts';
import type { Range } from './ranges.ts';
import { readText, tableOf } from './reads.ts';

/**
 * The changes of these tables above the end of a range, up to the head; null if there are more than `atMost`.
 */
export async function readToHead(
  tx: Queryable,
  { realm, upto }: Pick<Range, 'realm' | 'upto'>,
  tables: readonly string[],
  atMost: number,
): Promise<string | null> {
  const [row] = await tx.query<{ text: string | null; found: string; bytes: string }>(
    `with beyond as (
       select c.table_name, c.revision, c.id, c.before
         from json_array_elements_text($3::text::json) as k(name)
        cross join lateral (
          select c.table_name, c.revision, c.id, c.before from skerry.change c
           where c.realm = $1::text and c.table_name = k.name and c.revision > $2::text::bigint
           order by c.revision limit ${atMost + 1}) c),
     whole as (select count(*) as found, coalesce(sum(octet_length(before::text)), 0) as bytes from beyond)
     select w.found::text as found, w.bytes::text as bytes,
            case when w.found <= ${atMost} and w.bytes <= ${limits.entryBytes} then (
              select string_agg(json_build_object('realm', $1::text, 'table', b.table_name, 'revision', b.revision,
                       'id', b.id, 'before', b.before)::text, ',') from beyond b) end as text
       from whole w`,
    [realm, upto, JSON.stringify(tables)],
  );
  const fits = Number(row?.found) <= atMost && Number(row?.bytes) <= limits.entryBytes;
  return fits ? (row?.text ?? '') : null;
}

/** The outer rows that changed inner rows concern, as `{"rows":[…],"more":bool}`: none if they are too many. */
export async function readCandidates(
  tx: Queryable,
  schema: SqlSchema,
  { realm, table: name, prop, values }: CandidateNeed,
  atMost: { readonly rows: number; readonly bytes: number },
): Promise<string> {
  const table = tableOf(schema, name);
  const params = new Params();
  const list = params.add(JSON.stringify(values));
  const inRealm = `t.realm = ${params.add(realm)}`;
  const all = { table, select: prop, where: ['true'] };
  const hashed = hashedSelection(schema, all, 't', 'l.v', params);
  const found =
    hashed === null
      ? `select t.* from (select distinct v from json_array_elements_text(${list}::json) as l(v)) k
          cross join lateral (
            select t.* from ${table.name} t
             where ${inRealm} and ${selectionSql(schema, all, 't', 'k.v', params)} offset 0) t`
      : `select t.* from ${table.name} t
          where ${inRealm} and ${hashed.matches} and (${hashed.column} in (
            select ${hashed.value} from json_array_elements_text(${list}::json) as l(v)) is true)`;
  const [row] = await tx.query<{ text: string | null; more: string }>(
    `with found as (${found} limit ${atMost.rows + 1}),
     whole as (select count(*) > ${atMost.rows} or coalesce(sum(${rowBytes(table, 'f')}), 0) > ${atMost.bytes} as more
                 from found f)
     select w.more::text as more,
            case when not w.more then (select string_agg((${rowJson(table, 'f')})::text, ',') from found f) end as text
       from whole w`,
    params.values,
  );
  return `{"rows":[${row?.text ?? ''}],"more":${row?.more === 'true'}}`;
}

/** The places in `values` of what is selected by live rows that match, and have not changed above `upto`. */
export function readSelected(
  tx: Queryable,
  schema: SqlSchema,
  need: SelectedNeed,
): Promise<string> {
  const table = tableOf(schema, need.table);
  const params = new Params();
  const list = params.add(JSON.stringify(need.values));
  const selection = { table, select: need.select, where: need.where };
  const unchanged = `i.realm = ${params.add(need.realm)} and i.revision <= ${params.add(String(need.upto))}::bigint`;
  const hashed = hashedSelection(schema, selection, 'i', 'l.v', params);
  if (hashed !== null) {
    return readText(
      tx,
      `select string_agg((l.place - 1)::text, ',') as text
         from json_array_elements_text(${list}::json) with ordinality as l(v, place)
        where (${hashed.value} in (
          select ${hashed.column} from ${table.name} i where ${unchanged} and ${hashed.matches}) is true)`,
      params.values,
    );
  }
  return readText(
    tx,
    `select string_agg((l.place - 1)::text, ',') as text
       from json_array_elements_text(${list}::json) with ordinality as l(v, place)
      cross join lateral (
        select 1 from ${table.name} i
         where ${unchanged} and ${selectionSql(schema, selection, 'i', 'l.v', params)} limit 1) i`,
    params.values,
  );
}
