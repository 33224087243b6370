// One transaction of the flusher: bind clients, lock realms, look up, admit, write. Everything that it decides is the
// authority's; what is here is the order of statements, which matters:
//
// - The locks are a statement of their own, and everything is looked up after them: a statement that locks and reads at
//   once reads the snapshot from before the lock, and would miss what the last holder committed.
// - Client rows first, then realm rows, each sorted: two transactions never wait for each other.
// - Refusals are written and committed like applications.

import { randomUUID } from 'node:crypto';
import { isRealmName, type User } from '../auth/auth.ts';
import { type Authority, rawObject } from '../authority/authority.ts';
import type { Database, Queryable } from '../db/database.ts';
import { isObject, type JsonObject } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { limits } from '../limits.ts';
import { type RowNeeds, readNeeds, writeRows } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';

/** One update as a request brought it. */
export interface Unit {
  readonly client: string;
  readonly user: User;
  /** The epoch of the lease under which it was pushed, for the records. */
  readonly epoch: number | null;
  readonly update: JsonObject;
}

export interface Refusal {
  readonly client: string;
  readonly id: string;
  readonly code: string;
  readonly detail: string;
}

export type Result = JsonObject;

export interface Entry {
  readonly realm: string;
  readonly revision: number;
  readonly client: string;
  readonly tables: readonly string[];
  readonly streams: readonly string[];
}

export interface Committed {
  readonly now: number;
  /** One a unit; a Problem where the unit was not even admitted. */
  readonly results: readonly (Result | Problem)[];
  readonly entries: readonly Entry[];
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
interface Done {
  readonly at: number;
  readonly results: readonly (readonly Result[])[];
  readonly rows: readonly DoneRow[];
  readonly entries: readonly DoneEntry[];
  readonly changes: readonly DoneChange[];
  readonly actions: readonly JsonObject[];
  readonly chains: readonly JsonObject[];
  readonly heads: readonly { realm: string; head: number; headAt: number }[];
}

interface Step {
  readonly needs?: RowNeeds;
  readonly lock?: readonly string[];
  readonly done?: Done;
}

/** Further realms must be locked: the transaction is rolled back and run again with the larger set. */
class MoreLocks extends Error {
  readonly realms: readonly string[];
  constructor(realms: readonly string[]) {
    super('more realms need to be locked');
    this.realms = realms;
  }
}

/** Realm rows that another transaction holds; only thrown where the caller asked not to wait. */
export class RealmsBusy extends Error {
  readonly realms: ReadonlySet<string>;
  constructor(realms: ReadonlySet<string>) {
    super('realms are locked by another transaction');
    this.realms = realms;
  }
}

export interface CommitOptions {
  readonly refuse?: readonly Refusal[];
  /** Whether to wait for locked realms; else RealmsBusy is thrown. */
  readonly wait: boolean;
  /** Written in the same transaction: markers of progress. */
  readonly alongside?: (tx: Queryable) => Promise<void>;
}

const kAdmissionRounds = 300;

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

export class Committer {
  readonly #database: Database;
  readonly #authority: Authority;
  readonly #schema: SqlSchema;

  constructor(database: Database, authority: Authority, schema: SqlSchema) {
    this.#database = database;
    this.#authority = authority;
    this.#schema = schema;
  }

  /** Admits and commits the units in their order, in one transaction. */
  async commit(units: readonly Unit[], options: CommitOptions): Promise<Committed> {
    const realms = new Set(units.flatMap(({ update }) => realmsNamed(update)));
    for (let round = 0; round < limits.lockRounds; round++) {
      try {
        return await this.#database.transaction({ mode: 'write' }, (tx) =>
          this.#run(tx, units, realms, options),
        );
      } catch (error) {
        if (!(error instanceof MoreLocks)) throw error;
        for (const realm of error.realms) realms.add(realm);
      }
    }
    throw new Problem('busy', 'The objects of this push moved about too much; push again.');
  }

