// Which prop holds the values of a column.

import type { PropType } from '../sql/description.ts';
import type { CatalogColumn } from './catalog.ts';

const kNumbers = /^(smallint|integer|bigint|real|double precision)$/;
const kTexts = /^(text|character varying(\(\d+\))?|character(\(\d+\))?|citext|uuid)$/;
const kTimes = /^(timestamp(\(\d\))? with(out)? time zone|date)$/;

/** The digits of a number with a fixed number of them; null: of another type, or any number. */
function digitsOf(type: string): number | null {
  const [, digits] = /^numeric\((\d+),\d+\)$/.exec(type) ?? [];
  return digits === undefined ? null : Number(digits);
}

/** Null: no prop can hold it. */
export function propTypeOf({ type, kind }: CatalogColumn): PropType | null {
  if (kind === 'e') return 'enum';
  if (kNumbers.test(type)) return 'number';
  // More digits would not come back as they were.
  if ((digitsOf(type) ?? 99) <= 15) return 'number';
  if (kTexts.test(type)) return 'string';
  if (kTimes.test(type)) return 'date';
  if (type === 'boolean') return 'boolean';
  if (type === 'bytea') return 'bytes';
  return type === 'json' || type === 'jsonb' ? 'json' : null;
}
