// What has changed above a client's cursor: a comparison needs the rows as they were there.

import { diffLimits } from '../base/diff-limits.ts';
import { limits } from '../base/limits.ts';
import type { Queryable } from '../db/database.ts';

export interface ChangedNeed {
  readonly realm: string;
  readonly table: string;
  /** Ids in (above, upto]; null: up to the last one. */
  readonly above: string;
  readonly upto: string | null;
  readonly cursor: number;
}

/** Whether rows of these tables have changed in the realm above the revision. */
export async function hasChanged(
  tx: Queryable,
  realm: string,
  tables: readonly string[],
  cursor: number,
): Promise<boolean> {
  const [row] = await tx.query<{ found: boolean }>(
    `select exists (
       select 1 from json_array_elements_text($2::text::json) as n(name)
        cross join lateral (
          select 1 from skerry.change c
           where c.realm = $1 and c.table_name = n.name and c.revision > $3::text::bigint limit 1) c) as found`,
    [realm, JSON.stringify([...new Set(tables)]), String(cursor)],
  );
  return row?.found === true;
}

/** `{"id","before"}` of each row that has changed, as it was before its first change; null if they are too many. */
export async function readChanged(
  tx: Queryable,
  { realm, table, above, upto, cursor }: ChangedNeed,
): Promise<{ text: string; bytes: number } | null> {
  const [row] = await tx.query<{ text: string | null; found: string; bytes: string }>(
    `with later as materialized (
       select c.id, c.revision, c.before from skerry.change c
        where c.realm = $1 and c.table_name = $2 and c.revision > $3::text::bigint
        order by c.revision limit ${limits.joinRows + 1}),
     firsts as (
       select distinct on (l.id) l.id, l.before from later l
        where l.id > $4 collate "C" and ($5::text is null or l.id <= $5 collate "C")
        order by l.id, l.revision),
     whole as (
       select (select count(*) from later) as found, coalesce(sum(octet_length(f.before::text)), 0) as bytes from firsts f)
     select w.found::text as found, w.bytes::text as bytes,
            case when w.found <= ${limits.joinRows} and w.bytes <= ${diffLimits.bytes} then (
              select string_agg(json_build_object('id', f.id, 'before', f.before)::text, ',') from firsts f) end as text
       from whole w`,
    [realm, table, String(cursor), above, upto],
  );
  const bytes = Number(row?.bytes);
  if (Number(row?.found) > limits.joinRows || bytes > diffLimits.bytes) return null;
  return { text: row?.text ?? '', bytes };
}
