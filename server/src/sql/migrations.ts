// The server's own tables, in the SQL schema `skerry`, by numbered migrations. A released migration is never changed.
// Each runs once, in order, in a transaction that also records it: so it is either done or not, whenever a node dies.
// Nodes that start together take turns, by a lock that ends with the transaction.

import type { Database, Queryable } from '../db/database.ts';
import { readMeta, writeMeta } from './meta.ts';

/** The advisory lock of PostgreSQL that is held while tables are changed. */
const kTablesLock = '7310016635636690';

/** The migrations, in order. */
export const migrations: readonly string[][] = [
  [
    // Times on the wire are milliseconds; in SQL they are timestamps. Both conversions are exact in any time zone of
    // the session.
    `create function skerry.from_ms(ms double precision) returns timestamp with time zone
       language sql immutable as $$
       select (timestamp 'epoch' + make_interval(days => floor(ms / 86400000)::int,
               secs => (ms - floor(ms / 86400000) * 86400000) / 1000)) at time zone 'UTC' $$`,
    `create function skerry.to_ms(t timestamp with time zone) returns double precision
       language sql immutable as $$ select (extract(epoch from t) * 1000)::double precision $$`,
    // One row per realm. Its head is raised only under the row's lock, so revisions have no gaps and follow the order
    // of commits. Its epoch distinguishes two histories under one name (images carry it).
    `create table skerry.realm (
       realm text collate "C" primary key,
       epoch text not null,
       head bigint not null default 0,
       at bigint not null default 0,
       rows bigint not null default 0)`,
    // One row per entry. user_id and pusher_epoch are for the record; `changes` counts the entry's rows in
    // skerry.change, so that a pull can be cut without counting.
    `create table skerry.log (
       realm text collate "C" not null,
       revision bigint not null,
       at bigint not null,
       client text collate "C" not null,
       user_id text not null,
       update_id text collate "C" not null,
       declared boolean not null,
       base json,
       pusher_epoch double precision,
       actions json,
       ops json,
       answer json,
       tables json not null,
       streams json not null,
       changes integer not null,
       primary key (realm, revision))`,
    `create unique index log_update_ix on skerry.log (realm, update_id)`,
    `create index log_client_ix on skerry.log (realm, client, revision)`,
    `create index log_update_id_ix on skerry.log (update_id)`,
    // The changes of an entry by row: the row before the change, or null if it was not in this realm.
    `create table skerry.change (
       realm text collate "C" not null,
       revision bigint not null,
       table_name text collate "C" not null,
       id text collate "C" not null,
       before json,
       touch boolean not null,
       primary key (realm, revision, table_name, id))`,
    `create index change_table_ix on skerry.change (realm, table_name, revision)`,
    `create index change_row_ix on skerry.change (table_name, id, realm, revision)`,
    // Action ids are unique in a realm's log.
    `create table skerry.action (
       realm text collate "C" not null,
       id text collate "C" not null,
       revision bigint not null,
       primary key (realm, id))`,
    // A client identity is bound to its user at first use.
    `create table skerry.client (
       client text collate "C" primary key,
       user_id text not null)`,
    // The chain: per realm and client the last applied update, and the ids rejected as the next one, with their
    // answers.
    `create table skerry.chain (
       realm text collate "C" not null,
       client text collate "C" not null,
       seq bigint not null,
       update_id text collate "C",
       refused json not null,
       primary key (realm, client))`,
    `create table skerry.member (
       realm text collate "C" not null,
       user_id text not null,
       access text not null,
       primary key (user_id, realm))`,
  ],
  [
    // Images of realms, if several nodes share a database: a client may fetch from one node what another has offered.
    `create table skerry.image (
       id text collate "C" primary key,
       realm text collate "C" not null,
       epoch text not null,
       revision bigint not null,
       at bigint not null,
       hash text not null,
       bytes bigint not null,
       schema text not null)`,
    `create index image_realm_ix on skerry.image (realm, revision)`,
    `create table skerry.image_part (
       image text collate "C" not null references skerry.image (id) on delete cascade,
       part integer not null,
       data bytea not null,
       primary key (image, part))`,
  ],
  [
    // An index costs every push. Entries are looked up by update in any realm, and never by client.
    `drop index skerry.log_client_ix`,
    `create unique index log_update_realm_ix on skerry.log (update_id, realm)`,
    `drop index skerry.log_update_ix`,
    `drop index skerry.log_update_id_ix`,
    // Immutable throughout, so that the planner inlines it; the first version was a call for every value.
    `create or replace function skerry.to_ms(t timestamp with time zone) returns double precision
       language sql immutable as $$ select (extract(epoch from t at time zone 'UTC') * 1000)::double precision $$`,
  ],
  [
    // Called by the statement that writes, so that its commit need not wait for a check of its result.
    `create function skerry.all_written(written bigint, wanted bigint) returns boolean language plpgsql as $$
       begin
         if written <> wanted then
           raise exception using errcode = '40001', message = 'rows were made elsewhere at the same time';
         end if;
         return true;
       end $$`,
    // Changes are read by table and range, and by row. The key in this order serves the first.
    `alter table skerry.change drop constraint change_pkey`,
    `drop index skerry.change_table_ix`,
    `alter table skerry.change add primary key (realm, table_name, revision, id)`,
  ],
  [
    // About how many bytes an entry's rows have as JSON text, before and after it, so that a pull can be cut without
    // reading them. Null for entries from before this column.
    `alter table skerry.log add column bytes bigint`,
  ],
  [
    // Memberships, with the columns of a typed table (members.ts): by user for rights, and by role for owners.
    `drop table skerry.member`,
    `create table skerry.membership (
       id text collate "C" primary key,
       realm text collate "C" not null,
       revision bigint not null,
       created_at timestamp with time zone not null,
       modified_at timestamp with time zone not null,
       deleted_at timestamp with time zone,
       "user" text collate "C",
       "role" text collate "C")`,
    `create index membership_user_ix on skerry.membership ("user", realm) where deleted_at is null`,
    `create index membership_realm_ix on skerry.membership (realm, id) where deleted_at is null`,
    // When each user's memberships last changed: for nodes that missed the notification, and for realms tokens.
    `create table skerry.user_rights (
       user_id text collate "C" primary key,
       version text not null,
       at bigint not null)`,
    `create index user_rights_at_ix on skerry.user_rights (at)`,
    `create index membership_role_ix on skerry.membership (realm, (md5("role"))) where deleted_at is null`,
  ],
  [
    // All versions that this database has given: a signed token with another one is of a history that was lost.
    `create table skerry.rights_given (
       user_id text collate "C" not null,
       version text collate "C" not null,
       at bigint not null,
       primary key (user_id, version))`,
    `insert into skerry.rights_given (user_id, version, at) select u.user_id, u.version, u.at from skerry.user_rights u`,
  ],
  [
    // Ids belong to their realm: rows are keyed by both. A row that moves leaves a tombstone that says where it went
    // (`moved_to`); rows that moved before get theirs from the log. Typed tables are recognised by their columns and
    // their key. A prop that has the name of the new column is renamed, as in new tables (names.ts).
    `do $$
     declare
       t record;
     begin
       for t in
         select c.oid, n.nspname as space, c.relname as name, k.conname as key,
                exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'moved_to'
                           and not a.attisdropped) as taken
           from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
           join pg_attribute i on i.attrelid = c.oid and i.attname = 'id' and k.conkey = array[i.attnum]
          where c.relkind = 'r' and (n.nspname = 'public' or (n.nspname = 'skerry' and c.relname = 'membership'))
            and 6 = (select count(*) from pg_attribute a where a.attrelid = c.oid and not a.attisdropped
                        and a.attname in ('id', 'realm', 'revision', 'created_at', 'modified_at', 'deleted_at'))
       loop
         if t.taken then
           execute format('alter table %I.%I rename column moved_to to moved_to_', t.space, t.name);
         end if;
         execute format('alter table %I.%I drop constraint %I, add column moved_to text collate "C",
                         add primary key (realm, id)', t.space, t.name, t.key);
         execute format($f$
           insert into %1$I.%2$I (realm, id, revision, created_at, modified_at, deleted_at, moved_to)
           select m.realm, l.id, m.revision, l.created_at, l.modified_at, l.modified_at, l.realm
             from (select c.realm, c.id, max(c.revision) as revision from skerry.change c
                    where lower(regexp_replace(regexp_replace(c.table_name, '([a-z0-9])([A-Z])', '\\1_\\2', 'g'),
                                               '([A-Z]+)([A-Z][a-z])', '\\1_\\2', 'g')) = %3$L
                    group by c.realm, c.id) m
             join %1$I.%2$I l on l.id = m.id and l.realm <> m.realm $f$, t.space, t.name, t.name);
       end loop;
     end $$`,
  ],
  [
    // Who has shown by a realms token to have owned a realm of a history that was lost (rights/lost.ts).
    `create table skerry.lost_owner (
       realm text collate "C" not null,
       user_id text collate "C" not null,
       primary key (realm, user_id))`,
  ],
  [
    // The actions of streams: the log's entries may be forgotten, these stay. Read by stream, and, for the prefix of
    // a name, by revision. `bytes`: about how many one takes in an answer.
    `create table skerry.append (
       realm text collate "C" not null,
       stream text collate "C" not null,
       revision bigint not null,
       position integer not null,
       id text collate "C" not null,
       name text not null,
       arg json,
       at bigint not null,
       made_at double precision not null,
       author text not null,
       bytes integer not null,
       primary key (realm, stream, revision, position))`,
    `create index append_revision_ix on skerry.append (realm, revision)`,
    // An earlier server logged appends, and delivered none.
    `insert into skerry.append (realm, stream, revision, position, id, name, arg, at, made_at, author, bytes)
     select o.realm, o.stream, o.revision,
            row_number() over (partition by o.realm, o.stream, o.revision order by o.place) - 1,
            o.action ->> 'id', o.action ->> 'name', o.action -> 'arg', o.at, (o.action ->> 'at')::double precision,
            o.user_id, octet_length((o.action -> 'arg')::text) + 512
       from (select l.realm, l.revision, l.at, l.user_id, p.place, p.op ->> 'stream' as stream,
                    l.actions -> coalesce((p.op -> 'by' ->> 0)::integer, 0) as action
               from skerry.log l
              cross join lateral json_array_elements(l.ops) with ordinality as p(op, place)
              where l.declared and l.streams::text <> '[]' and p.op ->> 'op' = 'append') o
      where o.action ->> 'id' is not null`,
  ],
  [
    // Snapshots of streams. In `stream`: the streams that have some; up to `floor` their actions are gone.
    `create table skerry.stream (
       realm text collate "C" not null,
       stream text collate "C" not null,
       floor bigint not null default 0,
       primary key (realm, stream))`,
    `create table skerry.stream_snapshot (
       realm text collate "C" not null,
       stream text collate "C" not null,
       version bigint not null,
       revision bigint not null,
       hash text collate "C" not null,
       state text not null,
       bytes integer not null,
       primary key (realm, stream, version, revision))`,
  ],
  [
    // What is older than the retention period is forgotten: of each realm up to its floor. An entry stays as long as its
    // client may ask for its outcome: `seq`, of its update in the client's chain; `seen`, the highest of which the
    // client knows the outcome. `follows`: the identity before this one, and when the client said so.
    `alter table skerry.realm add column floor bigint not null default 0, add column floor_at bigint not null default 0`,
    `alter table skerry.chain add column seen bigint not null default 0`,
    `alter table skerry.client add column follows text collate "C", add column follows_at bigint`,
    `alter table skerry.log add column seq bigint`,
    `update skerry.log l set seq = n.seq
       from (select l.realm, l.revision, c.seq + 1
                    - row_number() over (partition by l.realm, l.client order by l.revision desc) as seq
               from skerry.log l join skerry.chain c on c.realm = l.realm and c.client = l.client
              where l.declared) n
      where l.realm = n.realm and l.revision = n.revision`,
  ],
  [
    // Memberships that others make wait until they are accepted: `accepted` is false. Those of before count as accepted.
    `alter table skerry.membership add column accepted boolean, add column "by" text collate "C"`,
    `drop index skerry.membership_user_ix`,
    `create index membership_user_ix on skerry.membership ("user", realm)
       where deleted_at is null and accepted is distinct from false`,
    `create index membership_invited_ix on skerry.membership ("user", created_at desc)
       where deleted_at is null and accepted = false`,
    `create index membership_by_ix on skerry.membership ("by") where deleted_at is null and accepted = false`,
    // Who has declined an invitation by whom, and when, ms; or blocks them: a time after all others.
    `create table skerry.declined (
       user_id text collate "C" not null,
       inviter text collate "C" not null,
       at bigint not null,
       primary key (user_id, inviter))`,
    `create index declined_at_ix on skerry.declined (at)`,
  ],
  [
    // Streams that a version of a reducer cannot fold: why, and how far it has come (stream/apart.ts).
    `create table skerry.stream_apart (
       realm text collate "C" not null,
       stream text collate "C" not null,
       version bigint not null,
       reason text not null,
       detail text not null,
       revision bigint not null,
       at bigint not null,
       primary key (realm, stream, version))`,
  ],
  [
    // When a chain was written, and about when a client was heard from. Those of which nothing was heard for long may be
    // forgotten (retention/clients.ts), and versions of rights that another followed long ago (retention/rights.ts).
    `alter table skerry.chain add column at bigint not null default floor(extract(epoch from now()) * 1000)::bigint`,
    `alter table skerry.client add column at bigint not null default floor(extract(epoch from now()) * 1000)::bigint,
       add column is_forgotten boolean not null default false`,
    `create index chain_client_ix on skerry.chain (client)`,
    `create index chain_refused_ix on skerry.chain (at) where seq = 0`,
    `create index client_user_ix on skerry.client (user_id, at) where not is_forgotten`,
    `create index rights_given_at_ix on skerry.rights_given (user_id, at)`,
  ],
  [
    // What other programs have written in transactions that are still open (capture/): the rows that they have touched, as they
    // were before, and one row for each transaction, on which a trigger at its end works. No row outlives its transaction.
    `create unlogged table skerry.raw (
       xid xid8 not null,
       captured text collate "C" not null,
       realm text collate "C" not null,
       id text collate "C" not null,
       before json,
       moved_to text collate "C",
       primary key (xid, captured, realm, id))`,
    `create unlogged table skerry.raw_tx (xid xid8 primary key)`,
    // Their entries, which each node reads soon after their commit to poke for them (poke/relay.ts).
    `create table skerry.foreign_entry (
       xid xid8 not null,
       realm text collate "C" not null,
       revision bigint not null,
       at bigint not null,
       primary key (xid, realm, revision))`,
    // What they have written and what still has consequences by the rules of refs (consequences/), from when on it is tried.
    `create table skerry.owed (
       realm text collate "C" not null,
       table_name text collate "C" not null,
       id text collate "C" not null,
       due bigint not null default 0,
       primary key (realm, table_name, id))`,
    `create index owed_due_ix on skerry.owed (due)`,
  ],
  [
    // When a row was changed so in a history that was lost, ms, where the change took a client's offer (offers/).
    `alter table skerry.change add column offered bigint`,
  ],
  [
    // When a realm was given rows last of a history that was lost, of its clock, ms; 0: never.
    `alter table skerry.realm add column given_back bigint not null default 0`,
  ],
];

