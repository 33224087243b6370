// The checks of rows that other programs write, as PL/pgSQL: what no client could read, or no push store, is refused by a sentence
// that names table and row.

import { foreignLimits } from '../base/foreign-limits.ts';
import { limits } from '../base/limits.ts';
import { kUuidPattern } from '../base/uuid.ts';
import type { TableDescription } from '../sql/description.ts';
import { quoteText } from '../sql/names.ts';
import { propsObject, type SqlColumn, type SqlTable } from '../sql/tables.ts';

/** `raise exception` with a sentence about the row, whose values are in `row`. */
export function refuse(table: SqlTable, row: 'new' | 'old', code: string, what: string): string {
  return `raise exception using errcode = '${code}', message = ${quoteText(`${table.table} `)} || ${row}.id || ${what};`;
}

/** A check of a new row. */
export interface RowCheck {
  /** Whether the row passes: cheap, because it is evaluated for every row. Null passes, too. */
  readonly passes: string;
  /** Statements for a row that does not: they raise an exception, or make the row right. */
  readonly otherwise: string;
}

/** The checks of a column's new value: what no client could read is refused. */
function columnCheck(
  table: SqlTable,
  column: SqlColumn,
  className: string | undefined,
): RowCheck[] {
  const value = `new.${column.name}`;
  const fail = (what: string) =>
    refuse(table, 'new', '22023', quoteText(`: ${column.prop} ${what}.`));
  switch (column.type) {
    case 'number':
      return [
        {
          passes: `${value} not in ('NaN', 'Infinity', '-Infinity')`,
          otherwise: fail('is not a finite number'),
        },
      ];
    case 'date':
      return [
        {
          passes: `isfinite(${value}) and ${value} = date_trunc('milliseconds', ${value}) and ${value} < ${kManyYears}`,
          otherwise: `if not isfinite(${value}) or skerry.to_ms(${value}) > ${foreignLimits.lastTimeMs} then
             ${fail('is a time that JavaScript does not have')}
           end if;
           ${value} := date_trunc('milliseconds', ${value});`,
        },
      ];
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
          : `if (${value} ->> '$type') is distinct from ${quoteText(className)} then
               ${fail(`is not of the class ${className}: JSON of the form {"$type", "v", "version"}`)}
             end if;`;
      return [
        {
          passes: `${value} is null`,
          otherwise: `fault := skerry.json_fault(${value});
           if fault is not null then ${fault} end if;
           ${kind}`,
        },
      ];
    }
    default:
      return [];
  }
}

/** Times before this are JavaScript's in any case. */
const kManyYears = `'9999-12-31 00:00:00Z'::timestamp with time zone`;

/** At most the bytes of the props as JSON: of texts, every byte may need an escape of six. */
function mostBytes(table: SqlTable): string {
  const names = table.columns.reduce((sum, { prop }) => sum + Buffer.byteLength(prop) + 32, 2);
  const parts = table.columns.flatMap((column) => {
    const name = `new.${column.name}`;
    switch (column.type) {
      case 'string':
      case 'enum':
      case 'ref':
        return [`coalesce(octet_length(${name}), 0) * 6::bigint`];
      case 'bytes':
        return [`coalesce(octet_length(${name}), 0) * 4::bigint / 3`];
      case 'json':
      case 'class':
        return [`coalesce(octet_length(${name}::text), 0)`];
      default:
        return [];
    }
  });
  return [String(names), ...parts].join(' + ');
}

function rowChecks(table: SqlTable): RowCheck[] {
  const form = table.uuids ? 'a UUID in lower case' : `text of 1 to ${limits.idBytes} bytes`;
  return [
    {
      passes: table.uuids
        ? `new.id is not null and new.id ~ ${quoteText(kUuidPattern)}`
        : `new.id is not null and octet_length(new.id) between 1 and ${limits.idBytes}`,
      otherwise: `raise exception using errcode = '22023', message = ${quoteText(`${table.table}: an id is ${form}, not `)}
           || coalesce(quote_literal(new.id), 'null') || '.';`,
    },
    {
      passes: `new.realm is not null and current_setting('skerry.checked_realm', true) is not distinct from
        pg_current_xact_id()::text || ' ' || new.realm`,
      otherwise: `perform skerry.check_realm(new.realm, ${quoteText(`${table.table} `)} || new.id);`,
    },
    {
      passes: `${mostBytes(table)} <= ${foreignLimits.objectBytes}`,
      otherwise: `if octet_length((${propsObject(table, 'new')})::text) > ${foreignLimits.objectBytes} then
           ${refuse(table, 'new', '54000', quoteText(`: its props have more than ${foreignLimits.objectBytes} bytes as JSON.`))}
         end if;`,
    },
    {
      passes: `new.created_at is not null and new.created_at = date_trunc('milliseconds', new.created_at)`,
      otherwise: `new.created_at := date_trunc('milliseconds', coalesce(new.created_at, clock_timestamp()));`,
    },
    { passes: 'new.moved_to is null', otherwise: 'new.moved_to := null;' },
  ];
}

/** What every row is checked for. */
export function checksOf(table: SqlTable, description: TableDescription): RowCheck[] {
  const classes = new Map(description.props.map((prop) => [prop.name, prop.class?.type] as const));
  return [
    ...rowChecks(table),
    ...table.columns.flatMap((column) => columnCheck(table, column, classes.get(column.prop))),
  ];
}

/** All checks as one expression, which nearly every row passes; then one by one. */
export function checking(checks: readonly RowCheck[]): string {
  const all = checks.map(({ passes }) => `(${passes}) is not false`).join(' and ');
  const each = checks.map(
    ({ passes, otherwise }) => `if (${passes}) is false then ${otherwise} end if;`,
  );
  return `if not (${all}) then
         ${each.join('\n         ')}
       end if;`;
}
