// The steps of a flusher's transaction before admission: bind clients, lock realms, look up. They run in this order,
// each in statements of its own: a statement that locks and reads at once would read the snapshot from before the
// lock, and miss what the last holder committed. They are sent together; each begins when the previous one is done.
// New client rows come first, then realm rows, each sorted: so two transactions never deadlock.

import { randomUUID } from 'node:crypto';
import { isRealmName } from '../auth/user.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { Problem } from '../base/problem.ts';
import { kNow } from '../db/clock.ts';
import type { Queryable } from '../db/database.ts';
import type { Caller } from '../rights/rights.ts';
import { kWriteOwn } from '../sql/own-writes.ts';

/** One update of a request. */
export interface Unit {
  readonly client: string;
  readonly user: Caller;
  /** The epoch of the lease under which it was pushed, for the record. */
  readonly epoch: number | null;
  readonly update: JsonObject;
  /** By realm: the highest seq of the client's updates of which it knows the outcome. */
  readonly seen?: ReadonlyMap<string, number>;
  /** The identity that the client had before, if the request has mutations of that time. */
  readonly follows?: string | null;
  /** The client is of an earlier release: what has no place in the schema is left out, and named in the result. */
  readonly older?: boolean;
  /** It may have been sent before: a time of the server's clock that the client knew already when it sent it first, ms. */
  readonly sent?: number;
}

/** An update that is refused, whatever the authority would decide. */
export interface Refusal {
  readonly client: string;
  readonly id: string;
  readonly code: string;
  readonly detail: string;
}

/** Another program has locked a row that the update needs. It is not decided. */
export class RowsLocked extends Problem {
  constructor() {
    super('busy', 'Another program has locked an object of this push; push again.');
  }
}

/** Realm rows that another transaction has locked; only thrown if the caller asked not to wait. */
export class RealmsBusy extends Error {
  readonly realms: ReadonlySet<string>;
  constructor(realms: ReadonlySet<string>) {
    super('realms are locked by another transaction');
    this.realms = realms;
  }
}

/**
 * Rows that are known to be in the database and never leave it: bound clients, realms that have begun. It only saves
 * statements. If such a row is missing after all (the database was restored), everything is forgotten, and read
 * again.
 */
export class KnownRowsCache {
  readonly #limit: number;
  readonly #names = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  without(names: Iterable<string>): string[] {
    return [...names].filter((name) => !this.#names.has(name));
  }

