// What a transaction of the flusher does before it admits: bind clients, lock realms, look up. In this order, and each in
// statements of its own: a statement that locks and reads at once reads the snapshot from before the lock, and would miss
// what the last holder committed. They are sent together, and each begins when the one before it is done. Client rows come first, then realm rows, each sorted: two transactions never wait for
// each other.

import { randomUUID } from 'node:crypto';
import { isRealmName, type User } from '../auth/auth.ts';
import type { Queryable } from '../db/database.ts';
import { isObject, type JsonObject } from '../http/body.ts';

/** One update as a request brought it. */
export interface Unit {
  readonly client: string;
  readonly user: User;
  /** The epoch of the lease under which it was pushed, for the records. */
  readonly epoch: number | null;
  readonly update: JsonObject;
}

/** Realm rows that another transaction holds; only thrown where the caller asked not to wait. */
export class RealmsBusy extends Error {
  readonly realms: ReadonlySet<string>;
  constructor(realms: ReadonlySet<string>) {
    super('realms are locked by another transaction');
    this.realms = realms;
  }
}

/** The realms that an update names, wrongly shaped ones left for the authority to refuse. */
export function realmsNamed(update: JsonObject): string[] {
  const named = new Set<string>();
  if (isObject(update.after)) for (const realm of Object.keys(update.after)) named.add(realm);
  if (Array.isArray(update.ops)) {
    for (const op of update.ops) {
      if (!isObject(op)) continue;
      if (typeof op.realm === 'string') named.add(op.realm);
      if (typeof op.to === 'string') named.add(op.to);
    }
  }
  return [...named].filter(isRealmName);
}

/** Binds client identities to their users at first use, and locks them. Returns whose they are. */
export async function bindClients(
  tx: Queryable,
  callers: readonly { readonly client: string; readonly user: User }[],
): Promise<Map<string, string>> {
  const wanted = new Map<string, string>();
  for (const { client, user } of callers) {
    if (!wanted.has(client)) wanted.set(client, user.id);
  }
  const clients = [...wanted].map(([client, user]) => ({ client, user })).sort(byClient);
  const text = JSON.stringify(clients);
  const inserted = tx.query(
    `insert into skerry.client (client, user_id)
     select k.client, k."user" from json_to_recordset($1::text::json) as k(client text, "user" text)
     on conflict do nothing`,
    [text],
  );
  const selected = tx.query<{ client: string; user_id: string }>(
    `select c.client, c.user_id from skerry.client c
      where c.client in (select k.client from json_to_recordset($1::text::json) as k(client text))
      order by c.client for update`,
    [text],
  );
  const [rows] = await Promise.all([selected, inserted]);
  return new Map(rows.map(({ client, user_id }) => [client, user_id]));
}

function byClient(a: { client: string }, b: { client: string }): number {
  return Buffer.compare(Buffer.from(a.client), Buffer.from(b.client));
}

export interface Locked {
  readonly now: number;
  readonly heads: ReadonlyMap<string, { head: number; headAt: number }>;
}

export async function lockRealms(
  tx: Queryable,
  units: readonly Unit[],
  realms: ReadonlySet<string>,
  wait: boolean,
): Promise<Locked> {
  const text = JSON.stringify([...realms].sort());
  // A realm begins with the first push of somebody who may write there; nobody else makes one by naming it.
  const writable = [...realms].filter((realm) =>
    units.some(({ user }) => user.realms.get(realm) === 'write'),
  );
  const inserted = tx.query(
    `insert into skerry.realm (realm, epoch)
     select k.realm, k.epoch from json_to_recordset($1::text::json) as k(realm text, epoch text)
     order by k.realm collate "C" on conflict do nothing`,
    [JSON.stringify(writable.map((realm) => ({ realm, epoch: randomUUID() })))],
  );
  const locked = tx.query<{ realm: string; head: string; at: string }>(
    `select r.realm, r.head::text as head, r.at::text as at from skerry.realm r
      where r.realm in (select k.realm from json_array_elements_text($1::text::json) as k(realm))
      order by r.realm for update ${wait ? '' : 'skip locked'}`,
    [text],
  );
  // After the lock: the time that it took to come belongs to the past.
  const told = tx.query<{ now: string; present: string }>(
    `select floor(extract(epoch from clock_timestamp()) * 1000)::text as now,
            (select coalesce(json_agg(r.realm), '[]') from skerry.realm r
              where r.realm in (select k.realm from json_array_elements_text($1::text::json) as k(realm)))::text as present`,
    [text],
  );
  const [rows, [clock]] = await Promise.all([locked, told, inserted]);
  const heads = new Map(
    rows.map(({ realm, head, at }) => [realm, { head: Number(head), headAt: Number(at) }]),
  );
  if (clock === undefined) throw new Error('The database told no time.');
  const present = JSON.parse(clock.present) as string[];
  const busy = new Set(present.filter((realm) => !heads.has(realm)));
  if (busy.size > 0) throw new RealmsBusy(busy);
  return { now: Number(clock.now), heads };
}

export interface Known {
  readonly chains: string;
  readonly applied: string;
  readonly actions: string;
}

function ids(values: readonly unknown[]): string {
  return JSON.stringify([...new Set(values)].filter(isRealmName));
}

export async function lookUp(
  tx: Queryable,
  units: readonly Unit[],
  realms: ReadonlySet<string>,
): Promise<Known> {
  const actions = units.flatMap(({ update }) =>
    Array.isArray(update.actions)
      ? update.actions.map((action: unknown) => (isObject(action) ? action.id : null))
      : [],
  );
  const [row] = await tx.query<Known>(
    `select
       (select coalesce(json_agg(json_build_object('realm', c.realm, 'client', c.client, 'seq', c.seq,
                 'id', c.update_id, 'refused', c.refused)), '[]')
          from skerry.chain c
         where c.realm in (select k.v from json_array_elements_text($1::text::json) as k(v))
           and c.client in (select k.v from json_array_elements_text($2::text::json) as k(v)))::text as chains,
       (select coalesce(json_agg(json_build_object('client', l.client, 'id', l.update_id, 'answer', l.answer)), '[]')
          from (select distinct on (update_id) client, update_id, answer from skerry.log
                 where declared and answer is not null
                   and update_id in (select k.v from json_array_elements_text($3::text::json) as k(v))
                 order by update_id, realm) l)::text as applied,
       (select coalesce(json_agg(json_build_object('realm', a.realm, 'id', a.id, 'revision', a.revision)), '[]')
          from skerry.action a
         where a.realm in (select k.v from json_array_elements_text($1::text::json) as k(v))
           and a.id in (select k.v from json_array_elements_text($4::text::json) as k(v)))::text as actions`,
    [
      JSON.stringify([...realms]),
      ids(units.map(({ client }) => client)),
      ids(units.map(({ update }) => update.id)),
      ids(actions),
    ],
  );
  if (row === undefined) throw new Error('A look-up gave no row.');
  return row;
}
