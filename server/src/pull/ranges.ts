// How far a pull reads the log: the ranges of all realms are cut before any of their contents are read, so that these
// fit into memory and into an answer. An entry that is too large by itself is not read at all; `refill` replaces its
// changes.

import { limits } from '../base/limits.ts';
import type { EntryNeed } from '../base/wire-types.ts';
import type { Queryable } from '../db/database.ts';
import { kMembers } from '../sql/members.ts';

/** A range to be cut. */
export interface RangeNeed extends EntryNeed {
  /** The tables whose changes are read. */
  readonly tables: readonly string[];
  /** Whether an entry counts that touched none of these tables: own updates may be in it, whose ops are read. */
  readonly isEachCounted: boolean;
}

export interface Range {
  readonly realm: string;
  readonly from: number;
  readonly upto: string;
  /** Whether it ends at the realm's head. */
  readonly isHead: boolean;
  /** The number of its entries, without that of its cursor. */
  readonly entries: number;
  /** The tables that they touched and whose changes are needed. */
  readonly tables: readonly string[];
  /** Its changes are too large, and are not read. */
  readonly isOmitted: boolean;
}

export interface RangeLimits {
  /** Entries that are looked at, in all realms together; two of each in any case. */
  readonly entries: number;
  readonly changes: number;
  readonly bytes: number;
  /** The next entry of each realm is passed without its changes. */
  readonly isOmitted: boolean;
}

interface Cut {
  readonly realm: string;
  readonly from: string;
  readonly upto: string | null;
  readonly head: string | null;
  readonly entries: string;
  readonly bytes: string;
  readonly tables: string;
  /** The time of the first entry after the cursor, if there is one. */
  readonly at: string | null;
  readonly next_bytes: string | null;
  readonly next_tables: string | null;
}

/** What an entry says of its update: it names all of the update's realms, so it may be longer than what it changed. */
const kAnswerBytes = 'coalesce(octet_length(l.answer::text), 0)';

/** The size of what an entry changed; for an entry from before sizes were stored, it is computed. */
const kChangeBytes = `coalesce(l.bytes, (
  select coalesce(sum(octet_length(c.before::text)), 0) * 2 + coalesce(octet_length(l.ops::text), 0) from skerry.change c
   where c.realm = l.realm and c.revision = l.revision
     and c.table_name in (select n.name from json_array_elements_text(l.tables) as n(name))))`;

/**
 * Cuts each range by itself: at most `limit` entries, which begin within so many changes and end within so many
 * bytes; at least one. Entries that touched none of the tables count next to nothing.
 */
function cutAll(
  tx: Queryable,
  needs: readonly RangeNeed[],
  { changes, bytes }: RangeLimits,
): Promise<Cut[]> {
  return tx.query<Cut>(
    `select k.realm, k."from"::text as "from", (select r.head from skerry.realm r where r.realm = k.realm)::text as head,
            c.upto::text, c.entries::text, c.bytes::text, c.tables::text, c.at::text, c.next_bytes::text, c.next_tables::text
       from json_to_recordset($1::text::json)
              as k(realm text, "from" bigint, "limit" bigint, tables json, "isEachCounted" boolean)
      cross join lateral (
        with read as (
          select * from (
            select e.*, sum(e.changes) over w - e.changes as changes_before, sum(e.bytes) over w as upto_bytes
              from (select l.revision, l.at, l.tables, l.revision > k."from" as is_new,
                           case when n.counts then l.changes else 0 end as changes,
                           case when l.revision = k."from" then 0 else ${kAnswerBytes} end
                             + case when n.counts then ${kChangeBytes} else 0 end as bytes
                      from skerry.log l
                     cross join lateral (select l.revision > k."from" and (k."isEachCounted" or exists (
                       select 1 from json_array_elements_text(l.tables) as n(name)
                        where n.name in (select t.name from json_array_elements_text(k.tables) as t(name)))) as counts) n
                     where l.realm = k.realm and l.revision >= k."from"
                     order by l.revision limit k."limit") e
            window w as (order by e.revision)) s
           where (s.changes_before <= $2::text::bigint and s.upto_bytes <= $3::text::bigint) or s.revision <= k."from" + 1)
        select max(read.revision) as upto, count(*) filter (where read.is_new) as entries,
               coalesce(sum(read.bytes), 0) as bytes,
               (select coalesce(json_agg(distinct n.name), '[]') from read t
                 cross join lateral json_array_elements_text(t.tables) as n(name) where t.is_new) as tables,
               min(read.at) filter (where read.is_new) as at,
               (array_agg(read.bytes order by read.revision) filter (where read.is_new))[1] as next_bytes,
               (array_agg(read.tables order by read.revision) filter (where read.is_new))[1] as next_tables
          from read) c`,
    [JSON.stringify(needs), String(changes), String(Math.floor(bytes))],
  );
}

