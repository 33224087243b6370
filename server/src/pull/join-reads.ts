// What a pull reads for sub-selects, of rows that did not change themselves: in as many statements as there are sub-selects,
// however many realms they are asked for.

import { limits } from '../base/limits.ts';
import type { CandidateNeed, SelectedNeed } from '../base/wire-types.ts';
import { Params, type Queryable } from '../db/database.ts';
import { hashedSelection, selectionSql } from '../sql/filter.ts';
import { rowBytes } from '../sql/row-bytes.ts';
import { rowJson } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import { tableOf } from './reads.ts';

/** The end of a range, before the head, and the tables whose changes beyond it are needed. */
export interface ToHeadNeed {
  readonly realm: string;
  readonly upto: string;
  readonly tables: readonly string[];
}

/** The changes of these tables above the ends of ranges, up to the heads; null if there are more than `atMost` in all. */
export async function readToHead(
  tx: Queryable,
  needs: readonly ToHeadNeed[],
  atMost: number,
): Promise<string | null> {
  const [row] = await tx.query<{ text: string | null; found: string; bytes: string }>(
    `with beyond as (
       select k.realm, c.table_name, c.revision, c.id, c.before
         from json_to_recordset($1::text::json) as k(realm text, upto bigint, tables json)
        cross join lateral json_array_elements_text(k.tables) as n(name)
        cross join lateral (
          select c.table_name, c.revision, c.id, c.before from skerry.change c
           where c.realm = k.realm and c.table_name = n.name and c.revision > k.upto
           order by c.revision limit ${atMost + 1}) c
        limit ${atMost + 1}),
     whole as (select count(*) as found, coalesce(sum(octet_length(before::text)), 0) as bytes from beyond)
     select w.found::text as found, w.bytes::text as bytes,
            case when w.found <= ${atMost} and w.bytes <= ${limits.entryBytes} then (
              select string_agg(json_build_object('realm', b.realm, 'table', b.table_name, 'revision', b.revision,
                       'id', b.id, 'before', b.before)::text, ',') from beyond b) end as text
       from whole w`,
    [JSON.stringify(needs)],
  );
  const fits = Number(row?.found) <= atMost && Number(row?.bytes) <= limits.entryBytes;
  return fits ? (row?.text ?? '') : null;
}

/** The needs that one statement answers, with their places. */
function grouped<Need>(
  needs: readonly Need[],
  keyOf: (need: Need) => unknown,
): (readonly [Need, number])[][] {
  const groups = new Map<string, [Need, number][]>();
  for (const [place, need] of needs.entries()) {
    const key = JSON.stringify(keyOf(need));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [[need, place]]);
    else group.push([need, place]);
  }
  return [...groups.values()];
}

interface Placed {
  readonly place: string;
  readonly text: string;
}

export interface CandidateLimits {
  readonly rows: number;
  readonly bytes: number;
  /** Rows that are looked at, where the prop has no index. */
  readonly looks: number;
}

const kTooMany = '{"rows":[],"more":true}';

/**
 * The outer rows that changed inner rows concern, as `{"rows":[…],"more":bool}` each. If those of one prop are too many in all
 * realms together, there are none: their table is then filled again in all realms.
 */
export async function readCandidates(
  tx: Queryable,
  schema: SqlSchema,
  needs: readonly CandidateNeed[],
  atMost: CandidateLimits,
): Promise<string[]> {
  const answers: string[] = needs.map(() => '{"rows":[],"more":false}');
  for (const group of grouped(needs, ({ table, prop }) => [table, prop])) {
    const found = await readCandidatesOf(tx, schema, group, atMost);
    for (const [, place] of group) if (found === null) answers[place] = kTooMany;
    for (const { place, text } of found ?? [])
      answers[Number(place)] = `{"rows":[${text}],"more":false}`;
  }
  return answers;
}