/** Makes this transaction the only one that changes tables. It is the first statement of each such transaction. */
export async function lockTables(tx: Queryable): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(${kTablesLock})::text as locked`);
}

/** Runs the next migration; false if there is none. */
async function runNext(tx: Queryable, steps: readonly (readonly string[])[]): Promise<boolean> {
  await lockTables(tx);
  await tx.query(`create schema if not exists skerry`);
  await tx.query(
    `create table if not exists skerry.meta (key text primary key, value text not null)`,
  );
  const done = Number((await readMeta(tx, 'version')) ?? '0');
  if (done > steps.length) {
    throw new Error(
      `The database was written by a newer skerry-server (tables of version ${done}, this one knows ${steps.length}).`,
    );
  }
  const step = steps[done];
  if (step === undefined) return false;
  for (const statement of step) await tx.query(statement);
  await writeMeta(tx, 'version', String(done + 1));
  return true;
}

/** Migrates the server's own tables. Throws if they are from a newer server. */
export async function migrate(
  database: Database,
  steps: readonly (readonly string[])[] = migrations,
): Promise<void> {
  while (await database.transaction({ mode: 'tables' }, (tx) => runNext(tx, steps)));
}

/** Whether a server has ever been started on this database. */
export async function wasServed(tx: Queryable): Promise<boolean> {
  const [row] = await tx.query<{ found: string }>(
    `select (to_regclass('skerry.meta') is not null)::text as found`,
  );
  return row?.found === 'true';
}
