// Which realms one answer begins: all members of a realm that is new to the client, and all of its rows in scopes that have begun,
// are in one answer. So those beyond a number, or with too many members or rows in all, wait for the next one.

import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { PullRequest } from '../cost/pull-cost.ts';
import type { Queryable } from '../db/database.ts';
import { isFoundable } from '../rights/rights.ts';
import { countMemberships } from '../sql/members.ts';

type Cursors = PullRequest['cursors'];

const kCursor = /^(\d{1,15})@(\d{1,16})$/;

/**
 * The realms whose cursors are at their beginning, or belong to another history than the log has (after a restore, or because the
 * caller has made them up): they are sent like new ones. Those that the log has forgotten are not among them.
 */
async function begunAgain(
  tx: Queryable,
  realms: readonly string[],
  cursors: Cursors,
): Promise<Set<string>> {
  const known = realms.flatMap((realm) => {
    const [, revision, at] = kCursor.exec(cursors[realm] ?? '') ?? [];
    return revision === undefined ? [] : [{ realm, revision, at }];
  });
  if (known.length === 0) return new Set();
  const rows = await tx.query<{ realm: string }>(
    `select k.realm from json_to_recordset($1::text::json) as k(realm text, revision bigint, at bigint)
       left join lateral (select l.at from skerry.log l
                           where l.realm = k.realm and l.revision = k.revision limit 1) l on true
       left join lateral (select r.floor from skerry.realm r where r.realm = k.realm limit 1) r on true
      where k.revision = 0 or (l.at is distinct from k.at and k.revision >= coalesce(r.floor, 0))`,
    [JSON.stringify(known)],
  );
  return new Set(rows.map(({ realm }) => realm));
}

/**
 * How many rows of each realm are read at once if it is new to the client: those of scopes that have begun come with it, and
 * of the others an image may be made.
 */
async function rowsAtOnce(
  tx: Queryable,
  realms: readonly string[],
  { scopes, images }: PullRequest,
): Promise<Map<string, number>> {
  const hasBegun = scopes.some((scope) => isObject(scope) && scope.filled !== false);
  if (!hasBegun && images === false) return new Map();
  const rows = await tx.query<{ realm: string; rows: string }>(
    `select k.realm, r.rows::text as rows from json_array_elements_text($1::text::json) as k(realm)
      cross join lateral (select r.rows from skerry.realm r where r.realm = k.realm limit 1) r`,
    [JSON.stringify(realms)],
  );
  return new Map(rows.map((row) => [row.realm, Number(row.rows)]));
}

/** The realms that an answer is about, and those that wait for the next one. */
export async function withFewNew(
  tx: Queryable,
  realms: readonly string[],
  request: PullRequest,
  cursors: Cursors,
): Promise<{ readonly readable: readonly string[]; readonly waiting: readonly string[] }> {
  if (realms.length < 2) return { readable: realms, waiting: [] };
  const again = await begunAgain(tx, realms, cursors);
  const all = realms.filter((realm) => !Object.hasOwn(cursors, realm) || again.has(realm));
  if (all.length < 2) return { readable: realms, waiting: [] };
  const waiting = new Set(all.slice(limits.newRealmsPerPull));
  const fresh = all.slice(0, limits.newRealmsPerPull);
  const most = limits.membersPerPull;
  const counts = await countMemberships(tx, 'realm', fresh.filter(isFoundable), most + 1);
  const rowsOf = await rowsAtOnce(tx, fresh, request);
  let members = 0;
  let rows = 0;
  for (const [i, realm] of fresh.entries()) {
    members += counts.get(realm) ?? 0;
    rows += rowsOf.get(realm) ?? 0;
    if (i > 0 && (members > most || rows > limits.newRowsPerPull)) waiting.add(realm);
  }
  return { readable: realms.filter((realm) => !waiting.has(realm)), waiting: [...waiting] };
}
