// The functions of each table: what the triggers before its rows check and note, and what the end of a transaction logs.

import { createHash } from 'node:crypto';
import type { TableDescription } from '../sql/description.ts';
import { fixedColumns, quoteName, quoteText, unquote } from '../sql/names.ts';
import { rowBytes } from '../sql/row-bytes.ts';
import { rowJson } from '../sql/rows.ts';
import { type SqlColumn, type SqlTable, textKeyed } from '../sql/tables.ts';
import { kChecker, kDefiner } from './functions.ts';
import { checking, checksOf, refuse } from './row-checks.ts';

/** Names of functions have at most 63 bytes, with up to two words before this. */
const kKeyBytes = 48;

/** By which the functions of a table, and the rows of skerry.raw, name it. */
export function tableKey(table: SqlTable): string {
  const name = unquote(table.name);
  if (Buffer.byteLength(name) <= kKeyBytes) return name;
  return createHash('sha256').update(name).digest('hex').slice(0, kKeyBytes);
}

/** All columns that are written. */
function columnsOf({ columns, left = [] }: SqlTable): string[] {
  return [...fixedColumns, ...[...columns, ...left].map(({ name }) => name)];
}

/** What the marker of a row that was live has otherwise: `touched` is c. */
function markerJson(quotedKey: string): string {
  return `json_build_object('revision', (heads ->> c.realm)::bigint, 'modified_at', stamp, 'deleted_at', stamp, 'moved_to',
           case when c.moved_to is not null then skerry.moved_to(tx, ${quotedKey}, c.moved_to, c.id) end)`;
}

/** Under the locks of the realms, as pushes are checked: a value is unique among the live rows of its realm. */
function uniqueChecks(table: SqlTable, { props }: TableDescription, quotedKey: string): string {
  const unique = table.columns.filter(
    ({ prop }) => props.find(({ name }) => name === prop)?.unique === true,
  );
  return unique
    .map((column) => {
      const [own, other] = ['t', 'o'].map((row) => textKeyed(column, `${row}.${column.name}`));
      return `select t.realm, t.id, o.id as other into rival
         from skerry.raw r
        cross join lateral (
          select t.* from ${table.name} t where t.realm = r.realm and t.id = r.id limit 1) t
        cross join lateral (
          select o.id from ${table.name} o
           where t.deleted_at is null and t.${column.name} is not null
             and o.realm = t.realm and ${other} = ${own} and o.deleted_at is null and o.id <> t.id limit 1) o
        where r.xid = tx and r.captured = ${quotedKey} limit 1;
       if found then
         raise exception using errcode = '23505', message = format(
           '%s: %s has the same %s in the realm %s, where it is unique.',
           ${quoteText(`${table.table} `)} || rival.id, rival.other, ${quoteText(column.prop)}, rival.realm);
       end if;`;
    })
    .join('\n       ');
}

/** A ref of the schema, as columns. */
export interface RefColumn {
  readonly from: SqlTable;
  readonly column: SqlColumn;
  readonly to: SqlTable;
  readonly touches: boolean;
  /** What happens if its target is deleted, if anything does. */
  readonly hasRule: boolean;
}

/**
 * Of a table that was never analysed the planner takes any index that fits a condition. So each look-up has only the conditions
 * of its index, and the others come around it.
 *
 * The part of the statement that notes which rows have consequences by the rules of refs: this is only what may have some, the rules
 * themselves are the authority's.
 */
function owing(table: SqlTable, refs: readonly RefColumn[]): string {
  const conditions = refs.flatMap(({ from, column, to, touches, hasRule }) => {
    const own = `t.${column.name}`;
    const isMissing = `not exists (select 1 from (
      select p.deleted_at from ${to.name} p where p.realm = c.realm and p.id = ${own} limit 1) p where p.deleted_at is null)`;
    const isReferred = `exists (select 1 from (
      select r.realm from ${from.name} r where r.${column.name} = c.id and r.deleted_at is null offset 0) r where r.realm = c.realm)`;
    return [
      ...(from === table && touches ? [`${own} is not null`] : []),
      ...(from === table && hasRule ? [`${own} is not null and ${isMissing}`] : []),
      ...(to === table && hasRule ? [`not c.is_live and ${isReferred}`] : []),
      // What a deleted row referred to is in its marker.
      ...(from === table && touches ? ['not c.is_live'] : []),
    ];
  });
  if (conditions.length === 0) return '';
  return `, owed as (
         insert into skerry.owed (realm, table_name, id)
         select c.realm, ${quoteText(table.table)}, c.id
           from changed c left join lateral (select t.* from ${table.name} t where t.ctid = c.place) t on true
          where (${conditions.join(') or (')})
         on conflict do nothing)`;
}

