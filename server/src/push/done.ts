// The authority's decisions (docs/authority.md, `Done`), and how they are written.

import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../base/json.ts';
import type { AdmissionDone, TouchedEntry } from '../base/wire-types.ts';
import { Params, type Queryable } from '../db/database.ts';
import { writingRows } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import type { Blocked } from './blocks.ts';

export type Result = JsonObject;

/** An entry with the user who made it. */
export interface WrittenEntry extends TouchedEntry {
  readonly author?: string;
}

/** What of it concerns pokes. */
export type PokedEntry = Omit<WrittenEntry, 'changes' | 'bytes' | 'appends'>;

/** The members that are read here; the lists to write pass through as text. */
export type Done = Omit<AdmissionDone, 'results'> & {
  readonly results: readonly (readonly (Result | null)[])[];
};

/** The versions of the rights of users, by user. */
export type RightsVersions = ReadonlyMap<string, string>;

/** The lists of docs/authority.md, in this order: of entries, changes, actions, appends, chains and heads, and
 * of each table's rows. */
export type Lists = readonly string[];

const kListsOfLog = 6;

/** Of an earlier update of the client it knows the outcome, up to this seq. */
export interface Seen {
  readonly realm: string;
  readonly client: string;
  readonly seq: number;
}

interface Beside {
  readonly rights: RightsVersions;
  readonly locked: Iterable<string>;
  readonly seen: readonly Seen[];
  readonly blocked: readonly Blocked[];
}

/** Writes all decisions in one statement, and commits. */
export async function writeDone(
  tx: Queryable,
  schema: SqlSchema,
  done: Done,
  lists: Lists,
  { rights, locked, seen, blocked }: Beside,
): Promise<void> {
  const [, , , , chains] = lists;
  if (done.touched.length === 0 && chains === '[]') return;
  const params = new Params();
  for (const list of lists.slice(0, kListsOfLog)) params.add(list);
  params.add(JSON.stringify(seen));
  params.add(String(done.at));
  const rows = done.tables.map((table, i) => ({ table, list: lists[kListsOfLog + i] ?? '[]' }));
  const { members, check } = writingRows(schema, rows, done.rows, locked, params);
  const granting = [
    ...writingRights(rights, done.at, params),
    ...writingDeclined(done, blocked, params),
  ];
  const sql = `with ${[...members, kWriteLog, ...granting].join(',')} select ${check}::text as written`;
  await tx.query(sql, params.values, { last: true });
}

/** New versions of the rights of users whose memberships change. */
export function newRights({ touched }: Done): RightsVersions {
  return new Map(touched.flatMap(({ users = [] }) => users).map((user) => [user, randomUUID()]));
}

/** Writes the versions in the order of users: two commits never deadlock. */
function writingRights(rights: RightsVersions, at: number, params: Params): string[] {
  if (rights.size === 0) return [];
  const list = [...rights].map(([user, version]) => ({ user, version, at }));
  return [
    `
  user_rights as (
    insert into skerry.user_rights as u (user_id, version, at)
    select k."user", k.version, k.at
      from json_to_recordset(${params.add(JSON.stringify(list))}::json) as k("user" text, version text, at bigint)
     order by k."user" collate "C"
    on conflict (user_id) do update set version = excluded.version, at = excluded.at
    returning u.user_id, u.version, u.at),
  rights_given as (
    insert into skerry.rights_given (user_id, version, at) select r.user_id, r.version, r.at from user_rights r)`,
  ];
}

/** A time after all others: the last millisecond of the year 9999. */
const kForever = 253_402_300_799_999;

/** In the order of users, as rights. */
function writingDeclined(
  { touched, at }: Done,
  blocked: readonly Blocked[],
  params: Params,
): string[] {
  const list = [
    ...touched.flatMap(({ declined }) => (declined === undefined ? [] : { ...declined, at })),
    ...blocked.map((each) => ({ ...each, at: kForever })),
  ];
  if (list.length === 0) return [];
  return [
    `
  declined as (
    insert into skerry.declined as d (user_id, inviter, at)
    select k."user", k."by", max(k.at)
      from json_to_recordset(${params.add(JSON.stringify(list))}::json) as k("user" text, "by" text, at bigint)
     group by 1, 2 order by k."user" collate "C", k."by" collate "C"
    on conflict (user_id, inviter) do update set at = greatest(d.at, excluded.at))`,
  ];
}

const kWriteLog = `
  entry as (
    insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, base, pusher_epoch,
                            actions, ops, answer, tables, streams, changes, bytes, seq)
    select e.realm, e.revision, e.at, e.client, e."user", e."update", e.declared, e.base, e.epoch,
           e.actions, e.ops, e.answer, coalesce(e.tables, '[]'::json), coalesce(e.streams, '[]'::json), e.changes, e.bytes, e.seq
      from json_to_recordset($1::text::json) as e(realm text, revision bigint, at bigint, client text, "user" text,
           "update" text, declared boolean, base json, epoch double precision, actions json, ops json, answer json,
           tables json, streams json, changes integer, bytes bigint, seq bigint)),
  change as (
    insert into skerry.change (realm, revision, table_name, id, before, touch, offered)
    select c.realm, c.revision, c."table", c.id,
           case when json_typeof(c.before) = 'null' then null else c.before end, coalesce(c.touch, false), c.offered
      from json_to_recordset($2::text::json) as c(realm text, revision bigint, "table" text, id text, before json, touch boolean,
           offered bigint)),
  action as (
    insert into skerry.action (realm, id, revision)
    select a.realm, a.id, a.revision
      from json_to_recordset($3::text::json) as a(realm text, id text, revision bigint)),
  append as (
    insert into skerry.append (realm, stream, revision, position, id, name, arg, at, made_at, author, bytes)
    select a.realm, a.stream, a.revision, a.position, a.id, a.name, a.arg, a.at, a."madeAt", a.author, a.bytes
      from json_to_recordset($4::text::json) as a(realm text, stream text, revision bigint, position integer, id text,
           name text, arg json, at bigint, "madeAt" double precision, author text, bytes integer)),
  chain as (
    insert into skerry.chain as k (realm, client, seq, update_id, refused, seen, at)
    select c.realm, c.client, c.seq, c.id, coalesce(c.refused, '{}'::json), coalesce(s.seq, 0), $8::text::bigint
      from json_to_recordset($5::text::json) as c(realm text, client text, seq bigint, id text, refused json)
      left join json_to_recordset($7::text::json) as s(realm text, client text, seq bigint)
        on s.realm = c.realm and s.client = c.client
    on conflict (realm, client) do update
      set seq = excluded.seq, update_id = excluded.update_id, refused = excluded.refused,
          seen = greatest(k.seen, excluded.seen), at = greatest(k.at, excluded.at)),
  head as (
    insert into skerry.realm (realm, epoch, head, at, rows, given_back)
    select h.realm, gen_random_uuid()::text, h.head, h."headAt", h.rows, case when h."givenBack" then h."headAt" else 0 end
      from json_to_recordset($6::text::json) as h(realm text, head bigint, "headAt" bigint, rows bigint, "givenBack" boolean)
    on conflict (realm) do update
      set head = excluded.head, at = excluded.at, rows = skerry.realm.rows + excluded.rows,
          given_back = greatest(skerry.realm.given_back, excluded.given_back))`;