  add(names: Iterable<string>): void {
    for (const name of names) {
      if (this.#names.size >= this.#limit) this.#names.clear();
      this.#names.add(name);
    }
  }

  forget(): void {
    this.#names.clear();
  }
}

/** A row that was known has disappeared: the transaction is rolled back, and runs again with nothing known. */
export class RowsGone extends Error {
  constructor() {
    super('rows of the database have gone');
  }
}

interface ClientBinding {
  readonly client: string;
  readonly user: Caller;
  readonly follows?: string | null;
}

/** Binds client identities to their users at first use; a binding never changes. Notes when they were heard from. */
export async function bindClients(
  tx: Queryable,
  callers: readonly ClientBinding[],
  present: KnownRowsCache,
): Promise<void> {
  const wanted = new Map<string, string>();
  for (const { client, user } of callers) {
    if (!wanted.has(client)) wanted.set(client, user.id);
  }
  const fresh = present.without(wanted.keys()).sort(byBytes);
  if (fresh.length === 0) return;
  await tx.query(
    `insert into skerry.client as c (client, user_id, at)
     select k.client, k."user", ${kNow} from json_to_recordset($1::text::json) as k(client text, "user" text)
     on conflict (client) do update set at = excluded.at
      where c.user_id = excluded.user_id and c.at < excluded.at`,
    [JSON.stringify(fresh.map((client) => ({ client, user: wanted.get(client) })))],
  );
}

/** Records which clients had another identity before, and when they said so first. */
export async function recordFormer(
  tx: Queryable,
  callers: readonly ClientBinding[],
): Promise<void> {
  const follows = new Map<string, string>();
  for (const { client, follows: former } of callers) if (former) follows.set(client, former);
  if (follows.size === 0) return;
  const list = [...follows].map(([client, former]) => ({ client, former }));
  await tx.query(
    `update skerry.client c set follows = k.former, follows_at = ${kNow}
       from json_to_recordset($1::text::json) as k(client text, former text)
      where c.client = k.client and c.follows is null`,
    [JSON.stringify(list.sort((a, b) => byBytes(a.client, b.client)))],
  );
}

/** The user of a client identity. */
export async function ownerOf(tx: Queryable, client: string): Promise<string | undefined> {
  const [row] = await tx.query<{ user_id: string }>(
    `select c.user_id from skerry.client c where c.client = $1::text`,
    [client],
  );
  return row?.user_id;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The heads of the locked realms, and up to where their logs are forgotten. */
export type LockedHeads = ReadonlyMap<
  string,
  {
    readonly head: number;
    readonly headAt: number;
    readonly floor: number;
    readonly floorAt: number;
    readonly givenBack: number;
  }
>;

/** Creates the rows of those of the realms `begun` that have none. */
export async function beginRealms(
  tx: Queryable,
  begun: readonly string[],
  present: KnownRowsCache,
): Promise<void> {
  const fresh = present.without(begun);
  if (fresh.length === 0) return;
  await tx.query(
    `insert into skerry.realm (realm, epoch)
     select k.realm, k.epoch from json_to_recordset($1::text::json) as k(realm text, epoch text)
     order by k.realm collate "C" on conflict do nothing`,
    [JSON.stringify(fresh.map((realm) => ({ realm, epoch: randomUUID() })))],
  );
}

/** Locks the realms. The look-up shows which of them exist and are not locked. */
export async function lockRealms(
  tx: Queryable,
  realms: ReadonlySet<string>,
  wait: boolean,
): Promise<LockedHeads> {
  const rows = await tx.query<
    Record<'realm' | 'head' | 'at' | 'floor' | 'floor_at' | 'given_back', string>
  >(
    `select r.realm, r.head::text as head, r.at::text as at, r.floor::text as floor, r.floor_at::text as floor_at,
            r.given_back::text as given_back
       from skerry.realm r
      where r.realm = any(array(select k.realm from json_array_elements_text($1::text::json) as k(realm)))
      order by r.realm for update ${wait ? '' : 'skip locked'}`,
    [JSON.stringify([...realms].sort(byBytes))],
  );
  return new Map(
    rows.map(({ realm, head, at, floor, floor_at: floorAt, given_back: givenBack }) => [
      realm,
      {
        head: Number(head),
        headAt: Number(at),
        floor: Number(floor),
        floorAt: Number(floorAt),
        givenBack: Number(givenBack),
      },
    ]),
  );
}

/** Throws if another transaction has locked a realm, or if a row that was known has disappeared. */
export function checkLocked(
  units: readonly Unit[],
  begun: readonly string[],
  heads: LockedHeads,
  { there, owners }: LockedState,
): void {
  const busy = new Set([...there].filter((realm) => !heads.has(realm)));
  if (busy.size > 0) throw new RealmsBusy(busy);
  const isWhole =
    begun.every((realm) => there.has(realm)) && units.every(({ client }) => owners.has(client));
  if (!isWhole) throw new RowsGone();
}

export interface KnownUpdates {
  readonly chains: string;
  readonly applied: string;
  readonly actions: string;
}

/** The results of the look-up, after the realms are locked. */
export interface LockedState {
  /** The database's clock after the locks were taken. */
  readonly now: number;
  /** The realms that have rows. */
  readonly there: ReadonlySet<string>;
  /** The users of the clients. */
  readonly owners: ReadonlyMap<string, string>;
  /** When those of the clients that had another identity before said so first, ms. */
  readonly since: ReadonlyMap<string, number>;
  /** Those of the clients whose chains are forgotten (retention/clients.ts). */
  readonly forgotten: ReadonlySet<string>;
  readonly known: KnownUpdates;
}

/** What the database knows of the updates. An update's chains and actions are those of the realms in its `after`. */
export async function lookUp(
  tx: Queryable,
  units: readonly Unit[],
  realms: ReadonlySet<string>,
): Promise<LockedState> {
  const links = new Map<string, { realm: string; client: string }>();
  const actions: { realm: string; id: string }[] = [];
  for (const { client, update } of units) {
    const ids = Array.isArray(update.actions)
      ? update.actions.map((action: unknown) => (isObject(action) ? action.id : null))
      : [];
    for (const realm of isObject(update.after) ? Object.keys(update.after) : []) {
      if (!isRealmName(realm)) continue;
      links.set(`${client} ${realm}`, { realm, client });
      for (const id of ids) if (isRealmName(id)) actions.push({ realm, id });
    }
  }
  const updates = new Map<string, { client: string; id: string }>();
  for (const { client, update } of units) {
    if (isRealmName(update.id)) updates.set(`${client} ${update.id}`, { client, id: update.id });
  }
  // Each key is looked up by itself (lateral, with a limit): for a join of sets the planner may read whole tables.
  const [row] = await tx.query<
    KnownUpdates & { now: string; there: string; owners: string; mark: string }
  >(
    `select
       ${kWriteOwn} as mark,
       (${kNow})::text as now,
       (select coalesce(json_agg(r.realm), '[]') from skerry.realm r
         where r.realm = any(array(select k.realm from json_array_elements_text($4::text::json) as k(realm))))::text as there,
       (select coalesce(json_agg(json_build_array(c.client, c.user_id, c.follows_at, c.is_forgotten)), '[]')
          from json_array_elements_text($5::text::json) as k(client)
          cross join lateral (select c.* from skerry.client c where c.client = k.client limit 1) c)::text as owners,
       (select coalesce(json_agg(json_build_object('realm', c.realm, 'client', c.client, 'seq', c.seq,
                 'id', c.update_id, 'refused', c.refused)), '[]')
          from json_to_recordset($1::text::json) as k(realm text, client text)
          cross join lateral (select c.* from skerry.chain c
                               where c.realm = k.realm and c.client = k.client limit 1) c)::text as chains,
       (select coalesce(json_agg(json_build_object('client', l.client, 'id', l.update_id, 'answer', l.answer)), '[]')
          from json_to_recordset($2::text::json) as k(client text, id text)
          cross join lateral (select l.client, l.update_id, l.answer from skerry.log l
                               where l.update_id = k.id and l.client = k.client
                                 and l.declared and l.answer is not null
                               order by l.realm limit 1) l)::text as applied,
       (select coalesce(json_agg(json_build_object('realm', a.realm, 'id', a.id, 'revision', a.revision)), '[]')
          from json_to_recordset($3::text::json) as k(realm text, id text)
          cross join lateral (select a.* from skerry.action a
                               where a.realm = k.realm and a.id = k.id limit 1) a)::text as actions`,
    [
      ...[[...links.values()], [...updates.values()], actions].map((list) => JSON.stringify(list)),
      JSON.stringify([...realms]),
      JSON.stringify([...new Set(units.map(({ client }) => client))]),
    ],
  );
  if (row === undefined) throw new Error('A look-up returned no row.');
  const { now, there, owners, mark: _, ...known } = row;
  const bound = JSON.parse(owners) as [string, string, number | null, boolean][];
  return {
    now: Number(now),
    there: new Set(JSON.parse(there) as string[]),
    owners: new Map(bound.map(([client, user]) => [client, user])),
    since: new Map(bound.flatMap(([client, , at]) => (at === null ? [] : [[client, at]]))),
    forgotten: new Set(bound.flatMap(([client, , , isForgotten]) => (isForgotten ? client : []))),
    known,
  };
}
