// A table for programs without the core: GET|POST /v1/tables/:table returns the rows that the caller may read, and on
// the next call, with the `lastUpdateTime` of the last answer, the changes since.
//
// That time is opaque (sealed-time.ts): for each realm it names the head that was read in the same snapshot as the
// rows. A clock's time would lose data: what is committed late, with an earlier time, would be skipped for ever.
// While pages are sent it also names the last id; changes made meanwhile are sent afterwards, because the heads stay
// those of the first page.

import { rawObject } from '../authority/authority.ts';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { readClock } from '../db/clock.ts';
import type { Database, Queryable, Within } from '../db/database.ts';
import type { Caller } from '../rights/rights.ts';
import { readRights } from '../rights/rights.ts';
import { quoteText } from '../sql/names.ts';
import { propsObject, type SqlSchema, type SqlTable } from '../sql/tables.ts';
import type { SealedTimes, SentHeads, Since } from './sealed-time.ts';

export interface TableRequest {
  readonly lastUpdateTime: string | null;
  /** Ids to the `modifiedAt` that the caller has: a row is left out of the answer if it is still the same. */
  readonly exclude: Readonly<Record<string, number>>;
}

interface RealmHead {
  readonly realm: string;
  readonly head: string;
  readonly at: string;
}

/** A row of an answer: JSON text, which is not parsed. */
interface RowText {
  readonly id: string;
  readonly modifiedAt: number;
  readonly text: string;
}

interface RowPage {
  readonly rows: readonly RowText[];
  readonly deleted: readonly string[];
  /** The realms of `deleted`, if the table has application-defined ids, which are unique only within a realm. */
  readonly deletedFrom: readonly string[] | null;
  /** The last id of the page, if more rows follow. */
  readonly last: string | null;
}

interface Changes extends RowPage {
  readonly heads: SentHeads;
  readonly upto: SentHeads;
  readonly isCut: boolean;
}

/** The context of reading one table for one caller. */
interface Reading {
  readonly tx: Queryable;
  readonly table: SqlTable;
  /** The realms that the caller may read, as JSON text. */
  readonly realms: string;
}

export function parseTableRequest(time: unknown, exclude: unknown): TableRequest {
  if (time !== undefined && time !== null && typeof time !== 'string') {
    throw new Problem('bad_request', '`lastUpdateTime` is not a text.');
  }
  if (exclude !== undefined && !isObject(exclude)) {
    throw new Problem('bad_request', '`exclude` is not an object of ids and times.');
  }
  const entries = Object.entries(exclude ?? {});
  if (entries.length > limits.tableRows || entries.some(([, at]) => typeof at !== 'number')) {
    throw new Problem('bad_request', '`exclude` is too long, or holds something else than times.');
  }
  return {
    lastUpdateTime: time || null,
    exclude: Object.fromEntries(entries) as Record<string, number>,
  };
}

async function readHeads({ tx, realms }: Reading): Promise<readonly RealmHead[]> {
  return tx.query<RealmHead>(
    `select r.realm, r.head::text as head, r.at::text as at from json_array_elements_text($1::text::json) as k(realm)
      cross join lateral (select r.* from skerry.realm r where r.realm = k.realm limit 1) r`,
    [realms],
  );
}

function revisionOf(head: string | undefined): number {
  return Number((head ?? '0@0').split('@')[0]);
}

/** Whether all entries that a time names belong to this history, and what came after them is not forgotten. */
async function isOfThisHistory(tx: Queryable, { heads, upto = {} }: Since): Promise<boolean> {
  const known = [...Object.entries(heads), ...Object.entries(upto)].map(([realm, head]) => {
    const [revision, at] = head.split('@');
    return { realm, revision: Number(revision), at: Number(at) };
  });
  const [row] = await tx.query<{ strange: string }>(
    `select exists (select 1 from json_to_recordset($1::text::json) as k(realm text, revision bigint, at bigint)
      where k.revision > 0 and not exists (
        select 1 from skerry.log l join skerry.realm r using (realm)
         where l.realm = k.realm and l.revision = k.revision and l.at = k.at and l.revision >= r.floor))::text as strange`,
    [JSON.stringify(known)],
  );
  return row?.strange === 'false';
}

function rowObject(table: SqlTable, alias: string): string {
  return `json_build_object('id', ${alias}.id, 'realm', ${alias}.realm, 'createdAt', skerry.to_ms(${alias}.created_at),
    'modifiedAt', skerry.to_ms(${alias}.modified_at), 'revision', ${alias}.revision, 'props', ${propsObject(table, alias)})`;
}