/** The functions of a table: what stands after `create or replace function`. `path`: of search-path.ts. */
export function tableFunctions(
  table: SqlTable,
  description: TableDescription,
  refs: readonly RefColumn[],
  path: string,
): string[] {
  const key = tableKey(table);
  const writer = `language plpgsql security definer ${path}`;
  const [name, quotedKey] = [quoteText(table.table), quoteText(key)];
  const checks = checksOf(table, description);
  const note = (
    values: string,
  ) => `insert into skerry.raw as r (xid, captured, realm, id, before, moved_to)
         values (pg_current_xact_id(), ${quotedKey}, ${values})`;
  const move = table.uuids
    ? `${note('old.realm, old.id, was, new.realm')}
           on conflict on constraint raw_pkey do update set moved_to = excluded.moved_to;
         ${note('new.realm, new.id, null, null')} on conflict do nothing;
         perform skerry.${quoteName(`unmark ${key}`)}(new.realm, new.id);
         -- Revisions are those of a realm, and its own may be higher.
         new.revision := 0;`
    : refuse(
        table,
        'old',
        '0A000',
        `': a row whose id is the application''s own stays in its realm.'`,
      );
  return [
    `skerry.${quoteName(`before insert ${key}`)}() returns trigger ${kChecker} as $$
     declare
       fault text;
     begin
       ${checking([
         ...checks,
         {
           passes: 'new.revision is not null and new.revision = 0',
           otherwise: 'new.revision := 0;',
         },
         {
           passes: 'new.modified_at is not null',
           otherwise: 'new.modified_at := new.created_at;',
         },
       ])}
       if exists (select 1 from ${table.name} t where t.realm = new.realm and t.id = new.id and t.deleted_at is not null) then
         perform skerry.${quoteName(`unmark ${key}`)}(new.realm, new.id);
       end if;
       return new;
     end $$`,
    // Notes come before the write: a trigger of the application at an earlier row of the same statement may write to this one, too,
    // and would be seen first. A row of revision 0 has come to its realm in this transaction.
    `skerry.${quoteName(`before write ${key}`)}() returns trigger ${kDefiner} as $$
     declare
       was json := case when old.revision > 0 then to_json(old) end;
       fault text;
     begin
       if tg_op = 'DELETE' then
         if old.deleted_at is not null then return null; end if;
         ${note('old.realm, old.id, was, null')} on conflict do nothing;
         return old;
       end if;
       if old.deleted_at is not null and new.deleted_at is not null then return null; end if;
       if new.id is distinct from old.id then
         ${refuse(table, 'old', '0A000', `': an id never changes. Delete the row, and insert another.'`)}
       end if;
       ${checking([
         ...checks,
         {
           passes:
             'new.revision is not distinct from old.revision and new.modified_at is not distinct from old.modified_at',
           otherwise: 'new.revision := old.revision; new.modified_at := old.modified_at;',
         },
       ])}
       if new.realm is distinct from old.realm then
         ${move}
       else
         ${note('old.realm, old.id, was, null')} on conflict do nothing;
       end if;
       return new;
     end $$`,
    // The marker of a deleted or moved row gives way to a new one.
    `skerry.${quoteName(`unmark ${key}`)}(realm text, id text) returns void ${kDefiner} as $$
     #variable_conflict use_column
     declare
       marker json;
       others_mark text := current_setting('skerry.writer', true);
     begin
       perform set_config('skerry.writer', pg_current_xact_id()::text || ' ' || pg_trigger_depth()::text, true);
       marker := skerry.${quoteName(`remove ${key}`)}($1, $2);
       if marker is not null then
         ${note('$1, $2, marker, null')} on conflict do nothing;
       end if;
       perform set_config('skerry.writer', coalesce(others_mark, ''), true);
     end $$`,
    `skerry.${quoteName(`remove ${key}`)}(realm text, id text) returns json ${writer} as $$
     #variable_conflict use_column
     declare
       marker json;
     begin
       delete from ${table.name} t where t.realm = $1 and t.id = $2 and t.deleted_at is not null returning to_json(t.*) into marker;
       return marker;
     end $$`,
    // What is written when rows are logged: revisions and times, markers, and rows that were inserted as deleted go.
    `skerry.${quoteName(`write ${key}`)}(places tid[], vain tid[], markers json[], heads jsonb,
       stamp timestamp with time zone) returns void ${writer} as $$
     #variable_conflict use_variable
     begin
       update ${table.name} t
          set revision = (heads ->> t.realm)::bigint, modified_at = stamp,
              created_at = least(t.created_at, stamp), deleted_at = case when t.deleted_at is not null then stamp end
        where t.ctid = any (places);
       if markers is not null then
         insert into ${table.name} (${columnsOf(table).join(', ')})
         select ${columnsOf(table)
           .map((column) => `m.${column}`)
           .join(', ')} from unnest(markers) as j(marker)
          cross join lateral json_populate_record(null::${table.name}, j.marker) as m;
       end if;
       if vain is not null then delete from ${table.name} t where t.ctid = any (vain); end if;
     end $$`,
    `skerry.${quoteName(`log ${key}`)}(tx xid8, heads jsonb, at_ms bigint) returns jsonb ${kDefiner} as $$
     #variable_conflict use_variable
     declare
       stamp timestamp with time zone := skerry.from_ms(at_ms);
       written jsonb;
       rival record;
       places tid[];
       vain tid[];
       markers json[];
     begin
       ${uniqueChecks(table, description, quotedKey)}
       -- What triggers of the application write into realms that are not locked yet waits for the next round.
       with mine as (
         delete from skerry.raw r where r.xid = tx and r.captured = ${quotedKey} and heads ? r.realm
         returning r.realm, r.id, r.before, r.moved_to),
       touched as materialized (
         select r.realm, r.id, r.before, r.moved_to, t.place, t.bytes,
                coalesce(json_typeof(r.before) = 'object' and (r.before ->> 'deleted_at') is null, false) as was_live,
                coalesce(json_typeof(r.before) = 'null', false) as is_unknown,
                coalesce(t.place is not null and t.deleted_at is null, false) as is_live,
                coalesce(r.before::text = t.text, false) as is_same
           from mine r
           left join lateral (
             select t.ctid as place, t.deleted_at, ${rowBytes(table, 't')} as bytes,
                    case when r.before is not null then to_json(t)::text end as text
               from ${table.name} t where t.realm = r.realm and t.id = r.id limit 1) t on true),
       changed as materialized (
         select c.*, (heads ->> c.realm)::bigint as revision from touched c
          where (c.was_live or c.is_live) and not c.is_same),
       changes as (
         insert into skerry.change (realm, revision, table_name, id, before, touch)
         select c.realm, c.revision, ${name}, c.id, case when c.was_live then ${rowJson(table, 'b')} end, false
           from changed c left join lateral (
             select b.* from json_populate_record(null::${table.name}, case when json_typeof(c.before) = 'object' then c.before end) b) b on c.was_live)
       ${owing(table, refs)}
       select (select jsonb_agg(jsonb_build_object('realm', p.realm, 'table', ${name}, 'changes', p.changes, 'bytes', p.bytes,
                                                   'rows', p.rows))
                 from (select c.realm, count(*) as changes,
                              sum(coalesce(octet_length(c.before::text), 0) + coalesce(c.bytes, 0)) as bytes,
                              coalesce(sum(c.is_live::integer - c.was_live::integer) filter (where not c.is_unknown), 0) as rows
                         from changed c group by c.realm) p),
              (select array_agg(c.place) from changed c where c.place is not null),
              -- Inserted as deleted.
              (select array_agg(c.place) from touched c
                where c.place is not null and not c.is_live and not c.was_live and c.before is null),
              -- Those that were deleted or moved leave a marker, and those that were here only for a while, the one that there was.
              (select array_agg(to_json(case when c.was_live then json_populate_record(b, ${markerJson(quotedKey)}) else b end))
                 from touched c cross join lateral json_populate_record(null::${table.name}, c.before) b
                where c.place is null and json_typeof(c.before) = 'object')
         into written, places, vain, markers;
       perform skerry.${quoteName(`write ${key}`)}(places, vain, markers, heads, stamp);
       return written;
     end $$`,
  ];
}

/**
 * `skerry.changed(name)`: logs all rows of a table, for programs that wrote while its triggers were disabled. It is not known what
 * clients have of them, so everything is sent. Only the owner of the tables calls it.
 */
export function changedFunction(tables: readonly SqlTable[]): string {
  const branches = tables.map((table) => {
    const names = [table.table, unquote(table.name)].map(quoteText).join(', ');
    return `elsif changed.name in (${names}) then
         insert into skerry.raw (xid, captured, realm, id, before)
         select pg_current_xact_id(), ${quoteText(tableKey(table))}, t.realm, t.id, 'null'::json
           from ${table.name} t where t.deleted_at is null
         on conflict do nothing;`;
  });
  return `skerry.changed(name text) returns void ${kDefiner} as $$
     begin
       perform set_config('skerry.max_realms', '2147483647', true);
       if changed.name is null then
         raise exception using errcode = '22004', message = 'skerry.changed: name a table.';
       ${branches.join('\n       ')}
       else
         raise exception using errcode = '42P01', message = format(
           'skerry.changed: the schema has no table %s.', quote_literal(changed.name));
       end if;
       insert into skerry.raw_tx (xid) values (pg_current_xact_id()) on conflict do nothing;
     end $$`;
}
