// What is the same for all tables: what other programs call, the defaults of their rows, and the trigger at the end of a
// transaction that logs what it has written. All of them run with the rights of the tables' owner, and with settings of their own,
// whatever those of the session are.

import { foreignLimits } from '../base/foreign-limits.ts';
import { limits } from '../base/limits.ts';
import { kUuidPattern } from '../base/uuid.ts';
import { kNow } from '../db/clock.ts';
import { quoteText } from '../sql/names.ts';

/** Values become the same JSON in every session, and no search path leads to functions of others. */
export const kDefiner = `language plpgsql security definer set search_path = pg_catalog, pg_temp
  set "TimeZone" = 'UTC' set extra_float_digits = 1 set bytea_output = 'hex' set lock_timeout = 0`;

/** For what makes no JSON. */
export const kChecker = 'language plpgsql security definer set search_path = pg_catalog, pg_temp';

/** How often the realms are locked after a deadlock: whoever began to wait first is its victim, and keeps all other locks. */
const kLockTries = 5;

/** How often triggers of the application may write again when their rows are logged. */
const kLogRounds = 50;

/** Characters that no realm's name has: JavaScript's \p{Cc}. */
const kControls = String.raw`[\x01-\x1f\x7f-\x9f]`;

/** A limit that a connection may raise; 0: it was not set. */
function settingOf(name: string): string {
  return `coalesce(nullif(current_setting('skerry.${name}', true), ''), '0')::bigint`;
}

/** By name and arguments: those that other programs may call. */
export const publicFunctions: readonly string[] = [
  `skerry.begin(realm text, actor text default null) returns void ${kChecker} as $$
   begin
     perform skerry.check_realm(begin.realm, 'skerry.begin');
     if begin.actor = '' or octet_length(begin.actor) > ${limits.userBytes} or begin.actor ~ ${quoteText(kControls)} then
       raise exception using errcode = '22023', message =
         'skerry.begin: an actor is the name of a user, of 1 to ${limits.userBytes} bytes and without control characters.';
     end if;
     perform set_config('skerry.realm', pg_current_xact_id()::text || ' ' || begin.realm, true),
             set_config('skerry.actor', pg_current_xact_id()::text || ' ' || coalesce(begin.actor, ''), true);
   end $$`,
  // The realm or the actor that this transaction has set. What another has set, on a connection of a pool, does not count.
  `skerry.of_transaction(name text) returns text ${kChecker} as $$
   declare
     own text := pg_current_xact_id()::text || ' ';
     value text := current_setting('skerry.' || of_transaction.name, true);
   begin
     return case when starts_with(value, own) then nullif(substr(value, length(own) + 1), '') end;
   end $$`,
  // A UUID of version 7 (RFC 9562, section 5.7), as clients make them.
  `skerry.uuid_v7() returns text language sql volatile set search_path = pg_catalog, pg_temp as $$
     select left(h.ms, 8) || '-' || right(h.ms, 4) || '-7' || substr(h.random, 16, 3) || substr(h.random, 19)
       from (select lpad(to_hex(${kNow}), 12, '0') as ms, gen_random_uuid()::text as random) h $$`,
  `skerry.now_ms() returns timestamp with time zone language sql volatile set search_path = pg_catalog, pg_temp as $$
     select date_trunc('milliseconds', clock_timestamp()) $$`,
];