/** The least size of a row in an answer, computed without reading its large values. */
function leastBytes({ columns }: SqlTable, alias: string): string {
  const sizes = columns.flatMap(({ type, name }) => {
    if (type === 'json' || type === 'class') return [`pg_column_size(${alias}.${name})`];
    return ['string', 'bytes', 'enum', 'ref'].includes(type)
      ? [`octet_length(${alias}.${name})`]
      : [];
  });
  return ['100', ...sizes.map((size) => `coalesce(${size}, 0)`)].join(' + ');
}

/**
 * Reads the first of the rows whose realms and ids `places` selects, as many as one answer takes, and all of its last
 * id. The others are not even converted to text, except rows that are longer than estimated (compressed json). A row
 * with a UUID that has moved is read where it is now, if that is one of the caller's realms.
 */
async function readPage(
  { tx, table, realms }: Reading,
  places: string,
  params: readonly string[],
): Promise<RowPage> {
  // One by one, by the primary key: an index of the live rows of a realm is as cheap to the planner, while it knows nothing.
  const here = `select s.* from (select s.* from ${table.name} s where s.realm = x.realm and s.id = x.id limit 1) s
    where s.deleted_at is null`;
  // Of tables with UUIDs only: an id of the application's own that is in another realm is another row.
  const elsewhere = `select m.* from (
      select s.moved_to from ${table.name} s where s.realm = x.realm and s.id = x.id limit 1) s
     cross join json_array_elements_text($1::text::json) as r(realm)
     cross join lateral (select m.* from ${table.name} m where m.realm = r.realm and m.id = x.id limit 1) m
     where s.moved_to is not null and m.deleted_at is null`;
  const live = `left join lateral (${table.uuids ? `${here} union all ${elsewhere}` : here}) t on true`;
  const bytes = String(limits.tableBytes);
  const found = await tx.query<{
    id: string;
    realm: string;
    row: string | null;
    at: string;
    count: string;
  }>(
    `with places as materialized (
       select p.realm, p.id, dense_rank() over (order by p.id) as rank from (${places}) p),
     sized as (
       select p.realm, p.id, sum(p.size) over (order by p.id) - sum(p.size) over (partition by p.id) as before_it
         from (select x.realm, x.id, ${leastBytes(table, 't')} as size
                 from places x ${live} where x.rank <= ${limits.tableRows}) p),
     made as (
       select x.realm, x.id, case when t.id is null then null else (${rowObject(table, 't')})::text end as row,
              skerry.to_ms(t.modified_at) as at
         from sized x ${live} where x.before_it < ${bytes}),
     summed as (
       select m.*, sum(coalesce(octet_length(m.row), 0)) over (order by m.id)
              - sum(coalesce(octet_length(m.row), 0)) over (partition by m.id) as before_it from made m)
     select s.id, s.realm, s.row, s.at::text as at,
            (select max(p.rank) from places p)::text as count from summed s
      where s.before_it < ${bytes} and $1::text is not null order by s.id, s.realm`,
    [realms, ...params],
  );
  const ids = new Set(found.map(({ id }) => id));
  const isCut = found.length > 0 && Number(found[0]?.count) > ids.size;
  const gone = found.filter(({ row }) => row === null);
  // A row that has moved may be found twice.
  const rows = new Map(
    found.flatMap(({ id, row, at }) =>
      row === null ? [] : [[row, { id, modifiedAt: Number(at), text: row }] as const],
    ),
  );
  return {
    rows: [...rows.values()],
    deleted: table.uuids ? [...new Set(gone.map(({ id }) => id))] : gone.map(({ id }) => id),
    deletedFrom: table.uuids ? null : gone.map(({ realm }) => realm),
    last: isCut ? (found.at(-1)?.id ?? null) : null,
  };
}

/** A page of all rows, by id. */
function readRows(reading: Reading, above: string): Promise<RowPage> {
  const { table } = reading;
  return readPage(
    reading,
    `select k.realm, a.id from json_array_elements_text($1::text::json) as k(realm)
      cross join lateral (
        select a.id from ${table.name} a
         where a.realm = k.realm and a.deleted_at is null and a.id > $2::text collate "C"
         order by a.id limit ${limits.tableRows + 1}) a`,
    [above],
  );
}

