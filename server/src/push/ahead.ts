// The rows that a transaction reads before the authority asks for them: those that its updates name, and the memberships of
// their authors. Of a realm that an author may not read nothing is read, so that neither an answer, nor a limit of what
// may be read, nor the time depends on what is in it.

import type { Queryable } from '../db/database.ts';
import { isFoundable } from '../rights/rights.ts';
import { kMembers, membershipId, readMembershipsAt } from '../sql/members.ts';
import type { RowBudget } from '../sql/row-budget.ts';
import { type KeyFor, type RowKey, rowsById } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import { realmsNamed } from '../wire/updates.ts';
import type { Refusal } from './locks.ts';
import type { Surveyed } from './surveyed.ts';

export interface Ahead {
  /** Lists without brackets. */
  readonly rows: readonly string[];
  /** Those that were looked for: if they are not among the rows, they do not exist. */
  readonly looked: readonly RowKey[];
}

/** The keys, each once, with the users whose membership it needs to be read. */
class Keys {
  readonly #keys = new Map<string, { readonly key: RowKey; users: Set<string> | null }>();

  /** `user`: null if no membership is needed. */
  add(key: RowKey, user: string | null): void {
    const name = key.join('\0');
    const known = this.#keys.get(name);
    if (known === undefined)
      this.#keys.set(name, { key, users: user === null ? null : new Set([user]) });
    else if (user === null) known.users = null;
    else known.users?.add(user);
  }

  all(): KeyFor[] {
    return [...this.#keys.values()].map(({ key, users }) => ({
      key,
      users: users === null ? null : [...users],
    }));
  }
}

/** The rows that the updates name, and the memberships that their authors need. */
function keysOf(units: readonly Surveyed[], refuse: readonly Refusal[]): KeyFor[] {
  const keys = new Keys();
  for (const { client, user, update, names } of units) {
    for (const realm of realmsNamed(update)) {
      if (isFoundable(realm)) keys.add([realm, kMembers, membershipId(realm, user.id)], null);
    }
    // It is refused, perhaps because its rows are too many: they are not read again.
    if (refuse.some((one) => one.client === client && one.id === update.id)) continue;
    for (const [realm, tables] of Object.entries(names.rows)) {
      const isGranted = user.grants.has(realm);
      if (!isGranted && !isFoundable(realm)) continue;
      for (const [table, ids] of Object.entries(tables))
        for (const id of ids) keys.add([realm, table, id], isGranted ? null : user.id);
    }
  }
  return keys.all();
}

/** Which users are members of which realms, as ids of memberships. */
async function readMembers(tx: Queryable, keys: readonly KeyFor[]): Promise<ReadonlySet<string>> {
  const pairs = new Map<string, string>();
  for (const { key, users } of keys) {
    for (const user of users ?? []) pairs.set(membershipId(key[0], user), key[0]);
  }
  if (pairs.size === 0) return new Set();
  const places = [...pairs].map(([id, realm]) => ({ id, realm }));
  const found = await readMembershipsAt(tx, places);
  return new Set([...found].filter(([, { isPending }]) => !isPending).map(([id]) => id));
}

/** Both statements see the same memberships, because the realms are locked. */
export async function readAhead(
  tx: Queryable,
  units: readonly Surveyed[],
  refuse: readonly Refusal[],
  { schema, budget }: { readonly schema: SqlSchema; readonly budget: RowBudget },
): Promise<Ahead> {
  const keys = keysOf(units, refuse);
  const [members, rows] = await Promise.all([
    readMembers(tx, keys),
    rowsById(tx, schema, keys, budget),
  ]);
  const isLooked = ({ key: [realm], users }: KeyFor) =>
    users === null || users.some((user) => members.has(membershipId(realm, user)));
  return { rows, looked: keys.filter(isLooked).map(({ key }) => key) };
}
