// Bounds of memberships. A new realm comes to a client with all of its members in one answer, and every realm of a user
// is in the cursors of each of their pulls. Beyond these bounds a pull could not be answered: also that of somebody who
// was invited without being asked.

import { isRealmName } from '../auth/user.ts';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { Queryable } from '../db/database.ts';
import { kMembers, membershipId, type Role } from '../sql/members.ts';
import type { Refusal, Unit } from './locks.ts';

interface Place {
  readonly realm: string;
  readonly user: string;
  /** Whether the op may add it, and not only change or remove it. */
  readonly adds: boolean;
}

/** Of the memberships that are asked for: those that are there, and how many each realm and each user has. */
interface Present {
  readonly roles: ReadonlyMap<string, Role>;
  readonly inRealm: ReadonlyMap<string, number>;
  readonly ofUser: ReadonlyMap<string, number>;
}

const keyOf = ({ realm, user }: Omit<Place, 'adds'>) => membershipId(realm, user);

/** The memberships that the update's ops are about. */
function placesOf({ update }: Unit): Place[] {
  return (Array.isArray(update.ops) ? update.ops : []).flatMap((op) => {
    if (!isObject(op) || op.table !== kMembers) return [];
    const { realm, id } = op;
    // The authority refuses what is no membership.
    if (!isRealmName(realm) || !isRealmName(id) || !id.startsWith(`${realm}/`)) return [];
    const user = id.slice(realm.length + 1);
    return [{ realm, user, adds: op.op !== 'update' && op.op !== 'delete' }];
  });
}

async function readPresent(
  tx: Queryable,
  asked: readonly Place[],
  authors: readonly string[],
): Promise<Present> {
  const realms = [...new Set(asked.map(({ realm }) => realm))];
  const users = [...new Set(asked.map(({ user }) => user))];
  const places = [...asked, ...realms.flatMap((realm) => authors.map((user) => ({ realm, user })))];
  const keys = new Map(
    places.map((place) => [keyOf(place), { realm: place.realm, id: keyOf(place) }]),
  );
  const [row] = await tx.query<Record<'roles' | 'realms' | 'users', string>>(
    `select
       (select coalesce(json_agg(json_build_array(m.id, m."role")), '[]')
          from json_to_recordset($1::text::json) as k(realm text, id text)
          cross join lateral (select m.id, m."role" from skerry.membership m
                               where m.realm = k.realm and m.id = k.id and m.deleted_at is null limit 1) m)::text as roles,
       (select coalesce(json_agg(json_build_array(k.realm, (
            select count(*) from (
              select 1 from skerry.membership m where m.realm = k.realm and m.deleted_at is null
               limit ${limits.membersPerRealm}) n))), '[]')
          from json_array_elements_text($2::text::json) as k(realm))::text as realms,
       (select coalesce(json_agg(json_build_array(k."user", (
            select count(*) from (
              select 1 from skerry.membership m where m."user" = k."user" and m.deleted_at is null
               limit ${limits.realmsPerUser}) n))), '[]')
          from json_array_elements_text($3::text::json) as k("user"))::text as users`,
    [[...keys.values()], realms, users].map((list) => JSON.stringify(list)),
  );
  if (row === undefined) throw new Error('The database counted no memberships.');
  return {
    roles: new Map(JSON.parse(row.roles) as [string, Role][]),
    inRealm: new Map(JSON.parse(row.realms) as [string, number][]),
    ofUser: new Map(JSON.parse(row.users) as [string, number][]),
  };
}

/** Whether the author may, if no unit before changes it. Nobody else learns how many there are: the authority refuses them. */
function mayInvite({ user }: Unit, realm: string, { roles, inRealm }: Present): boolean {
  return (
    user.grants.get(realm) === 'own' ||
    roles.get(membershipId(realm, user.id)) === 'owner' ||
    inRealm.get(realm) === 0
  );
}

interface Fault {
  readonly realm: string;
  readonly detail: string;
}

/** Memberships that are added one after the other: as many as there can be at most. */
class Tally {
  readonly #added: Set<string>;
  #inRealm: ReadonlyMap<string, number>;
  #ofUser: ReadonlyMap<string, number>;

  constructor(present: Present) {
    this.#added = new Set(present.roles.keys());
    this.#inRealm = present.inRealm;
    this.#ofUser = present.ofUser;
  }

  /** Why the unit's memberships find no room; or null, and they are counted. */
  add(unit: Unit, places: readonly Place[]): Fault | null {
    const inRealm = new Map(this.#inRealm);
    const ofUser = new Map(this.#ofUser);
    const fresh = new Set<string>();
    for (const place of places) {
      const { realm, user, adds } = place;
      const key = keyOf(place);
      if (!adds || this.#added.has(key) || fresh.has(key)) continue;
      fresh.add(key);
      const members = (inRealm.get(realm) ?? 0) + 1;
      if (members > limits.membersPerRealm)
        return { realm, detail: `a realm may have ${limits.membersPerRealm} members` };
      inRealm.set(realm, members);
      const realms = (ofUser.get(user) ?? 0) + 1;
      const most = user === unit.user.id ? limits.realmsPerUser : limits.invitationsPerUser;
      if (realms > most) return { realm, detail: `a user may be a member of ${most} realms` };
      ofUser.set(user, realms);
    }
    for (const key of fresh) this.#added.add(key);
    this.#inRealm = inRealm;
    this.#ofUser = ofUser;
    return null;
  }
}

export interface Bounded {
  readonly refuse: readonly Refusal[];
  /** The first unit that is left for the next transaction: whether there is room depends on those before it. */
  readonly end: number;
}

/** The units that would make too many members of a realm, or too many realms of a user. */
export async function boundMembers(tx: Queryable, units: readonly Unit[]): Promise<Bounded> {
  const all = units.map(placesOf);
  const asked = all.flat();
  const refuse: Refusal[] = [];
  if (!asked.some(({ adds }) => adds)) return { refuse, end: units.length };
  const authors = new Set(units.map(({ user }) => user.id));
  const present = await readPresent(tx, asked, [...authors]);
  const tally = new Tally(present);
  const before = { realms: new Set<string>(), users: new Set<string>() };
  for (const [i, unit] of units.entries()) {
    const places = all[i] ?? [];
    const fault = tally.add(unit, places);
    if (fault === null) {
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
    const { realm, detail } = fault;
    if (!mayInvite(unit, realm, present)) continue;
    refuse.push({ client: unit.client, id: String(unit.update.id), code: 'limit', detail });
  }
  return { refuse, end: units.length };
}
