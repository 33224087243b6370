// The triggers that keep an adopted table and its table of Skerry the same. Each carries a change to the other table only if that has other
// values, so that none answers the other for ever; and what defaults and triggers of the application make of a row comes back.

import { quoteName, quoteText } from '../sql/names.ts';
import { kIsOwnWrite } from '../sql/own-writes.ts';
import type { CatalogColumn } from './catalog.ts';
import { type AdoptedProp, type AdoptedTable, kIdColumn } from './plan.ts';
import { realmExpression, usedColumns } from './realm-rule.ts';

const own = (name: string) => `public.${quoteName(name)}`;
const id = quoteName(kIdColumn);

export interface MirrorParts {
  /** All tables that are adopted, also those of before. */
  readonly tables: readonly AdoptedTable[];
  readonly of: (table: string, column: string) => CatalogColumn;
  /** The column of a prop in the table of Skerry, quoted. */
  readonly columnOf: (table: AdoptedTable, prop: AdoptedProp) => string;
}

/** The adopted table of this name in SQL. */
function named({ tables }: MirrorParts, name: string): AdoptedTable {
  const found = tables.find(({ table }) => table === name);
  if (found === undefined) throw new Error(`${name} is not adopted.`);
  return found;
}

function targetOf({ tables }: MirrorParts, { ref }: AdoptedProp): AdoptedTable {
  const found = tables.find(({ name }) => name === ref?.table);
  if (found === undefined) throw new Error(`${ref?.table} is not adopted.`);
  return found;
}

function realmOf(parts: MirrorParts, { realm }: AdoptedTable, row: string): string {
  return realmExpression(realm, row, (table) => ({
    mirror: named(parts, table).mirror,
    idColumn: kIdColumn,
  }));
}

/** The tables whose rows are in the realms of rows of this one, with the columns that refer to these. */
function followersOf({ tables }: MirrorParts, table: AdoptedTable) {
  return tables.flatMap((follower) => {
    const { realm } = follower;
    if (realm.kind !== 'parent' || realm.target !== table.table) return [];
    return [{ follower, column: realm.column, key: realm.targetKey }];
  });
}

/** A value of the adopted table as one of Skerry's. */
function toSkerry(parts: MirrorParts, table: AdoptedTable, prop: AdoptedProp, row: string): string {
  const value = `${row}.${quoteName(prop.column)}`;
  switch (prop.type) {
    case 'ref': {
      const target = targetOf(parts, prop);
      return `(select r.${id} from ${own(target.table)} r where r.${quoteName(target.key)} = ${value})`;
    }
    case 'number':
      return `${value}::double precision`;
    case 'date':
      return parts.of(table.table, prop.column).type.endsWith('with time zone')
        ? `date_trunc('milliseconds', ${value})`
        : `date_trunc('milliseconds', ${value}::timestamp at time zone 'UTC')`;
    case 'json':
      return `${value}::json`;
    case 'boolean':
    case 'bytes':
      return value;
    default:
      return `${value}::text`;
  }
}

/** And the other way. */
function toAdopted(
  parts: MirrorParts,
  table: AdoptedTable,
  prop: AdoptedProp,
  row: string,
): string {
  const value = `${row}.${parts.columnOf(table, prop)}`;
  const { type, cast } = parts.of(table.table, prop.column);
  if (prop.type === 'ref') {
    const target = targetOf(parts, prop);
    return `(select r.${quoteName(target.key)} from ${own(target.table)} r where r.${id} = ${value})`;
  }
  if (prop.type === 'date' && !type.endsWith('with time zone'))
    return `(${value} at time zone 'UTC')::${cast}`;
  return `${value}::${cast}`;
}

/** Two values are compared as Skerry has them, because it may have fewer digits. JSON has no equality. */
function differs({ type }: AdoptedProp, left: string, right: string): string {
  const comparable = (value: string) => (type === 'json' ? `(${value})::jsonb` : value);
  return `${comparable(left)} is distinct from ${comparable(right)}`;
}

const functionOf = (table: AdoptedTable, what: 'adopted' | 'mirrored' | 'carry') =>
  `skerry.${quoteName(`${what} ${table.table}`)}`;