async function readCandidatesOf(
  tx: Queryable,
  schema: SqlSchema,
  group: readonly (readonly [CandidateNeed, number])[],
  atMost: CandidateLimits,
): Promise<Placed[] | null> {
  const [[first]] = group as [[CandidateNeed, number]];
  const table = tableOf(schema, first.table);
  const params = new Params();
  const list = params.add(
    JSON.stringify(group.map(([{ realm, values }, place]) => ({ place, realm, values }))),
  );
  const needs = `json_to_recordset(${list}::json) as k(place integer, realm text, values json)`;
  const all = { table, select: first.prop, where: ['true'] };
  const hashed = hashedSelection(schema, all, 't', 'l.v', params);
  const looked =
    hashed === null
      ? `select k.place, t.*
          from (select distinct k.place, k.realm, l.v from ${needs} cross join lateral json_array_elements_text(k.values) as l(v)) k
         cross join lateral (
           select t.* from ${table.name} t
            where t.realm = k.realm and ${selectionSql(schema, all, 't', 'k.v', params)} offset 0) t
         limit ${atMost.rows + 1}`
      : `select k.place, t.* from ${needs}
         cross join lateral (
           select t.* from ${table.name} t where t.realm = k.realm and ${hashed.matches} offset 0) t
         limit ${atMost.looks + 1}`;
  const matches =
    hashed === null
      ? 'true'
      : `((t.place, ${hashed.column}) in (
           select k.place, ${hashed.value} from ${needs} cross join lateral json_array_elements_text(k.values) as l(v)) is true)`;
  const rows = await tx.query<Placed & { readonly more: string }>(
    `with looked as materialized (${looked}),
     found as materialized (select t.* from looked t where ${matches} limit ${atMost.rows + 1}),
     whole as (select (select count(*) from looked) > ${hashed === null ? atMost.rows : atMost.looks}
                      or count(*) > ${atMost.rows} or coalesce(sum(${rowBytes(table, 'f')}), 0) > ${atMost.bytes} as more
                 from found f)
     select w.more::text as more, f.place::text as place, f.text
       from whole w
       left join lateral (select f.place, string_agg((${rowJson(table, 'f')})::text, ',') as text
                            from found f where not w.more group by f.place) f on true`,
    params.values,
  );
  if (rows.some(({ more }) => more === 'true')) return null;
  return rows.filter(({ place }) => place !== null);
}

/**
 * The places in `values` of what is selected by live rows that match, and have not changed above `upto`: a list for each need.
 */
export async function readSelected(
  tx: Queryable,
  schema: SqlSchema,
  needs: readonly SelectedNeed[],
): Promise<string[]> {
  const answers: string[] = needs.map(() => '[]');
  for (const group of grouped(needs, ({ table, select, where }) => [table, select, where])) {
    for (const { place, text } of await readSelectedOf(tx, schema, group))
      answers[Number(place)] = `[${text}]`;
  }
  return answers;
}

function readSelectedOf(
  tx: Queryable,
  schema: SqlSchema,
  group: readonly (readonly [SelectedNeed, number])[],
): Promise<Placed[]> {
  const [[first]] = group as [[SelectedNeed, number]];
  const table = tableOf(schema, first.table);
  const params = new Params();
  const list = params.add(
    JSON.stringify(
      group.map(([{ realm, upto, values }, place]) => ({ place, realm, upto, values })),
    ),
  );
  const needs = `json_to_recordset(${list}::json) as k(place integer, realm text, upto bigint, values json)`;
  const values = `${needs} cross join lateral json_array_elements_text(k.values) with ordinality as l(v, i)`;
  const selection = { table, select: first.select, where: first.where };
  const unchanged = 'i.realm = k.realm and i.revision <= k.upto';
  const hashed = hashedSelection(schema, selection, 'i', 'l.v', params);
  const found =
    hashed === null
      ? `from ${values}
         cross join lateral (
           select 1 from ${table.name} i
            where ${unchanged} and ${selectionSql(schema, selection, 'i', 'l.v', params)} limit 1) i`
      : `from ${values}
         where ((k.place, ${hashed.value}) in (
           select i.place, ${hashed.column} from ${needs}
            cross join lateral (
              select k.place, i.* from ${table.name} i where ${unchanged} and ${hashed.matches} offset 0) i) is true)`;
  return tx.query<Placed>(
    `select k.place::text as place, string_agg((l.i - 1)::text, ',') as text ${found} group by k.place`,
    params.values,
  );
}
