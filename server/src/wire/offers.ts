// Checks what a client gives back to a restored server (docs/protocol.md, "`POST /v1/offer`") before any work begins.

import { isRealmName } from '../auth/user.ts';
import type { JsonObject } from '../base/json.ts';
import { offerLimits } from '../base/offer-limits.ts';
import { Problem } from '../base/problem.ts';

/** An entry of a log: in the history that is lost, how far the client knew that. */
export interface LogPlace {
  readonly revision: number;
  /** Of the server's clock, ms. */
  readonly at: number;
}

export interface CheckedOffers {
  /** Of the client's schema. */
  readonly version: number;
  readonly realm: string;
  readonly cursor: LogPlace;
  /** What earlier answers were given at: the log must have all of it. */
  readonly given: readonly LogPlace[];
  /** Each as the client has sent it; the authority reads them. */
  readonly ops: readonly unknown[];
  /** Of each, when the row was changed last, ms. */
  readonly times: readonly number[];
}

function bad(detail: string): Problem {
  return new Problem('bad_request', detail);
}

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function placeOf(cursor: unknown): LogPlace {
  const [, revision, at] = /^(\d{1,15})@(\d{1,16})$/.exec(String(cursor)) ?? [];
  if (revision === undefined) throw bad('`cursor` is no cursor, or `given` is no list of cursors.');
  return { revision: Number(revision), at: Number(at) };
}

/** REQUIRES: the version of the schema was checked. */
export function offersOf({
  schema,
  realm,
  cursor,
  ops = [],
  times = [],
  given = [],
}: JsonObject): CheckedOffers {
  if (!isRealmName(realm)) throw bad('`realm` is no realm.');
  const place = placeOf(cursor);
  if (!Array.isArray(given)) throw bad('`given` is no list of cursors.');
  if (given.length > offerLimits.given)
    throw new Problem('limit', `At most ${offerLimits.given} cursors are given.`);
  if (!Array.isArray(ops) || !Array.isArray(times) || !times.every(isTime))
    throw bad('`ops` is not a list of offers, or `times` not a list of their times in ms.');
  if (ops.length !== times.length) throw bad('`times` has not as many items as `ops`.');
  if (ops.length > offerLimits.rows)
    throw new Problem('limit', `At most ${offerLimits.rows} rows are offered at once.`);
  return { version: schema as number, realm, cursor: place, ops, times, given: given.map(placeOf) };
}
