// Checks what a comparison asks for (docs/protocol.md, "`POST /v1/diff`") before any work begins.

import { isRealmName } from '../auth/user.ts';
import { diffLimits } from '../base/diff-limits.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { DiffPart } from '../base/wire-types.ts';
import { isStorable } from '../db/database.ts';
import { cursorsOf, scopesOf } from './pulls.ts';

function bad(detail: string): Problem {
  return new Problem('bad_request', detail);
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && isStorable(value);
const isId = (value: unknown): value is string =>
  typeof value === 'string' && isStorable(value) && Buffer.byteLength(value) <= limits.idBytes;
const isSum = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{1,16}$/.test(value);
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isBucket = (value: unknown) => isCount(value) && value < kBuckets;

const kBuckets = 256;

function listOf<Item>(
  list: unknown,
  fits: (item: unknown) => boolean,
  name: string,
  most: number,
): Item[] {
  if (!Array.isArray(list) || !list.every(fits)) throw bad(`\`${name}\` of a part is wrong.`);
  if (list.length > most) throw new Problem('limit', `\`${name}\` of a part is too long.`);
  return list as Item[];
}

function partOf(part: unknown): DiffPart {
  if (!isObject(part)) throw bad('`tables` is not a list of parts of tables.');
  const { realm, table, props, above = '', upto = null, count = 0, sums, rows, buckets } = part;
  if (!isRealmName(realm) || !isName(table)) throw bad('A part names no realm, or no table.');
  if (above !== '' && !isId(above)) throw bad('`above` of a part is no id.');
  if (upto !== null && !isId(upto)) throw bad('`upto` of a part is no id.');
  if (!isCount(count)) throw bad('`count` of a part is no number of rows.');
  const known = {
    ...{ realm, table, above, upto, count },
    props: listOf<string>(props, isName, 'props', diffLimits.props),
  };
  if (rows === undefined || rows === null) {
    const given = listOf<string>(sums, isSum, 'sums', kBuckets);
    if (given.length !== kBuckets) throw bad('A part has neither `rows` nor 256 `sums`.');
    return { ...known, sums: given };
  }
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length === 2 && isId(row[0]) && isSum(row[1]);
  return {
    ...known,
    rows: listOf<readonly [string, string]>(rows, isRow, 'rows', diffLimits.listed),
    ...(buckets === undefined || buckets === null
      ? {}
      : { buckets: listOf<number>(buckets, isBucket, 'buckets', kBuckets) }),
  };
}

/** The body of a comparison, reduced to the members known here. */
export interface CheckedDiff {
  readonly schema: unknown;
  readonly cursors: Readonly<Record<string, string>>;
  readonly scopes: readonly unknown[];
  readonly parts: readonly DiffPart[];
}

export function diffOf({ schema, cursors = {}, scopes = [], tables }: JsonObject): CheckedDiff {
  if (!Array.isArray(tables)) throw bad('`tables` is not a list of parts of tables.');
  if (tables.length > diffLimits.parts)
    throw new Problem('limit', `A comparison may have ${diffLimits.parts} parts.`);
  return {
    schema,
    cursors: cursorsOf(cursors),
    scopes: scopesOf(scopes),
    parts: tables.map(partOf),
  };
}
