// The pages of scopes. A page may match few rows, or none, of very many. So it is looked for in parts: each looks at so many
// rows at most, in the order of their ids, and says how far it has come. A page that takes long ends there, and the next pull
// goes on. So neither a filter without an index nor the number of realms makes an answer late.

import { limits } from '../base/limits.ts';
import type { PageNeed } from '../base/wire-types.ts';
import { Params, type Queryable } from '../db/database.ts';
import { filterSql } from '../sql/filter.ts';
import { isEverything, keyPart, rowWork } from '../sql/filter-work.ts';
import { cutRows } from '../sql/row-bytes.ts';
import { rowJson } from '../sql/rows.ts';
import type { SqlSchema, SqlTable } from '../sql/tables.ts';
import { tableOf } from './reads.ts';

export interface PageRead {
  /** `{"rows":[…],"upto":id,"more":bool}`; without `upto` it is the last row's id */
  readonly text: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface PageLimits {
  readonly rows: number;
  readonly bytes: number;
  /** Whether a page that has looked for long goes on; asked after each part. */
  readonly goesOn?: () => boolean;
  /** Rows that a part looks at, and comparisons. */
  readonly looks?: number;
  readonly work?: number;
}

/** `upto`: no row above this id. */
export type BoundedPageNeed = PageNeed & { readonly upto?: string | null };

interface Part {
  /** How many rows of those looked at match, at most one more than were asked for; and how many of them were taken. */
  readonly found: number;
  readonly taken: number;
  readonly bytes: number;
  readonly text: string;
  /** All rows up to this id were looked at; null: all rows. */
  readonly upto: string | null;
}

/**
 * The next rows of a scope: at most `rows` of them and `bytes` bytes, but at least one, however large, and all of its
 * last id: the next page begins above it. If there are none among very many, the page is empty, and says where it ends.
 */
export async function readPage(
  tx: Queryable,
  schema: SqlSchema,
  need: BoundedPageNeed,
  { rows: most, bytes: mostBytes, goesOn = () => true, ...given }: PageLimits,
): Promise<PageRead> {
  const { looks = limits.pageLooks, work = limits.pageWork } = given;
  const table = tableOf(schema, need.table);
  const limit = Math.min(need.limit, most);
  const texts: string[] = [];
  let above = need.above;
  let rows = 0;
  let bytes = 0;
  for (;;) {
    const left = { rows: limit - rows, bytes: Math.max(0, mostBytes - bytes), looks, work };
    const part = await readPart(tx, schema, table, { ...need, above }, left);
    // A part after the first need not have a row: one that is too large for what is left comes with the next page.
    const isOver = rows > 0 && part.bytes > left.bytes;
    if (part.taken > 0 && !isOver) {
      texts.push(part.text);
      rows += part.taken;
      bytes += part.bytes;
    }
    const isCut = isOver || part.found > part.taken || part.found > left.rows;
    const upto = isCut ? (isOver ? above : null) : part.upto;
    const more = isCut || upto !== null;
    if (!isCut && upto !== null && rows < limit && bytes < mostBytes && goesOn()) {
      above = upto;
      continue;
    }
    const end = upto === null ? '' : `"upto":${JSON.stringify(upto)},`;
    const text = `{"rows":[${texts.join(',')}],${end}"more":${more}}`;
    return { text, rows, bytes };
  }
}

/**
 * One part of a page. Rows are looked at realm by realm, by the index of each: in the order of ids alone, the rows of all
 * other users would be read, too. Of very many realms, those with the lowest ids: as many as have enough rows together, up
 * to where the next one begins.
 */
async function readPart(
  tx: Queryable,
  schema: SqlSchema,
  table: SqlTable,
  need: BoundedPageNeed,
  most: Required<Omit<PageLimits, 'goesOn'>>,
): Promise<Part> {
  const params = new Params();
  const realms = params.add(JSON.stringify(need.realms));
  const above = params.add(need.above);
  const within =
    typeof need.upto === 'string' ? `and t.id <= ${params.add(need.upto)} collate "C"` : '';
  const bytes = params.add(String(Math.floor(most.bytes)));
  const key = keyPart(table, need.where);
  const keyed = key === null ? 'true' : filterSql(schema, table, 't', key, params, realms);
  const where = filterSql(schema, table, 'b', need.where, params, realms, 'base');
  const looks = isEverything(need.where) ? Math.min(most.rows, most.looks) : most.looks;
  const next = `select t.* from ${table.name} t
           where t.realm = k.realm and t.deleted_at is null and t.id > ${above} collate "C" ${within} and ${keyed}
           order by t.id limit`;
  const [part] = await tx.query<Record<'found' | 'taken' | 'bytes', string> & TextPart>(
    `with firsts as (
       select k.realm, t.id, coalesce(r.rows, 0) as rows
         from (select distinct k.realm from json_array_elements_text(${realms}::json) as k(realm)) k
        cross join lateral (${next} 1) t
         left join lateral (select r.rows from skerry.realm r where r.realm = k.realm limit 1) r on true),
     near as materialized (
       select f.realm, f.id, coalesce(sum(f.rows) over (order by f.id groups between unbounded preceding and 1 preceding), 0) as before
         from firsts f),
     base as materialized (
       select t.*, ${rowWork(table, 't', need.where)} as "$work"
         from near k cross join lateral (${next} ${looks + 1}) t where k.before < ${looks}),
     cut as materialized (
       select min(c.id) as id from (
         select k.id from near k where k.before >= ${looks}
         union all
         select b.id from (select b.id, rank() over w as place, sum(b."$work") over w as work from base b window w as (order by b.id)) b
          where b.place > ${looks} or (b.place > 1 and b.work > ${most.work})) c),
     page as (
       select b.* from base b
        where coalesce(b.id < (select c.id from cut c), true) and ${where}
        order by b.id fetch first ${most.rows + 1} rows with ties),
     taken as (${cutRows(table, 'page', most.rows, `${bytes}::bigint`)})
     select (select count(*) from page)::text as found, count(*)::text as taken,
            coalesce(max(p."$upto_bytes"), 0)::text as bytes,
            string_agg((${rowJson(table, 'p')})::text, ',' order by p.id) as text,
            (select max(b.id) from base b where b.id < (select c.id from cut c)) as upto
       from taken p`,
    params.values,
  );
  return {
    ...{ found: Number(part?.found ?? 0), taken: Number(part?.taken ?? 0) },
    ...{ bytes: Number(part?.bytes ?? 0), text: part?.text ?? '', upto: part?.upto ?? null },
  };
}

interface TextPart {
  readonly text: string | null;
  readonly upto: string | null;
}
