// Which realms one answer begins: all members of a realm that is new to the client, and all of its rows in scopes that have begun,
// are in one answer. So those beyond a number, or with too many members or rows in all, wait for the next one.

import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { Queryable } from '../db/database.ts';
import { isFoundable } from '../rights/rights.ts';
import { countMemberships } from '../sql/members.ts';
import type { CheckedPull } from '../wire/pulls.ts';
import type { PullHeads } from './reads.ts';

type Cursors = CheckedPull['cursors'];

/** Whether rows of new realms are read: those of scopes that have begun, or of any for an image. */
function readsRows({ scopes, images }: CheckedPull): boolean {
  return images !== false || scopes.some((scope) => isObject(scope) && scope.filled !== false);
}

/** The realms, of all with these heads, that wait for the next answer. */
export async function waitingRealms(
  tx: Queryable,
  { realms, begunAgain }: PullHeads,
  request: CheckedPull,
  cursors: Cursors,
): Promise<readonly string[]> {
  const all = Object.keys(realms).filter(
    (realm) => !Object.hasOwn(cursors, realm) || begunAgain.has(realm),
  );
  if (all.length < 2) return [];
  const waiting = new Set(all.slice(limits.newRealmsPerPull));
  const fresh = all.slice(0, limits.newRealmsPerPull);
  const most = limits.membersPerPull;
  const counts = await countMemberships(tx, 'realm', fresh.filter(isFoundable), most + 1);
  const counted = readsRows(request);
  let members = 0;
  let rows = 0;
  for (const realm of fresh) {
    // What is empty is no reason to wait: a first visit has an own realm without rows, and a large one.
    const isFirst = members + rows === 0;
    members += counts.get(realm) ?? 0;
    rows += counted ? (realms[realm]?.rows ?? 0) : 0;
    const isTooMuch = members > most || rows > limits.newRowsPerPull;
    if (!isFirst && isTooMuch) waiting.add(realm);
  }
  return [...waiting];
}