/** How far the next changes of each realm go: about as many as one answer takes, in all realms together. */
async function readEnds({ tx }: Reading, heads: readonly RealmHead[], since: Since) {
  const ranges = heads.map(({ realm }) => ({ realm, from: revisionOf(since.heads[realm]) }));
  const ends = await tx.query<{ realm: string; head: string; cut: string; changes: string }>(
    `select k.realm, e.revision || '@' || e.at as head, (e.revision < r.head)::text as cut, e.changes::text as changes
       from json_to_recordset($1::text::json) as k(realm text, "from" bigint)
       cross join lateral (select r.* from skerry.realm r where r.realm = k.realm limit 1) r
       cross join lateral (
         select c.revision, c.at, c.before_it + c.changes as changes from (
           select l.revision, l.at, l.changes, sum(l.changes) over (order by l.revision) - l.changes as before_it
             from skerry.log l where l.realm = k.realm and l.revision > k."from"
            order by l.revision limit ${limits.entriesPerPull}) c
          where c.before_it < ${limits.tableRows} order by c.revision desc limit 1) e
      order by k.realm`,
    [JSON.stringify(ranges)],
  );
  let changes = 0;
  const taken = ends.filter((end) => {
    if (changes >= limits.tableRows) return false;
    changes += Number(end.changes);
    return true;
  });
  return {
    upto: Object.fromEntries(taken.map(({ realm, head }) => [realm, head])),
    isCut: taken.length < ends.length || taken.some(({ cut }) => cut === 'true'),
  };
}

/** A page of the current rows that entries above the previous heads have touched. */
async function readChanges(
  reading: Reading,
  heads: readonly RealmHead[],
  since: Since,
): Promise<Changes> {
  const ends =
    since.upto === undefined
      ? await readEnds(reading, heads, since)
      : {
          upto: since.upto,
          isCut: heads.some(
            ({ realm, head }) =>
              revisionOf(since.upto?.[realm] ?? since.heads[realm]) < Number(head),
          ),
        };
  const touched = Object.entries(ends.upto).map(([realm, head]) => ({
    realm,
    from: revisionOf(since.heads[realm]),
    upto: revisionOf(head),
  }));
  const page = await readPage(
    reading,
    `select distinct c.realm, c.id from json_to_recordset($2::text::json) as k(realm text, "from" bigint, upto bigint)
       join skerry.change c on c.realm = k.realm and c.table_name = ${quoteText(reading.table.table)}
        and c.revision > k."from" and c.revision <= k.upto
      where c.id > $3::text collate "C"`,
    [JSON.stringify(touched), since.above ?? ''],
  );
  return { ...page, ...ends, heads: since.heads };
}

/** The next time after a page of changes. */
function afterChanges({ heads, upto, last }: Changes): Since {
  return last === null ? { heads: { ...heads, ...upto } } : { heads, upto, above: last };
}

export class PlainTables {
  readonly #database: Database;
  readonly #schema: SqlSchema;
  readonly #times: SealedTimes;

  constructor(database: Database, schema: SqlSchema, times: SealedTimes) {
    this.#database = database;
    this.#schema = schema;
    this.#times = times;
  }

  /** The text of an answer. */
  async read(
    user: Caller,
    name: string,
    request: TableRequest,
    within: Within = {},
  ): Promise<string> {
    const table = this.#schema.get(name);
    if (table === undefined) throw new Problem('not_found', 'There is no such table.');
    const of = { user, table: name };
    const { lastUpdateTime, exclude } = request;
    const { now, rows, deleted, deletedFrom, more, reset, next } = await this.#database.transaction(
      { mode: 'snapshot', ...within },
      async (tx) => {
        const rights = await readRights(tx, user);
        const since = lastUpdateTime === null ? null : this.#times.open(of, lastUpdateTime, rights);
        const reading = { tx, table, realms: JSON.stringify([...rights.keys()]) };
        const [now, heads] = await Promise.all([readClock(tx), readHeads(reading)]);
        const goesOn = since !== null && (await isOfThisHistory(tx, since));
        if (goesOn && (since.above === undefined || since.upto !== undefined)) {
          const changes = await readChanges(reading, heads, since);
          const more = changes.last !== null || changes.isCut;
          return { ...changes, now, more, reset: false, next: afterChanges(changes) };
        }
        const from = goesOn ? since : { heads: headsOf(heads), above: '' };
        const page = await readRows(reading, from.above ?? '');
        const next = page.last === null ? {} : { above: page.last };
        return {
          ...page,
          now,
          more: page.last !== null,
          reset: lastUpdateTime !== null && !goesOn,
          next: { heads: from.heads, ...next },
        };
      },
    );
    const wanted = rows.filter(({ id, modifiedAt }) => exclude[id] !== modifiedAt);
    return rawObject({
      time: String(now),
      rows: `[${wanted.map(({ text }) => text).join(',')}]`,
      deleted: JSON.stringify(deleted),
      ...(deletedFrom === null ? {} : { deletedFrom: JSON.stringify(deletedFrom) }),
      more: String(more),
      reset: String(reset),
      lastUpdateTime: JSON.stringify(this.#times.seal(of, next)),
    });
  }
}

function headsOf(heads: readonly RealmHead[]): SentHeads {
  return Object.fromEntries(heads.map(({ realm, head, at }) => [realm, `${head}@${at}`]));
}