/**
 * The ranges of all realms, with so many bytes in total. The realms with the oldest next entry get at least that
 * entry. The entries that one update made in several realms have the same time, so they are read together, and every
 * pull makes progress. The other realms wait for the next pull if there is no room.
 */
export async function readRanges(
  tx: Queryable,
  needs: readonly RangeNeed[],
  most: RangeLimits,
): Promise<{ ranges: Range[]; bytes: number }> {
  if (needs.length === 0) return { ranges: [], bytes: 0 };
  // The entry of the cursor, and at least the next one.
  const share = 2 + Math.floor(most.entries / needs.length);
  const asked = needs.map((need) => ({ ...need, limit: Math.min(need.limit, share) }));
  const cuts = await cutAll(tx, asked, most);
  const waiting = cuts.filter(({ at }) => at !== null);
  waiting.sort((a, b) => Number(a.at) - Number(b.at));
  const oldest = waiting[0]?.at;
  const ranges = new Map<string, Range>();
  let read = 0;
  for (const cut of waiting) {
    const [bytes, next] = [Number(cut.bytes), Number(cut.next_bytes)];
    if (most.isOmitted) ranges.set(cut.realm, omittedOf(cut, oldest));
    else if (read + bytes <= most.bytes) ranges.set(cut.realm, wholeOf(cut));
    else if (cut.at !== oldest) ranges.set(cut.realm, noneOf(cut));
    else ranges.set(cut.realm, oneOf(cut, read + next > limits.entryBytes));
    const range = ranges.get(cut.realm);
    if (range?.isOmitted === false)
      read += range.entries > 1 ? bytes : range.entries === 1 ? next : 0;
  }
  const needed = new Map(needs.map(({ realm, tables }) => [realm, new Set(tables)]));
  return {
    ranges: cuts.map((cut) => {
      const range = ranges.get(cut.realm) ?? wholeOf(cut);
      const tables = range.tables.filter((table) => needed.get(cut.realm)?.has(table) === true);
      return { ...range, tables };
    }),
    bytes: read,
  };
}

/** Changes of members are read in any case: those of the oldest entries now, others with a later pull. */
function omittedOf(cut: Cut, oldest: Cut['at'] | undefined): Range {
  const range = oneOf(cut, true);
  return cut.at === oldest || !range.tables.includes(kMembers) ? range : noneOf(cut);
}

function base({ realm, from }: Cut) {
  return { realm, from: Number(from), isOmitted: false };
}

function wholeOf(cut: Cut): Range {
  const upto = cut.upto ?? cut.from;
  const tables = JSON.parse(cut.tables) as string[];
  const isHead = cut.upto !== null && cut.upto === cut.head;
  return { ...base(cut), upto, isHead, entries: Number(cut.entries), tables };
}

function oneOf(cut: Cut, isOmitted: boolean): Range {
  const upto = String(Number(cut.from) + 1);
  const tables = JSON.parse(cut.next_tables ?? '[]') as string[];
  return { ...base(cut), upto, isHead: upto === cut.head, entries: 1, tables, isOmitted };
}

function noneOf(cut: Cut): Range {
  return { ...base(cut), upto: cut.from, isHead: false, entries: 0, tables: [] };
}