export const innerFunctions: readonly string[] = [
  `skerry.check_realm(realm text, what text) returns void ${kChecker} as $$
   declare
     found_by constant text := 'skerry.checked_realm';
     own text := pg_current_xact_id()::text || ' ' || check_realm.realm;
   begin
     if current_setting(found_by, true) = own then return; end if;
     if check_realm.realm is null or check_realm.realm = '' then
       raise exception using errcode = '23502', message = check_realm.what ||
         ': a row needs a realm. Name it in the column realm, or call skerry.begin(realm, actor) first, in the same transaction.';
     end if;
     if octet_length(check_realm.realm) > ${limits.idBytes} or check_realm.realm ~ ${quoteText(kControls)} then
       raise exception using errcode = '22023', message = check_realm.what ||
         ': a realm has 1 to ${limits.idBytes} bytes, and no control characters.';
     end if;
     if check_realm.realm ~ ${quoteText(kUuidPattern)} and not exists (
       select 1 from skerry.realm r where r.realm = check_realm.realm and r.head > 0) then
       raise exception using errcode = '23503', message = format(
         '%s: the realm %s does not exist. A realm that is named by a UUID is founded by a client.',
         check_realm.what, check_realm.realm);
     end if;
     perform set_config(found_by, own, true);
   end $$`,
  // What of a value of the type json no client can read; null: it is fine. The cast finds half surrogate pairs and U+0000.
  `skerry.json_fault(value json) returns text ${kChecker} as $$
   begin
     if jsonb_path_exists(value::jsonb, '$.**{${foreignLimits.valueDepth} to last}') then
       return 'is nested deeper than ${foreignLimits.valueDepth}';
     end if;
     if jsonb_path_exists(value::jsonb,
         '$.** ? (@.type() == "number" && (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308))') then
       return 'has a number that is not finite';
     end if;
     return null;
   exception when data_exception or program_limit_exceeded or statement_too_complex then
     return 'cannot be read: ' || sqlerrm;
   end $$`,
  // After a statement that has inserted rows: only now it is certain which. If something was logged already in this transaction, then
  // perhaps some of them.
  `skerry.note_inserts() returns trigger ${kChecker} as $$
   begin
     if current_setting('skerry.logged', true) = pg_current_xact_id()::text then
       execute format(
         'insert into skerry.raw (xid, captured, realm, id)
          select pg_current_xact_id(), $1, f.realm, f.id from fresh f join %s t on t.realm = f.realm and t.id = f.id
           where t.revision = 0 on conflict do nothing', tg_relid::regclass) using tg_argv[0];
     else
       insert into skerry.raw (xid, captured, realm, id)
       select pg_current_xact_id(), tg_argv[0], f.realm, f.id from fresh f on conflict do nothing;
     end if;
     perform skerry.log_later();
     return null;
   end $$`,
  `skerry.note_writes() returns trigger ${kChecker} as $$
   begin
     perform skerry.log_later();
     return null;
   end $$`,
  // After a statement, when its rows are written: what the transaction has noted is logged at its end, or, after
  // \`set constraints all immediate\`, at once. How much it is is counted now and then, and exactly at the end.
  `skerry.log_later() returns void ${kChecker} as $$
   declare
     tx xid8 := pg_current_xact_id();
     known text := current_setting('skerry.statements', true);
     statements bigint := 1;
   begin
     if starts_with(known, tx::text || ' ') then
       statements := substr(known, length(tx::text) + 2)::bigint + 1;
     elsif current_setting('transaction_isolation') <> 'read committed' then
       raise exception using errcode = '0A000', message = format(
         'Rows that clients see are written at the isolation level READ COMMITTED only, and this transaction is %s: others may have '
         'written to their realms since it began.', upper(current_setting('transaction_isolation')));
     end if;
     perform set_config('skerry.statements', tx::text || ' ' || statements::text, true);
     if statements & (statements - 1) = 0 then perform skerry.check_size(tx); end if;
     if current_setting('skerry.queued', true) is distinct from tx::text
        and exists (select 1 from skerry.raw r where r.xid = tx limit 1) then
       perform set_config('skerry.queued', tx::text, true);
       insert into skerry.raw_tx (xid) values (tx);
     end if;
   end $$`,
  `skerry.check_size(tx xid8) returns void ${kChecker} as $$
   declare
     rows bigint;
   begin
     if ${settingOf('max_rows')} > ${foreignLimits.rows} then
       rows := ${settingOf('max_rows')};
     else
       rows := ${foreignLimits.rows};
     end if;
     if (select count(*) from (select 1 from skerry.raw r where r.xid = check_size.tx limit rows + 1) r) > rows then
       raise exception using errcode = '54000', message =
         'One transaction writes at most ${foreignLimits.rows} rows that clients see. The setting skerry.max_rows allows more.';
     end if;
   end $$`,
  `skerry.refuse_truncate() returns trigger ${kChecker} as $$
   begin
     raise exception using errcode = '0A000', message = format(
       '%s: TRUNCATE is not logged, so clients would keep the rows. Use DELETE.', tg_argv[0]);
   end $$`,
  `skerry.refuse_membership() returns trigger ${kChecker} as $$
   begin
     raise exception using errcode = '0A000', message =
       'skerry.membership: memberships are written by clients only, because rights depend on the order in which they change.';
   end $$`,
  // The realm to which a row was moved last.
  `skerry.moved_to(tx xid8, captured text, first_realm text, id text) returns text language sql stable
     set search_path = pg_catalog, pg_temp as $$
     with recursive way(realm) as (
       select moved_to.first_realm collate "C"
       union
       select r.moved_to from way w join skerry.raw r
          on r.xid = moved_to.tx and r.captured = moved_to.captured and r.realm = w.realm and r.id = moved_to.id
        where r.moved_to is not null)
     select w.realm from way w
      where not exists (select 1 from skerry.raw r where r.xid = moved_to.tx and r.captured = moved_to.captured
                           and r.realm = w.realm and r.id = moved_to.id and r.moved_to is not null)
      limit 1 $$`,
  // At the end of a transaction: logs what it has written. Triggers of the application may write again when their rows get their
  // revisions: then there is another entry.
  `skerry.log_foreign() returns trigger ${kDefiner} as $$
   declare
     tx constant xid8 := new.xid;
     others_mark constant text := current_setting('skerry.writer', true);
     rounds integer := 0;
   begin
     delete from skerry.raw_tx t where t.xid = tx;
     -- The round that is under way comes back to what was written meanwhile.
     if current_setting('skerry.logging', true) = tx::text then return null; end if;
     perform set_config('skerry.logging', tx::text, true), set_config('skerry.logged', tx::text, true);
     while exists (select 1 from skerry.raw r where r.xid = tx limit 1) loop
       rounds := rounds + 1;
       if rounds > ${kLogRounds} then
         raise exception using errcode = '54001', message =
           'Triggers of the application write rows that clients see again and again, each time that these are logged.';
       end if;
       perform skerry.check_size(tx);
       perform skerry.log_round(tx);
     end loop;
     perform set_config('skerry.writer', coalesce(others_mark, ''), true), set_config('skerry.logging', '', true),
             set_config('skerry.queued', '', true);
     return null;
   end $$`,
  // One entry in each realm that has changed. Log and rows become visible together. The realms are locked from here to the commit only.
  `skerry.log_round(tx xid8) returns void ${kDefiner} as $$
   #variable_conflict use_variable
   declare
     entry_client constant text := gen_random_uuid()::text;
     entry_update constant text := gen_random_uuid()::text;
     entry_at bigint;
     named text[];
     heads jsonb;
     table_key text;
     of_table jsonb;
     parts jsonb := '[]';
   begin
     select array_agg(n.realm order by n.realm) into named
       from (select distinct r.realm from skerry.raw r where r.xid = tx) n;
     if cardinality(named) > ${foreignLimits.realms} and cardinality(named) > ${settingOf('max_realms')} then
       raise exception using errcode = '54000', message =
         'One transaction writes to at most ${foreignLimits.realms} realms. The setting skerry.max_realms allows more.';
     end if;
     insert into skerry.realm (realm, epoch)
     select n.realm, gen_random_uuid()::text from unnest(named) with ordinality as n(realm, place) order by n.place
     on conflict do nothing;
     for attempt in 1..${kLockTries} loop
       begin
         perform 1 from skerry.realm r where r.realm = any(named) order by r.realm for update;
         exit;
       exception when deadlock_detected then
         if attempt = ${kLockTries} then raise; end if;
       end;
     end loop;
     select jsonb_object_agg(r.realm, r.head + 1), greatest(max(r.at) + 1, ${kNow}) into heads, entry_at
       from skerry.realm r where r.realm = any(named);
     perform set_config('skerry.writer', tx::text || ' ' || pg_trigger_depth()::text, true);
     for table_key in select distinct r.captured from skerry.raw r where r.xid = tx loop
       execute format('select skerry.%I($1, $2, $3)', 'log ' || table_key) into of_table using tx, heads, entry_at;
       parts := parts || coalesce(of_table, '[]');
     end loop;
     with written as materialized (
       select p.realm, json_agg(p."table") as tables, sum(p.changes)::integer as changes, sum(p.bytes)::bigint as bytes,
              sum(p.rows)::bigint as rows
         from jsonb_to_recordset(parts) as p(realm text, "table" text, changes bigint, bytes bigint, rows bigint)
        group by p.realm),
     entry as (
       insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, base, tables, streams, changes, bytes)
       select w.realm, (heads ->> w.realm)::bigint, entry_at, entry_client, coalesce(skerry.of_transaction('actor'), 'sql'),
              entry_update, false, json_build_object(w.realm, (heads ->> w.realm)::bigint - 1), w.tables, '[]'::json, w.changes,
              w.bytes
         from written w),
     heard as (
       insert into skerry.foreign_entry (xid, realm, revision, at)
       select tx, w.realm, (heads ->> w.realm)::bigint, entry_at from written w)
     update skerry.realm r set head = (heads ->> w.realm)::bigint, at = entry_at, rows = r.rows + w.rows
       from written w where r.realm = w.realm;
     -- Who has notified cannot PREPARE TRANSACTION: until somebody ends the prepared one, the realms would be locked. Nobody listens.
     if current_setting('max_prepared_transactions')::integer > 0 then perform pg_notify('skerry_foreign', ''); end if;
   end $$`,
];
