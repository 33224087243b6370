// The value of an unwritten prop: its default, if the prop may not be null (AbsentValue in src/model/schema.h is the
// same rule for the core). The column is NOT NULL with this DEFAULT, so that rows inserted by a node of an older
// release, which does not know the column, have it too.

import type { PropDescription, SchemaDescription } from './description.ts';
import { quoteText } from './names.ts';
import { fromPlain, type SqlColumn } from './tables.ts';

/** The default of a prop that may not be null; otherwise null. */
export function absentValue(prop: PropDescription): unknown {
  return prop.optional === true ? null : (prop.default ?? null);
}

export function sameAbsent(a: PropDescription, b: PropDescription): boolean {
  return JSON.stringify(absentValue(a)) === JSON.stringify(absentValue(b));
}

export function findProp(
  schema: SchemaDescription | null,
  table: string,
  prop: string,
): PropDescription | undefined {
  const { props = [] } = schema?.tables.find(({ name }) => name === table) ?? {};
  return props.find(({ name }) => name === prop);
}

/** Removes the wire's envelope of a date, of bytes or of an enum's member: a description may have either form. */
function unwrapped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$type' in value)) return value;
  return (value as { v?: unknown }).v;
}

/** A value as an expression for a column's DEFAULT. */
export function constant(column: SqlColumn, value: unknown): string {
  if (value === null) return 'null';
  if (column.type === 'json' || column.type === 'class') {
    return `${quoteText(JSON.stringify(value))}::json`;
  }
  const plain = quoteText(String(unwrapped(value)));
  switch (column.type) {
    case 'number':
    case 'date':
      return fromPlain(column, `${plain}::double precision`);
    case 'boolean':
      return `${plain}::boolean`;
    default:
      return fromPlain(column, `${plain}::text`);
  }
}

/** The end of a column's declaration. */
export function defaultClause(column: SqlColumn, prop: PropDescription): string {
  const absent = absentValue(prop);
  return absent === null ? '' : ` default ${constant(column, absent)} not null`;
}

/** Whether the column holds another value than this, or nothing: json has no comparison operator. */
export function differs(column: SqlColumn, value: unknown): string {
  const isJson = column.type === 'json' || column.type === 'class';
  const cast = isJson ? '::text' : '';
  return `t.${column.name}${cast} is distinct from (${constant(column, value)})${cast}`;
}
