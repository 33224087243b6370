// Forgets what a realm's log has of the time before the retention period: its entries, their changes, the tombstones of rows, and
// the ids of actions. The authority says which entries stay, because a client may still ask for their outcome (docs/design.md,
// "Compaction"). The floor rises in the transaction that deletes, under the realm's lock, so a push and a pull see both or neither.

import type { Authority } from '../authority/authority.ts';
import type { OldEntry } from '../base/wire-types.ts';
import { kNow } from '../db/clock.ts';
import type { Database, Queryable } from '../db/database.ts';
import { memberOps } from '../sql/members.ts';
import { quoteText } from '../sql/names.ts';
import { kWriteOwn } from '../sql/own-writes.ts';
import type { SqlSchema } from '../sql/tables.ts';

export interface LogParts {
  readonly database: Database;
  readonly authority: Authority;
  readonly schema: SqlSchema;
}

/** What one transaction deletes at most: so many entries, with so many changes, but at least one entry. */
const kEntriesAtOnce = 1_000;
const kChangesAtOnce = 20_000;

interface EntryRow {
  readonly revision: string;
  readonly at: string;
  readonly seq: string | null;
  readonly last: string | null;
  readonly seen: string | null;
  readonly changes: string;
  readonly tables: string;
}

const numberOf = (text: string | null) => (text === null ? null : Number(text));

/** The next entries from a revision on, as many as one transaction takes. */
async function readOld(tx: Queryable, realm: string, from: number): Promise<EntryRow[]> {
  const rows = await tx.query<EntryRow>(
    `select l.revision::text as revision, l.at::text as at, (case when c.seq is not null then l.seq end)::text as seq,
            c.seq::text as last, c.seen::text as seen,
            l.changes::text as changes, l.tables::text as tables
       from (select l.* from skerry.log l
              where l.realm = $1::text and l.revision >= $2::text::bigint order by l.revision limit ${kEntriesAtOnce}) l
       left join lateral (
         select c.seq, c.seen from skerry.chain c where c.realm = l.realm and c.client = l.client limit 1) c on true
      order by l.revision`,
    [realm, String(from)],
  );
  let changes = 0;
  return rows.filter((row, i) => {
    changes += Number(row.changes);
    return i === 0 || changes <= kChangesAtOnce;
  });
}

/** The tables of the realm with changes up to the new floor. */
function tablesOf(rows: readonly EntryRow[], floor: number): Set<string> {
  const old = rows.filter(({ revision }) => Number(revision) <= floor);
  return new Set(old.flatMap(({ tables }) => JSON.parse(tables) as string[]));
}

/** Deletes the changes of a table up to the floor, and the tombstones of its rows that were deleted by then. */
async function forgetChanges(
  tx: Queryable,
  schema: SqlSchema,
  name: string,
  [realm, floor]: readonly [string, string],
): Promise<void> {
  const table = schema.get(name);
  const changes = `delete from skerry.change c
    where c.realm = $1::text and c.table_name = ${quoteText(name)} and c.revision <= $2::text::bigint`;
  // A table that the schema has no more keeps its tombstones.
  const sql =
    table === undefined
      ? changes
      : `with gone as (${changes} returning c.id)
         delete from ${table.name} t
          where t.realm = $1::text and t.id = any(array(select distinct g.id from gone g))
            and t.deleted_at is not null and t.revision <= $2::text::bigint`;
  await tx.query(sql, [realm, floor]);
}

/** Deletes entries with the ids of their actions, takes the contents of others, and raises the floor. */
async function forgetEntries(
  tx: Queryable,
  realm: string,
  said: Awaited<ReturnType<Authority['forgetLog']>>,
): Promise<void> {
  await tx.query(
    `with gone as (
       select (r.value)::bigint as revision from json_array_elements_text($2::text::json) as r(value)),
     kept as (
       select (r.value)::bigint as revision from json_array_elements_text($3::text::json) as r(value)),
     actions as (
       delete from skerry.action a
        where a.realm = $1::text and a.id = any(array(
          select x.action ->> 'id' from gone g
           cross join lateral (
             select l.actions from skerry.log l where l.realm = $1::text and l.revision = g.revision limit 1) l
           cross join lateral json_array_elements(coalesce(l.actions, '[]'::json)) as x(action)))),
     entries as (
       delete from skerry.log l
        where l.realm = $1::text and l.revision = any(array(select g.revision from gone g))),
     outcomes as (
       update skerry.log l
          set actions = (select json_agg(json_build_object('id', x.action ->> 'id'))
                           from json_array_elements(coalesce(l.actions, '[]'::json)) as x(action)),
              ops = ${memberOps('l.ops')}, base = null, tables = '[]', streams = '[]', changes = 0, bytes = 0
        where l.realm = $1::text and l.revision = any(array(select k.revision from kept k))
          and (l.base is not null or l.changes > 0 or l.tables::text <> '[]'))
     update skerry.realm r set floor = $4::text::bigint, floor_at = $5::text::bigint
      where r.realm = $1::text and r.floor < $4::text::bigint`,
    [
      realm,
      JSON.stringify(said.gone),
      JSON.stringify(said.kept),
      String(said.floor),
      String(said.floorAt),
    ],
    { last: true },
  );
}

interface ForgottenPart {
  /** Where the next one begins; null: what comes then is young. */
  readonly next: number | null;
  readonly gone: number;
}

async function forgetSome(
  tx: Queryable,
  { authority, schema }: LogParts,
  { realm, from, olderThanMs }: { realm: string; from: number; olderThanMs: number },
): Promise<ForgottenPart> {
  const [head] = await tx.query<{ now: string; floor: string; floor_at: string }>(
    `select (${kNow})::text as now, r.floor::text as floor, r.floor_at::text as floor_at
       from skerry.realm r where r.realm = $1::text for update`,
    [realm],
  );
  if (head === undefined) return { next: null, gone: 0 };
  await tx.query(`select ${kWriteOwn} as mark`);
  const rows = await readOld(tx, realm, from);
  const entries = rows.map(
    ({ revision, at, seq, last, seen }): OldEntry => ({
      ...{ revision: Number(revision), at: Number(at) },
      ...{ seq: numberOf(seq), last: numberOf(last), seen: numberOf(seen) },
    }),
  );
  const said = await authority.forgetLog({
    before: Number(head.now) - olderThanMs,
    floor: Number(head.floor),
    floorAt: Number(head.floor_at),
    entries,
  });
  const tables = tablesOf(rows, said.floor);
  await Promise.all(
    [...tables].map((name) => forgetChanges(tx, schema, name, [realm, String(said.floor)])),
  );
  if (said.gone.length > 0 || said.floor > Number(head.floor)) await forgetEntries(tx, realm, said);
  const last = entries.at(-1)?.revision;
  return {
    next: last === undefined || last > said.floor ? null : last + 1,
    gone: said.gone.length,
  };
}

/**
 * Forgets what a realm's log has of the time longer than so many ms ago. Returns the number of entries that are gone.
 * `goesOn`: asked before each transaction.
 */
export async function forgetLog(
  parts: LogParts,
  realm: string,
  olderThanMs: number,
  goesOn: () => boolean = () => true,
): Promise<number> {
  let gone = 0;
  // From the first on: clients may know by now the outcome of what was kept for them.
  for (let from: number | null = 1; from !== null && goesOn(); ) {
    const step: ForgottenPart = await parts.database.transaction({ mode: 'write' }, (tx) =>
      forgetSome(tx, parts, { realm, from: from as number, olderThanMs }),
    );
    gone += step.gone;
    from = step.next;
  }
  return gone;
}