  async #run(
    tx: Queryable,
    units: readonly Unit[],
    realms: ReadonlySet<string>,
    options: CommitOptions,
  ): Promise<Committed> {
    const users = await bindClients(tx, units);
    const admitted = units.filter(({ client, user }) => users.get(client) === user.id);
    const { now, heads } = await lockRealms(tx, admitted, realms, options.wait);
    const requests = asRequests(admitted);
    const first = await this.#firstStep(tx, admitted, requests, realms, now, heads, options);
    const done = await this.#authority.admission((step) => this.#admit(tx, step, first));
    await this.#write(tx, admitted, done);
    await options.alongside?.(tx);
    const results = done.results.flat();
    if (results.length !== admitted.length) throw new Error('The authority left out a result.');
    const byUnit = new Map(admitted.map((unit, i) => [unit, results[i] as Result]));
    return {
      now,
      entries: done.entries,
      results: units.map((unit) => byUnit.get(unit) ?? boundToAnother()),
    };
  }

  async #firstStep(
    tx: Queryable,
    units: readonly Unit[],
    requests: readonly { client: string; user: string; updates: JsonObject[] }[],
    realms: ReadonlySet<string>,
    now: number,
    heads: ReadonlyMap<string, { head: number; headAt: number }>,
    options: CommitOptions,
  ): Promise<string> {
    const rights = new Map(
      units.map(({ user }) => [user.id, Object.fromEntries(user.realms)] as const),
    );
    const known = await lookUp(tx, units, realms);
    return rawObject({
      now: String(now),
      realms: JSON.stringify(
        Object.fromEntries([...realms].map((realm) => [realm, heads.get(realm) ?? null])),
      ),
      users: JSON.stringify(Object.fromEntries(rights)),
      chains: known.chains,
      applied: known.applied,
      actions: known.actions,
      requests: JSON.stringify(requests),
      refuse: JSON.stringify(options.refuse ?? []),
    });
  }

  async #admit(tx: Queryable, step: (text: string) => string, first: string): Promise<Done> {
    let text = first;
    for (let round = 0; round < kAdmissionRounds; round++) {
      const answer = JSON.parse(step(text)) as Step;
      if (answer.done) return answer.done;
      if (answer.lock) throw new MoreLocks(answer.lock);
      if (!answer.needs) throw new Error('The authority gave an answer of an unknown form.');
      text = await readNeeds(tx, this.#schema, answer.needs);
    }
    throw new Error('The authority never came to an end.');
  }

  async #write(tx: Queryable, units: readonly Unit[], done: Done): Promise<void> {
    await writeRows(tx, this.#schema, done.rows);
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
    await tx.query(kWriteLog, [
      JSON.stringify(entries),
      JSON.stringify(done.changes),
      JSON.stringify(done.actions),
      JSON.stringify(done.chains),
      JSON.stringify(heads),
    ]);
  }
}

function boundToAnother(): Problem {
  return new Problem(
    'client_bound',
    'This client identity belongs to another user: take a new one.',
  );
}

/** Consecutive updates of one client and user as one request: admitted in this order over one working set. */
function asRequests(
  units: readonly Unit[],
): { client: string; user: string; updates: JsonObject[] }[] {
  const requests: { client: string; user: string; updates: JsonObject[] }[] = [];
  for (const { client, user, update } of units) {
    const last = requests.at(-1);
    if (last?.client === client && last.user === user.id) last.updates.push(update);
    else requests.push({ client, user: user.id, updates: [update] });
  }
  return requests;
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
  await tx.query(
    `insert into skerry.client (client, user_id)
     select k.client, k."user" from json_to_recordset($1::text::json) as k(client text, "user" text)
     on conflict do nothing`,
    [text],
  );
  const rows = await tx.query<{ client: string; user_id: string }>(
    `select c.client, c.user_id from skerry.client c
      where c.client in (select k.client from json_to_recordset($1::text::json) as k(client text))
      order by c.client for update`,
    [text],
  );
  return new Map(rows.map(({ client, user_id }) => [client, user_id]));
}

function byClient(a: { client: string }, b: { client: string }): number {
  return Buffer.compare(Buffer.from(a.client), Buffer.from(b.client));
}

interface Locked {
  readonly now: number;
  readonly heads: ReadonlyMap<string, { head: number; headAt: number }>;
}

async function lockRealms(
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
  await tx.query(
    `insert into skerry.realm (realm, epoch)
     select k.realm, k.epoch from json_to_recordset($1::text::json) as k(realm text, epoch text)
     order by k.realm collate "C" on conflict do nothing`,
    [JSON.stringify(writable.map((realm) => ({ realm, epoch: randomUUID() })))],
  );
  const rows = await tx.query<{ realm: string; head: string; at: string }>(
    `select r.realm, r.head::text as head, r.at::text as at from skerry.realm r
      where r.realm in (select k.realm from json_array_elements_text($1::text::json) as k(realm))
      order by r.realm for update ${wait ? '' : 'skip locked'}`,
    [text],
  );
  const heads = new Map(
    rows.map(({ realm, head, at }) => [realm, { head: Number(head), headAt: Number(at) }]),
  );
  const [clock] = await tx.query<{ now: string; present: string }>(
    `select floor(extract(epoch from clock_timestamp()) * 1000)::text as now,
            (select coalesce(json_agg(r.realm), '[]') from skerry.realm r
              where r.realm in (select k.realm from json_array_elements_text($1::text::json) as k(realm)))::text as present`,
    [text],
  );
  if (clock === undefined) throw new Error('The database told no time.');
  const present = JSON.parse(clock.present) as string[];
  const busy = new Set(present.filter((realm) => !heads.has(realm)));
  if (busy.size > 0) throw new RealmsBusy(busy);
  return { now: Number(clock.now), heads };
}

interface Known {
  readonly chains: string;
  readonly applied: string;
  readonly actions: string;
}

function ids(values: readonly unknown[]): string {
  return JSON.stringify([...new Set(values)].filter(isRealmName));
}

async function lookUp(
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
  with entry as (
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
      set seq = excluded.seq, update_id = excluded.update_id, refused = excluded.refused)
  insert into skerry.realm (realm, epoch, head, at, rows)
  select h.realm, h.epoch, h.head, h."headAt", h.rows
    from json_to_recordset($5::text::json) as h(realm text, epoch text, head bigint, "headAt" bigint, rows bigint)
  on conflict (realm) do update
    set head = excluded.head, at = excluded.at, rows = skerry.realm.rows + excluded.rows`;
