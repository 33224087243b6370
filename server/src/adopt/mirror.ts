// The triggers that keep an adopted table and its table of Skerry the same. Each carries a change to the other table only if that has other
// values, so that none answers the other for ever; and what defaults and triggers of the application make of a row comes back.

import { quoteName, quoteText } from '../sql/names.ts';
import type { CatalogColumn } from './catalog.ts';
import {
  type AdoptedProp,
  type AdoptedTable,
  kIdColumn,
  mirrorName,
  realmExpression,
} from './plan.ts';

const own = (table: string) => `public.${quoteName(table)}`;
const id = quoteName(kIdColumn);

interface Parts {
  readonly tables: ReadonlyMap<string, AdoptedTable>;
  readonly of: (table: string, column: string) => CatalogColumn;
  /** The column of a prop in the table of Skerry, quoted. */
  readonly columnOf: (table: AdoptedTable, prop: AdoptedProp) => string;
}

function targetOf({ tables }: Parts, { ref }: AdoptedProp): AdoptedTable {
  const found = [...tables.values()].find(({ name }) => name === ref?.table);
  if (found === undefined) throw new Error(`${ref?.table} is not adopted.`);
  return found;
}

/** A value of the adopted table as one of Skerry's. */
function toSkerry(parts: Parts, table: AdoptedTable, prop: AdoptedProp, row: string): string {
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
function toAdopted(parts: Parts, table: AdoptedTable, prop: AdoptedProp, row: string): string {
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

/** Values are compared as texts where their type has no equality. */
function comparable({ type }: AdoptedProp, expression: string): string {
  return type === 'json' ? `(${expression})::jsonb` : expression;
}

function differing(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([left, right]) => `${left} is distinct from ${right}`).join(' or ');
}

/** The function of the triggers on the adopted table. */
function fromAdopted(parts: Parts, table: AdoptedTable): string {
  const mirror = own(mirrorName(table.table));
  const columns = table.props.map((prop) => parts.columnOf(table, prop));
  const values = table.props.map((prop) => toSkerry(parts, table, prop, 'new'));
  const differs = differing([
    ['s.realm', 'its_realm'],
    ...table.props.map(
      (prop, i) =>
        [comparable(prop, `s.${columns[i]}`), comparable(prop, values[i] as string)] as const,
    ),
  ]);
  const set = columns.map((column, i) => `, ${column} = ${values[i]}`).join('');
  return `#variable_conflict use_variable
   declare
     its_realm text;
   begin
     if tg_op = 'DELETE' then
       delete from ${mirror} s where s.id = old.${id} and s.deleted_at is null;
       return null;
     end if;
     its_realm := ${realmExpression(table, 'new')};
     -- A row of nobody is seen by nobody.
     if its_realm is null then
       delete from ${mirror} s where s.id = new.${id} and s.deleted_at is null;
       return null;
     end if;
     if exists (select 1 from ${mirror} s where s.id = new.${id} and s.deleted_at is null) then
       update ${mirror} s set realm = its_realm${set}
        where s.id = new.${id} and s.deleted_at is null and (${differs});
     else
       insert into ${mirror} (${['id', 'realm', ...columns].join(', ')})
       values (${[`new.${id}`, 'its_realm', ...values].join(', ')});
     end if;
     return null;
   end`;
}

/** What the realm says of columns: by column, an expression of type text over \`its_parts\`. */
function columnsOfRealm({ realm }: AdoptedTable): readonly string[] {
  return realm.kind === 'template' ? realm.parts.filter((_, i) => i % 2 === 1) : [];
}

function realmPattern({ realm }: AdoptedTable): string {
  if (realm.kind !== 'template') return '^.*$';
  const escaped = realm.parts.map((part, i) =>
    i % 2 === 1 ? '(.+)' : part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
  );
  return `^${escaped.join('')}$`;
}

/** The function of the triggers on the table of Skerry. */
function fromSkerry(parts: Parts, table: AdoptedTable): string {
  const adopted = own(table.table);
  const form =
    table.realm.kind === 'template'
      ? table.realm.parts.map((part, i) => (i % 2 === 0 ? part : `{${part}}`)).join('')
      : '';
  const ofRealm = columnsOfRealm(table);
  const columns = [...ofRealm, ...table.props.map(({ column }) => column)];
  const values = [
    ...ofRealm.map((column, i) => `its_parts[${i + 1}]::${parts.of(table.table, column).cast}`),
    ...table.props.map((prop) => toAdopted(parts, table, prop, 'new')),
  ];
  const differs = differing(
    columns.map((column, i) => {
      const prop = table.props.find((each) => each.column === column);
      const wrap = (text: string) => (prop === undefined ? text : comparable(prop, text));
      return [wrap(`a.${quoteName(column)}`), wrap(values[i] as string)] as const;
    }),
  );
  const checkRealm =
    table.realm.kind === 'template'
      ? `its_parts := regexp_match(new.realm, ${quoteText(realmPattern(table))});
     if its_parts is null then
       raise exception using message = ${quoteText(`${table.name}: its rows are in realms of the form ${form}.`)};
     end if;`
      : `if new.realm is distinct from (
         select p.realm from ${own(mirrorName(table.realm.target))} p
          where p.deleted_at is null and p.id = new.${parentColumn(parts, table)} limit 1) then
       raise exception using message = ${quoteText(`${table.name}: a row is in the realm of the row that ${table.realm.column} names.`)};
     end if;`;
  const set = columns.map((column, i) => `${quoteName(column)} = ${values[i]}`).join(', ');
  return `declare
     its_parts text[];
   begin
     if new.deleted_at is not null then
       if new.moved_to is null then delete from ${adopted} a where a.${id} = new.id; end if;
       return null;
     end if;
     ${checkRealm}
     if exists (select 1 from ${adopted} a where a.${id} = new.id) then
       update ${adopted} a set ${set} where a.${id} = new.id and (${differs});
     else
       insert into ${adopted} (${[id, ...columns.map(quoteName)].join(', ')}) values (${['new.id', ...values].join(', ')});
     end if;
     return null;
   end`;
}

function parentColumn(parts: Parts, table: AdoptedTable): string {
  const { realm } = table;
  const prop = table.props.find((each) => realm.kind === 'parent' && each.column === realm.column);
  if (prop === undefined) throw new Error(`${table.table} has no prop of its parent.`);
  return parts.columnOf(table, prop);
}

const functionOf = (table: AdoptedTable, side: 'adopted' | 'mirrored') =>
  `skerry.${quoteName(`${side} ${table.table}`)}`;

/** The statements that keep both tables the same from now on, after both were made. `path`: of search-path.ts. */
export function mirroring(parts: Parts, table: AdoptedTable, path: string): string[] {
  const settings = `language plpgsql security definer ${path} set "TimeZone" = 'UTC'`;
  return [
    `create function ${functionOf(table, 'adopted')}() returns trigger ${settings} as $$ ${fromAdopted(parts, table)} $$`,
    `create function ${functionOf(table, 'mirrored')}() returns trigger ${settings} as $$ ${fromSkerry(parts, table)} $$`,
    `create trigger skerry_adopted after insert or update or delete on ${own(table.table)}
       for each row execute function ${functionOf(table, 'adopted')}()`,
    `create trigger skerry_truncated before truncate on ${own(table.table)}
       for each statement execute function skerry.refuse_truncate(${quoteText(table.table)})`,
    `create trigger skerry_mirrored after insert or update on ${own(mirrorName(table.table))}
       for each row execute function ${functionOf(table, 'mirrored')}()`,
  ];
}

/** Fills the table of Skerry from the adopted one. */
export function copying(parts: Parts, table: AdoptedTable): string {
  const columns = table.props.map((prop) => parts.columnOf(table, prop));
  const values = table.props.map((prop) => toSkerry(parts, table, prop, 'a'));
  return `insert into ${own(mirrorName(table.table))} (${['id', 'realm', ...columns].join(', ')})
    select ${[`a.${id}`, 'r.realm', ...values].join(', ')}
      from ${own(table.table)} a cross join lateral (select ${realmExpression(table, 'a')} as realm) r where r.realm is not null`;
}

/** The statements that take all of it away. The adopted table is as it was before, with what was written meanwhile. */
export function unmirroring(table: Pick<AdoptedTable, 'table'>): string[] {
  const named = table as AdoptedTable;
  return [
    `drop trigger if exists skerry_adopted on ${own(table.table)}`,
    `drop trigger if exists skerry_truncated on ${own(table.table)}`,
    `drop table if exists ${own(mirrorName(table.table))}`,
    `drop function if exists ${functionOf(named, 'adopted')}()`,
    `drop function if exists ${functionOf(named, 'mirrored')}()`,
    `alter table ${own(table.table)} drop column if exists ${id}`,
  ];
}
