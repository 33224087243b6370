// Bounds of memberships. A new realm comes to a client with all of its members in one answer, and every realm of a user
// is in the cursors of each of their pulls. Beyond these bounds a pull could not be answered: also that of somebody who
// was invited without being asked.

import { isRealmName } from '../auth/user.ts';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Counts } from '../cost/counts.ts';
import type { Queryable } from '../db/database.ts';
import { countMemberships, kMembers, membershipId, type Role, readRoles } from '../sql/members.ts';
import type { Refusal, Unit } from './locks.ts';

interface Place {
  readonly id: string;
  readonly realm: string;
  readonly user: string;
  /** Whether the op may add it, and not only change or remove it. */
  readonly adds: boolean;
}

/** The memberships that there are. The counts grow by those that are added: there can be no more than that. */
interface Present {
  /** By id, of the memberships that are named, and of the authors. */
  readonly roles: ReadonlyMap<string, Role>;
  readonly inRealm: Counts;
  readonly ofUser: Counts;
}

interface Fault {
  readonly realm: string;
  readonly detail: string;
}

/** The memberships that the update's ops are about. */
function placesOf({ update }: Unit): Place[] {
  return (Array.isArray(update.ops) ? update.ops : []).flatMap((op) => {
    if (!isObject(op) || op.table !== kMembers) return [];
    const { realm, id } = op;
    // The authority refuses what is no membership.
    if (!isRealmName(realm) || !isRealmName(id) || !id.startsWith(`${realm}/`)) return [];
    const user = id.slice(realm.length + 1);
    return [{ id, realm, user, adds: op.op !== 'update' && op.op !== 'delete' }];
  });
}

async function readPresent(
  tx: Queryable,
  units: readonly Unit[],
  places: readonly Place[],
): Promise<Present> {
  const realms = [...new Set(places.map(({ realm }) => realm))];
  const users = [...new Set(places.map(({ user }) => user))];
  const authors = [...new Set(units.map(({ user }) => user.id))];
  const named = new Map(places.map(({ id, realm }) => [id, realm]));
  for (const realm of realms)
    for (const author of authors) named.set(membershipId(realm, author), realm);
  const [roles, inRealm, ofUser] = await Promise.all([
    readRoles(
      tx,
      [...named].map(([id, realm]) => ({ id, realm })),
    ),
    countMemberships(tx, 'realm', realms, limits.membersPerRealm),
    countMemberships(tx, 'user', users, limits.realmsPerUser),
  ]);
  return { roles, inRealm: new Counts(inRealm), ofUser: new Counts(ofUser) };
}

/** Why the unit's new memberships find no room, or null. */
function faultOf(unit: Unit, fresh: Iterable<Place>, { inRealm, ofUser }: Present): Fault | null {
  const [members, realms] = [new Counts(), new Counts()];
  for (const { realm, user } of fresh) {
    members.add(realm);
    realms.add(user);
    if (inRealm.of(realm) + members.of(realm) > limits.membersPerRealm)
      return { realm, detail: `a realm may have ${limits.membersPerRealm} members` };
    const most = user === unit.user.id ? limits.realmsPerUser : limits.invitationsPerUser;
    if (ofUser.of(user) + realms.of(user) > most)
      return { realm, detail: `a user may be a member of ${most} realms` };
  }
  return null;
}

/** Whether the author may invite to the realm. Others must not learn how many members it has: the authority refuses them. */
function mayInvite({ user }: Unit, realm: string, { roles, inRealm }: Present): boolean {
  return (
    user.grants.get(realm) === 'own' ||
    roles.get(membershipId(realm, user.id)) === 'owner' ||
    inRealm.of(realm) === 0
  );
}

export interface Bounded {
  readonly refuse: readonly Refusal[];
  /** The first unit that is left for the next transaction: whether there is room depends on those before it. */
  readonly end: number;
}

/** The units that would make too many members of a realm, or too many realms of a user. */
export async function boundMembers(tx: Queryable, units: readonly Unit[]): Promise<Bounded> {
  const all = units.map(placesOf);
  const refuse: Refusal[] = [];
  if (!all.flat().some(({ adds }) => adds)) return { refuse, end: units.length };
  const present = await readPresent(tx, units, all.flat());
  const known = new Set(present.roles.keys());
  const before = { realms: new Set<string>(), users: new Set<string>() };
  for (const [i, unit] of units.entries()) {
    const places = all[i] ?? [];
    const added = places.filter(({ id, adds }) => adds && !known.has(id));
    const fresh = new Map(added.map((place) => [place.id, place]));
    const fault = faultOf(unit, fresh.values(), present);
    if (fault === null) {
      for (const { id, realm, user } of fresh.values()) {
        known.add(id);
        present.inRealm.add(realm);
        present.ofUser.add(user);
      }
      for (const { realm, user } of places) {
        before.realms.add(realm);
        before.users.add(user);
      }
      continue;
    }
    const depends = places.some(
      ({ realm, user }) => before.realms.has(realm) || before.users.has(user),
    );
    if (depends) return { refuse, end: i };
    if (!mayInvite(unit, fault.realm, present)) continue;
    const { client, update } = unit;
    refuse.push({ client, id: String(update.id), code: 'limit', detail: fault.detail });
  }
  return { refuse, end: units.length };
}
