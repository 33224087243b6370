// The functions of each table: what the triggers before its rows check and note, and what the end of a transaction logs.

import { createHash } from 'node:crypto';
import { limits } from '../base/limits.ts';
import { kUuidPattern } from '../base/uuid.ts';
import type { TableDescription } from '../sql/description.ts';
import { fixedColumns, quoteName, quoteText, unquote } from '../sql/names.ts';
import { rowBytes } from '../sql/row-bytes.ts';
import { rowJson } from '../sql/rows.ts';
import { propsObject, type SqlColumn, type SqlTable, textKeyed } from '../sql/tables.ts';
import { kDefiner } from './functions.ts';

/** Names of functions have at most 63 bytes, with a word and a space before this. */
const kKeyBytes = 50;

/** By which the functions of a table, and the rows of skerry.raw, name it. */
export function tableKey(table: SqlTable): string {
  const name = unquote(table.name);
  if (Buffer.byteLength(name) <= kKeyBytes) return name;
  return createHash('sha256').update(name).digest('hex').slice(0, kKeyBytes);
}

/** `raise exception` with a sentence about the row, whose values are in `row`. */
function refuse(table: SqlTable, row: 'new' | 'old', code: string, what: string): string {
  return `raise exception using errcode = '${code}', message = ${quoteText(`${table.table} `)} || ${row}.id || ${what};`;
}

/** The checks of a column's new value: what no client could read is refused. */
function columnCheck(table: SqlTable, column: SqlColumn, className: string | undefined): string {
  const value = `new.${column.name}`;
  const fail = (what: string) =>
    refuse(table, 'new', '22023', quoteText(`: ${column.prop} ${what}.`));
  switch (column.type) {
    case 'number':
      return `if ${value} in ('NaN', 'Infinity', '-Infinity') then ${fail('is not a finite number')} end if;`;
    case 'date':
      return `if ${value} is not null then
           if not isfinite(${value}) or skerry.to_ms(${value}) > ${limits.lastTimeMs} then
             ${fail('is a time that JavaScript does not have')}
           end if;
           ${value} := date_trunc('milliseconds', ${value});
         end if;`;
    case 'json':
    case 'class': {
      const fault = refuse(
        table,
        'new',
        '22023',
        `${quoteText(`: ${column.prop} `)} || fault || '.'`,
      );
      const kind =
        className === undefined
          ? ''
          : `if ${value} is not null and (${value} ->> '$type') is distinct from ${quoteText(className)} then
               ${fail(`is not of the class ${className}: JSON of the form {"$type", "v", "version"}`)}
             end if;`;
      return `if ${value} is not null and (tg_op = 'INSERT' or ${value}::text is distinct from old.${column.name}::text) then
           fault := skerry.json_fault(${value});
           if fault is not null then ${fault} end if;
           ${kind}
         end if;`;
    }
    default:
      return '';
  }
}

/** At most the bytes of the props as JSON: of texts, every byte may need an escape of six. */
function mostBytes(table: SqlTable): string {
  const parts = table.columns.map((column) => {
    const name = `new.${column.name}`;
    switch (column.type) {
      case 'string':
      case 'enum':
      case 'ref':
        return `coalesce(octet_length(${name}), 0) * 6`;
      case 'bytes':
        return `coalesce(octet_length(${name}), 0) * 4 / 3`;
      case 'json':
      case 'class':
        return `coalesce(octet_length(${name}::text), 0)`;
      default:
        return '30';
    }
  });
  const names = table.columns.reduce((sum, { prop }) => sum + Buffer.byteLength(prop) + 8, 2);
  return [String(names), ...parts].map((part) => `(${part})::bigint`).join(' + ');
}

function idCheck(table: SqlTable): string {
  const isWrong = table.uuids
    ? `new.id !~ ${quoteText(kUuidPattern)}`
    : `(new.id = '' or octet_length(new.id) > ${limits.idBytes})`;
  const form = table.uuids ? 'a UUID in lower case' : `text of 1 to ${limits.idBytes} bytes`;
  return `if new.id is null or ${isWrong} then
         raise exception using errcode = '22023', message = ${quoteText(`${table.table}: an id is ${form}, not `)}
           || coalesce(quote_literal(new.id), 'null') || '.';
       end if;`;
}

