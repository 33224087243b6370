// What the authority decided (docs/authority.md, `Done`), and how it is written.

import { randomUUID } from 'node:crypto';
import { Params, type Queryable } from '../db/database.ts';
import type { JsonObject } from '../http/body.ts';
import { writingRows } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import type { Unit } from './locks.ts';

export type Result = JsonObject;

export interface Entry {
  readonly realm: string;
  readonly revision: number;
  readonly client: string;
  readonly tables: readonly string[];
  readonly streams: readonly string[];
}

interface DoneRow extends JsonObject {
  readonly table: string;
  readonly id: string;
  readonly realm: string;
  readonly deletedAt?: number | null;
}
interface DoneEntry extends Entry {
  readonly update: string;
}
interface DoneChange {
  readonly realm: string;
  readonly table: string;
  readonly id: string;
  readonly before: DoneRow | null;
  readonly revision: number;
}
export interface Done {
  readonly at: number;
  readonly results: readonly (readonly Result[])[];
  readonly rows: readonly DoneRow[];
  readonly entries: readonly DoneEntry[];
  readonly changes: readonly DoneChange[];
  readonly actions: readonly JsonObject[];
  readonly chains: readonly JsonObject[];
  readonly heads: readonly { realm: string; head: number; headAt: number }[];
}

/** Writes all of what was decided, in one statement, and commits it. */
export async function writeDone(
  tx: Queryable,
  schema: SqlSchema,
  units: readonly Unit[],
  done: Done,
  locked: Iterable<string>,
): Promise<void> {
  if (done.entries.length + done.chains.length === 0) return;
  const pushed = new Map(units.map((unit) => [`${unit.client} ${String(unit.update.id)}`, unit]));
  const counts = new Map<string, number>();
  for (const { realm, revision } of done.changes) {
    const key = `${revision} ${realm}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const entries = done.entries.map((entry) => {
    const unit = pushed.get(`${entry.client} ${entry.update}`);
    return {
      ...entry,
      user: unit?.user.id ?? '',
      epoch: unit?.epoch ?? null,
      changes: counts.get(`${entry.revision} ${entry.realm}`) ?? 0,
    };
  });
  const grown = growth(done);
  const heads = done.heads.map((head) => ({
    ...head,
    epoch: randomUUID(),
    rows: grown.get(head.realm) ?? 0,
  }));
  const params = new Params();
  for (const list of [entries, done.changes, done.actions, done.chains, heads]) {
    params.add(JSON.stringify(list));
  }
  const { members, check } = writingRows(schema, done.rows, locked, params);
  const sql = `with ${[...members, kWriteLog].join(',')} select ${check}::text as written`;
  await tx.query(sql, params.values, { last: true });
}

/** By how many live rows each realm grew. */
function growth(done: Done): Map<string, number> {
  const grown = new Map<string, number>();
  const add = (realm: string, by: number) => grown.set(realm, (grown.get(realm) ?? 0) + by);
  const seen = new Set<string>();
  for (const { realm, table, id, before } of done.changes) {
    const key = JSON.stringify([realm, table, id]);
    if (seen.has(key)) continue; // only the first change of a row tells how it was before all of them
    seen.add(key);
    if (before !== null && (before.deletedAt ?? null) === null) add(realm, -1);
  }
  for (const row of done.rows) {
    const changed = seen.has(JSON.stringify([row.realm, row.table, row.id]));
    if (changed && (row.deletedAt ?? null) === null) add(row.realm, 1);
  }
  return grown;
}

const kWriteLog = `
  entry as (
    insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, base, pusher_epoch,
                            actions, ops, answer, tables, streams, changes)
    select e.realm, e.revision, e.at, e.client, e."user", e."update", e.declared, e.base, e.epoch,
           e.actions, e.ops, e.answer, coalesce(e.tables, '[]'::json), coalesce(e.streams, '[]'::json), e.changes
      from json_to_recordset($1::text::json) as e(realm text, revision bigint, at bigint, client text, "user" text,
           "update" text, declared boolean, base json, epoch double precision, actions json, ops json, answer json,
           tables json, streams json, changes integer)),
  change as (
    insert into skerry.change (realm, revision, table_name, id, before, touch)
    select c.realm, c.revision, c."table", c.id,
           case when json_typeof(c.before) = 'null' then null else c.before end, coalesce(c.touch, false)
      from json_to_recordset($2::text::json) as c(realm text, revision bigint, "table" text, id text, before json, touch boolean)),
  action as (
    insert into skerry.action (realm, id, revision)
    select a.realm, a.id, a.revision
      from json_to_recordset($3::text::json) as a(realm text, id text, revision bigint)),
  chain as (
    insert into skerry.chain (realm, client, seq, update_id, refused)
    select c.realm, c.client, c.seq, c.id, coalesce(c.refused, '{}'::json)
      from json_to_recordset($4::text::json) as c(realm text, client text, seq bigint, id text, refused json)
    on conflict (realm, client) do update
      set seq = excluded.seq, update_id = excluded.update_id, refused = excluded.refused),
  head as (
    insert into skerry.realm (realm, epoch, head, at, rows)
    select h.realm, h.epoch, h.head, h."headAt", h.rows
      from json_to_recordset($5::text::json) as h(realm text, epoch text, head bigint, "headAt" bigint, rows bigint)
    on conflict (realm) do update
      set head = excluded.head, at = excluded.at, rows = skerry.realm.rows + excluded.rows)`;
