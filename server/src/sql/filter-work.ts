// What it takes to test rows against a filter, in comparisons: so that a page looks at so many rows only. It is an
// estimate by kinds of parts; the core has bounded the filter itself (src/model/filter_cost.h).

import { isObject } from '../base/json.ts';
import { columnOfProp, type SqlTable } from './tables.ts';

/** A comparison of long texts counts once for so many bytes. */
const kBytesPerComparison = 32;
/** `like`, and a look at the values of a sub-select. */
const kLike = 20;
const kSelect = 20;
/** `like` may scan a text again for each character of a pattern, of which most are cheap. */
const kCharactersAtOnce = 8;
/** A text is compared with a short one by their lengths. */
const kShort = 1_000;

const kLists = new Set(['and', 'or', 'not']);

interface FilterCost {
  /** Comparisons of a row with short texts. */
  fixed: number;
  /** How often the text of a column is read, by its name. */
  readonly texts: Map<string, number>;
}

function partsOf(where: unknown): readonly unknown[][] {
  const parts: unknown[][] = [];
  const waiting: unknown[] = [where];
  for (let filter = waiting.pop(); filter !== undefined; filter = waiting.pop()) {
    if (!Array.isArray(filter)) continue;
    const [kind, ...rest] = filter as unknown[];
    if (kLists.has(String(kind))) waiting.push(...rest);
    else parts.push(filter);
  }
  return parts;
}

/** How many times a part reads the text that it compares. */
function readsOf(kind: unknown, value: unknown): number {
  if (value === null || kind === 'true') return 0;
  if (kind === 'like') return Math.ceil(String(value).length / kCharactersAtOnce);
  if (kind === '=' || kind === '!=') return String(value).length > kShort ? 1 : 0;
  return 1;
}

function workOf(table: SqlTable, where: unknown): FilterCost {
  const work: FilterCost = { fixed: 1, texts: new Map() };
  for (const [kind, prop, value] of partsOf(where)) {
    work.fixed += kind === 'like' ? kLike : kind === 'in' ? kSelect : 1;
    const column = columnOfProp(table, prop);
    const isLong = ['string', 'enum', 'ref', 'bytes'].includes(column?.type ?? '');
    const reads = isLong ? readsOf(kind, value) : 0;
    if (column === undefined || reads === 0) continue;
    work.texts.set(column.name, (work.texts.get(column.name) ?? 0) + reads);
  }
  return work;
}

/** About how many comparisons it takes to test the row `alias`: an SQL expression. The length of a text is known unread. */
export function rowWork(table: SqlTable, alias: string, where: unknown): string {
  const { fixed, texts } = workOf(table, where);
  const long = [...texts].map(
    ([name, reads]) =>
      `coalesce(octet_length(${alias}.${name}) / ${kBytesPerComparison} * ${reads}::bigint, 0)`,
  );
  return [`${fixed}::bigint`, ...long].join(' + ');
}

/** Whether every row matches. */
export function isEverything(where: unknown): boolean {
  return Array.isArray(where) && where[0] === 'true';
}

/**
 * A part that every matching row meets, and by which an index has rows in the order of their ids: a prop with an index
 * that equals a value. Null: there is none.
 */
export function keyPart(table: SqlTable, where: unknown): unknown[] | null {
  if (!Array.isArray(where)) return null;
  const [kind, ...rest] = where as unknown[];
  if (kind === 'and') {
    for (const part of rest) {
      const found = keyPart(table, part);
      if (found !== null) return found;
    }
    return null;
  }
  const [prop, value] = rest;
  if (kind !== '=' || value === null || value === undefined) return null;
  if (Array.isArray(value) || (isObject(value) && value.$type === undefined)) return null;
  return columnOfProp(table, prop)?.isIndexed === true ? where : null;
}