/** All columns that are written. */
function columnsOf({ columns, left = [] }: SqlTable): string[] {
  return [...fixedColumns, ...[...columns, ...left].map(({ name }) => name)];
}

/** Of a row `b` that was live, or of a marker that is put back: `touched` is c. */
function markerColumn(column: string, quotedKey: string): string {
  const ofDeleted: Readonly<Record<string, string>> = {
    revision: '(heads ->> c.realm)::bigint',
    modified_at: 'stamp',
    deleted_at: 'stamp',
    moved_to: `case when c.moved_to is not null then skerry.moved_to(tx, ${quotedKey}, c.moved_to, c.id) end`,
  };
  const own = ofDeleted[column];
  return own === undefined
    ? `b.${column}`
    : `case when c.was_live then ${own} else b.${column} end`;
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
          select t.* from ${table.name} t where t.realm = r.realm and t.id = r.id and t.deleted_at is null limit 1) t
        cross join lateral (
          select o.id from ${table.name} o
           where o.realm = t.realm and ${other} = ${own} and o.deleted_at is null and o.id <> t.id limit 1) o
        where r.xid = tx and r.captured = ${quotedKey} and t.${column.name} is not null limit 1;
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
 * The part of the statement that notes which rows have consequences by the rules of refs: this is only what may have some, the rules
 * themselves are the authority's.
 */