/** Carries a row to the table of Skerry; with `along`, also the rows that are in its realm. */
function carrying(parts: MirrorParts, table: AdoptedTable): string {
  const mirror = own(table.mirror);
  const columns = table.props.map((prop) => parts.columnOf(table, prop));
  const values = table.props.map((prop) => toSkerry(parts, table, prop, 'its'));
  const changes = table.props.map((prop, i) =>
    differs(prop, `s.${columns[i]}`, values[i] as string),
  );
  const set = columns.map((column, i) => `, ${column} = ${values[i]}`).join('');
  const followers = followersOf(parts, table).map(
    ({ follower, column, key }) =>
      `perform ${functionOf(follower, 'carry')}(f, true) from ${own(follower.table)} f where f.${quoteName(column)} = its.${quoteName(key)};`,
  );
  return `#variable_conflict use_variable
   declare
     its_realm text := ${realmOf(parts, table, 'its')};
   begin
     -- A row of nobody is seen by nobody.
     if its_realm is null then
       delete from ${mirror} s where s.id = its.${id} and s.deleted_at is null;
     elsif exists (select 1 from ${mirror} s where s.id = its.${id} and s.deleted_at is null) then
       update ${mirror} s set realm = its_realm${set}
        where s.id = its.${id} and s.deleted_at is null
          and (${['s.realm is distinct from its_realm', ...changes].join(' or ')});
     else
       insert into ${mirror} (${['id', 'realm', ...columns].join(', ')})
       values (${[`its.${id}`, 'its_realm', ...values].join(', ')});
     end if;
     ${followers.length === 0 ? '' : `if along then ${followers.join('\n     ')} end if;`}
   end`;
}

/** The function of the triggers on the adopted table. */
function fromAdopted(parts: MirrorParts, table: AdoptedTable): string {
  const [before, after] = ['old', 'new'].map((row) => realmOf(parts, table, row));
  const follows = followersOf(parts, table).length > 0;
  return `begin
     if tg_op = 'DELETE' then
       delete from ${own(table.mirror)} s where s.id = old.${id} and s.deleted_at is null;
     elsif tg_op = 'INSERT' then
       perform ${functionOf(table, 'carry')}(new, false);
     else
       perform ${functionOf(table, 'carry')}(new, ${follows ? `${before} is distinct from ${after}` : 'false'});
     end if;
     return null;
   end`;
}

function realmPattern({ realm }: AdoptedTable): string {
  if (realm.kind !== 'template') return '^.*$';
  const escaped = realm.parts.map((part, i) =>
    i % 2 === 1 ? '(.+)' : part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
  );
  return `^${escaped.join('')}$`;
}

/** Refuses a row outside of the realms of the table. */
function checkingRealm(parts: MirrorParts, table: AdoptedTable): string {
  const { realm, name } = table;
  if (realm.kind === 'template') {
    const form = realm.parts.map((part, i) => (i % 2 === 0 ? part : `{${part}}`)).join('');
    return `its_parts := regexp_match(new.realm, ${quoteText(realmPattern(table))});
     if its_parts is null then
       raise exception using message = ${quoteText(`${name}: its rows are in realms of the form ${form}.`)};
     end if;`;
  }
  return `if new.realm is distinct from (
         select p.realm from ${own(named(parts, realm.target).mirror)} p
          where p.deleted_at is null and p.id = new.${parentColumn(parts, table)} limit 1) then
       raise exception using message = ${quoteText(`${name}: a row is in the realm of the row that ${realm.column} names.`)};
     end if;`;
}