function owing(table: SqlTable, refs: readonly RefColumn[]): string {
  const conditions = refs.flatMap(({ from, column, to, touches, hasRule }) => {
    const own = `t.${column.name}`;
    const isMissing = `not exists (select 1 from ${to.name} p where p.realm = c.realm and p.id = ${own} and p.deleted_at is null)`;
    const isReferred = `exists (select 1 from ${from.name} r where r.realm = c.realm and r.${column.name} = c.id and r.deleted_at is null)`;
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

/** The functions of a table: what stands after `create or replace function`. */
export function tableFunctions(
  table: SqlTable,
  description: TableDescription,
  refs: readonly RefColumn[],
): string[] {
  const key = tableKey(table);
  const [name, quotedKey] = [quoteText(table.table), quoteText(key)];
  const classes = new Map(description.props.map((prop) => [prop.name, prop.class?.type] as const));
  const checks = table.columns
    .map((column) => columnCheck(table, column, classes.get(column.prop)))
    .filter((check) => check !== '')
    .join('\n       ');
  const move = table.uuids
    ? `perform skerry.note(${quotedKey}, old.realm, old.id, was, new.realm);
         perform skerry.note(${quotedKey}, new.realm, new.id, null, null);`
    : refuse(
        table,
        'old',
        '0A000',
        `': a row whose id is the application''s own stays in its realm.'`,
      );
  return [
    // Notes come before the write: a trigger of the application at an earlier row of the same statement may write to this one, too,
    // and would be seen first. A row of revision 0 was inserted in this transaction.
    `skerry.${quoteName(`before ${key}`)}() returns trigger ${kDefiner} as $$
     #variable_conflict use_variable
     declare
       was json;
       tomb record;
       others_mark text;
       fault text;
     begin
       if tg_op <> 'INSERT' then
         if old.deleted_at is not null and (tg_op = 'DELETE' or new.deleted_at is not null) then return null; end if;
         was := case when old.revision > 0 then to_json(old) end;
       end if;
       if tg_op = 'DELETE' then
         perform skerry.note(${quotedKey}, old.realm, old.id, was, null);
         return old;
       end if;
       if tg_op = 'UPDATE' and new.id is distinct from old.id then
         ${refuse(table, 'old', '0A000', `': an id never changes. Delete the row, and insert another.'`)}
       end if;
       ${idCheck(table)}
       if new.realm is null or current_setting('skerry.checked_realm', true)
          is distinct from pg_current_xact_id()::text || ' ' || new.realm then
         perform skerry.check_realm(new.realm, ${quoteText(`${table.table} `)} || new.id);
       end if;
       ${checks}
       if ${mostBytes(table)} > ${limits.objectBytes} and octet_length((${propsObject(table, 'new')})::text) > ${limits.objectBytes} then
         ${refuse(table, 'new', '54000', quoteText(`: its props have more than ${limits.objectBytes} bytes as JSON.`))}
       end if;
       new.created_at := date_trunc('milliseconds', coalesce(new.created_at, clock_timestamp()));
       new.moved_to := null;
       if tg_op = 'INSERT' then
         new.revision := 0;
         new.modified_at := new.created_at;
       else
         new.revision := old.revision;
         new.modified_at := old.modified_at;
         if new.realm is distinct from old.realm then
           ${move}
         else
           perform skerry.note(${quotedKey}, old.realm, old.id, was, null);
           return new;
         end if;
       end if;
       -- A marker of a deleted or moved row gives way.
       if exists (select 1 from ${table.name} t where t.realm = new.realm and t.id = new.id and t.deleted_at is not null) then
         others_mark := current_setting('skerry.writer', true);
         perform set_config('skerry.writer', pg_current_xact_id()::text || ' ' || pg_trigger_depth()::text, true);
         delete from ${table.name} t
          where t.realm = new.realm and t.id = new.id and t.deleted_at is not null returning t.* into tomb;
         if found then
           perform skerry.note(${quotedKey}, new.realm, new.id, to_json(tomb), null);
         end if;
         perform set_config('skerry.writer', coalesce(others_mark, ''), true);
       end if;
       return new;
     end $$`,
    `skerry.${quoteName(`log ${key}`)}(tx xid8, heads jsonb, at_ms bigint) returns jsonb ${kDefiner} as $$
     #variable_conflict use_variable
     declare
       stamp timestamp with time zone := skerry.from_ms(at_ms);
       written jsonb;
       rival record;
     begin
       ${uniqueChecks(table, description, quotedKey)}
       with touched as materialized (
         select r.realm, r.id, r.before, r.moved_to, t.place, t.bytes,
                coalesce(json_typeof(r.before) = 'object' and (r.before ->> 'deleted_at') is null, false) as was_live,
                coalesce(json_typeof(r.before) = 'null', false) as is_unknown,
                coalesce(t.place is not null and t.deleted_at is null, false) as is_live,
                coalesce(r.before::text = t.text, false) as is_same
           from skerry.raw r
           left join lateral (
             select t.ctid as place, t.deleted_at, ${rowBytes(table, 't')} as bytes,
                    case when r.before is not null then to_json(t)::text end as text
               from ${table.name} t where t.realm = r.realm and t.id = r.id limit 1) t on true
          where r.xid = tx and r.captured = ${quotedKey}),
       changed as materialized (
         select c.*, (heads ->> c.realm)::bigint as revision from touched c
          where (c.was_live or c.is_live) and not c.is_same),
       changes as (
         insert into skerry.change (realm, revision, table_name, id, before, touch)
         select c.realm, c.revision, ${name}, c.id, case when c.was_live then ${rowJson(table, 'b')} end, false
           from changed c left join lateral (
             select b.* from json_populate_record(null::${table.name}, case when json_typeof(c.before) = 'object' then c.before end) b) b on c.was_live),
       stamped as (
         update ${table.name} t
            set revision = (heads ->> t.realm)::bigint, modified_at = stamp, created_at = least(t.created_at, stamp),
                deleted_at = case when t.deleted_at is not null then stamp end
          where t.ctid = any(array(select c.place from changed c where c.place is not null))),
       -- Those that were deleted or moved leave a marker, and those that were here only for a while, the one that there was.
       markers as (
         insert into ${table.name} (${columnsOf(table).join(', ')})
         select ${columnsOf(table)
           .map((column) => markerColumn(column, quotedKey))
           .join(', ')}
           from touched c cross join lateral (
             select b.* from json_populate_record(null::${table.name}, case when json_typeof(c.before) = 'object' then c.before end) b) b
          where json_typeof(c.before) = 'object' and c.place is null),
       -- Inserted as deleted.
       vain as (
         delete from ${table.name} t
          where t.ctid = any(array(select c.place from touched c where c.place is not null and not c.is_live and not c.was_live
                                      and c.before is null)))
       ${owing(table, refs)}
       select jsonb_agg(jsonb_build_object('realm', p.realm, 'table', ${name}, 'changes', p.changes, 'bytes', p.bytes,
                                           'rows', p.rows)) into written
         from (select c.realm, count(*) as changes,
                      sum(coalesce(octet_length(c.before::text), 0) + coalesce(c.bytes, 0)) as bytes,
                      coalesce(sum(c.is_live::integer - c.was_live::integer) filter (where not c.is_unknown), 0) as rows
                 from changed c group by c.realm) p;
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