/** The function of the triggers on the table of Skerry. */
function fromSkerry(parts: MirrorParts, table: AdoptedTable): string {
  const adopted = own(table.table);
  // A column keeps its value, with all of its digits, unless Skerry has another one.
  const all = [
    ...usedColumns(table.realm).map((column, i) => ({
      column,
      value: `its_parts[${i + 1}]::${parts.of(table.table, column).cast}`,
      isOther: `a.${quoteName(column)}::text is distinct from its_parts[${i + 1}]`,
    })),
    ...table.props.map((prop) => ({
      column: prop.column,
      value: toAdopted(parts, table, prop, 'new'),
      isOther: differs(
        prop,
        toSkerry(parts, table, prop, 'a'),
        `new.${parts.columnOf(table, prop)}`,
      ),
    })),
  ];
  const set = all.map(({ column, value, isOther }) => {
    const name = quoteName(column);
    return `${name} = case when ${isOther} then ${value} else a.${name} end`;
  });
  // A prop that the client has left out is one of which the application has a default.
  const inserted = all.map(({ column, value }) => {
    const { default: otherwise } = parts.of(table.table, column);
    return otherwise === null ? value : `coalesce(${value}, ${otherwise})`;
  });
  const others = all.map(({ isOther }) => isOther);
  return `declare
     its_parts text[];
   begin
     if new.deleted_at is not null then
       -- Markers of what other programs have deleted come from the adopted table: there the row is gone, or in no realm now.
       if new.moved_to is null and ${kIsOwnWrite} then delete from ${adopted} a where a.${id} = new.id; end if;
       return null;
     end if;
     ${checkingRealm(parts, table)}
     if exists (select 1 from ${adopted} a where a.${id} = new.id) then
       ${set.length === 0 ? 'null;' : `update ${adopted} a set ${set.join(', ')} where a.${id} = new.id and (${others.join(' or ')});`}
     else
       insert into ${adopted} (${[id, ...all.map(({ column }) => quoteName(column))].join(', ')}) values (${['new.id', ...inserted].join(', ')});
     end if;
     return null;
   end`;
}

function parentColumn(parts: MirrorParts, table: AdoptedTable): string {
  const { realm } = table;
  const prop = table.props.find((each) => realm.kind === 'parent' && each.column === realm.column);
  if (prop === undefined) throw new Error(`${table.table} has no prop of its parent.`);
  return parts.columnOf(table, prop);
}

/** The functions that carry rows from and to a table: also to be made again when more tables are adopted, whose rows follow its own. */
export function mirrorFunctions(parts: MirrorParts, table: AdoptedTable, path: string): string[] {
  const settings = `language plpgsql security definer ${path} set "TimeZone" = 'UTC'`;
  return [
    `create or replace function ${functionOf(table, 'carry')}(its ${own(table.table)}, along boolean) returns void ${settings} as $$ ${carrying(parts, table)} $$`,
    `revoke all on function ${functionOf(table, 'carry')}(${own(table.table)}, boolean) from public`,
    `create or replace function ${functionOf(table, 'adopted')}() returns trigger ${settings} as $$ ${fromAdopted(parts, table)} $$`,
    `create or replace function ${functionOf(table, 'mirrored')}() returns trigger ${settings} as $$ ${fromSkerry(parts, table)} $$`,
  ];
}

/** What keeps both tables the same from now on, after both were made, and the functions. */
export function mirrorTriggers(table: AdoptedTable): string[] {
  return [
    `create trigger skerry_adopted after insert or update or delete on ${own(table.table)}
       for each row execute function ${functionOf(table, 'adopted')}()`,
    `create trigger skerry_truncated before truncate on ${own(table.table)}
       for each statement execute function skerry.refuse_truncate(${quoteText(table.table)})`,
    `create trigger skerry_mirrored after insert or update on ${own(table.mirror)}
       for each row execute function ${functionOf(table, 'mirrored')}()`,
  ];
}

/** Fills the table of Skerry from the adopted one, and makes the index by which the triggers find its rows. */
export function copying(parts: MirrorParts, table: AdoptedTable): string[] {
  const columns = table.props.map((prop) => parts.columnOf(table, prop));
  const values = table.props.map((prop) => toSkerry(parts, table, prop, 'a'));
  return [
    `insert into ${own(table.mirror)} (${['id', 'realm', ...columns].join(', ')})
    select ${[`a.${id}`, 'r.realm', ...values].join(', ')}
      from ${own(table.table)} a cross join lateral (select ${realmOf(parts, table, 'a')} as realm) r where r.realm is not null`,
    `create index on ${own(table.mirror)} (id) where deleted_at is null`,
  ];
}

/** The statements that take all of it away. The adopted table is as it was before, with what was written meanwhile. */
export function unmirroring(table: AdoptedTable): string[] {
  return [
    `drop trigger if exists skerry_adopted on ${own(table.table)}`,
    `drop trigger if exists skerry_truncated on ${own(table.table)}`,
    `drop table if exists ${own(table.mirror)}`,
    `drop function if exists ${functionOf(table, 'adopted')}()`,
    `drop function if exists ${functionOf(table, 'mirrored')}()`,
    `drop function if exists ${functionOf(table, 'carry')}(${own(table.table)}, boolean)`,
    `alter table ${own(table.table)} drop column if exists ${id}`,
  ];
}
