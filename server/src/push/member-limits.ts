// Bounds of memberships. A new realm comes to a client with all of its members in one answer, and every realm of a user
// is in the cursors of each of their pulls. Beyond these bounds a pull could not be answered. Invitations that wait count
// for nobody but their inviter.

import type { NamedMember } from '../authority/survey.ts';
import { Counts } from '../base/counts.ts';
import { limits } from '../base/limits.ts';
import { kNow } from '../db/clock.ts';
import type { Queryable } from '../db/database.ts';
import { rightIn } from '../rights/rights.ts';
import {
  countMemberships,
  type MembershipRow,
  membershipId,
  readMembershipsAt,
} from '../sql/members.ts';
import type { Refusal } from './locks.ts';
import type { Surveyed } from './surveyed.ts';

/** Whether the invited are asked: `consent`, or `direct` members at once. */
export type InvitationMode = 'consent' | 'direct';

interface SurveyedMember extends NamedMember {
  readonly id: string;
}

/** The memberships that there are. The counts grow by those that are added: there can be no more than that. */
interface MembershipCounts {
  /** By id, of the memberships that are named, and of the authors. */
  readonly rows: ReadonlyMap<string, MembershipRow>;
  readonly inRealm: Counts;
  readonly ofUser: Counts;
  /** Those that wait, by inviter. */
  readonly pending: Counts;
  /** Who has declined whose invitation not long ago, as `declinedKey`. */
  readonly declined: ReadonlySet<string>;
}

interface Fault {
  readonly realm: string;
  readonly code: 'limit' | 'forbidden';
  readonly detail: string;
}

const declinedKey = (user: string, inviter: string) => JSON.stringify([user, inviter]);

/** The memberships that the update's ops are about. */
function placesOf({ names }: Surveyed): SurveyedMember[] {
  return names.members.map((named) => ({ ...named, id: membershipId(named.realm, named.user) }));
}

async function readDeclined(
  tx: Queryable,
  pairs: readonly (readonly [user: string, inviter: string])[],
): Promise<Set<string>> {
  if (pairs.length === 0) return new Set();
  const rows = await tx.query<{ user: string; inviter: string }>(
    `select d.user_id as "user", d.inviter
       from json_to_recordset($1::text::json) as k("user" text, inviter text)
      cross join lateral (
        select d.* from skerry.declined d
         where d.user_id = k."user" and d.inviter = k.inviter and d.at > ${kNow} - ${limits.declinedMs} limit 1) d`,
    [JSON.stringify(pairs.map(([user, inviter]) => ({ user, inviter })))],
  );
  return new Set(rows.map(({ user, inviter }) => declinedKey(user, inviter)));
}

async function readPresent(
  tx: Queryable,
  units: readonly Surveyed[],
  all: readonly (readonly SurveyedMember[])[],
): Promise<MembershipCounts> {
  const places = all.flat();
  const realms = [...new Set(places.map(({ realm }) => realm))];
  const users = [...new Set(places.map(({ user }) => user))];
  const authors = [...new Set(units.map(({ user }) => user.id))];
  const named = new Map(places.map(({ id, realm }) => [id, realm]));
  for (const realm of realms)
    for (const author of authors) named.set(membershipId(realm, author), realm);
  const invited = units.flatMap(({ user: { id } }, i) =>
    (all[i] ?? [])
      .filter(({ adds, user }) => adds && user !== id)
      .map(({ user }) => [user, id] as const),
  );
  const [rows, inRealm, ofUser, pending, declined] = await Promise.all([
    readMembershipsAt(
      tx,
      [...named].map(([id, realm]) => ({ id, realm })),
    ),
    countMemberships(tx, 'realm', realms, limits.membersPerRealm),
    countMemberships(tx, 'user', users, limits.realmsPerUser),
    countMemberships(tx, 'by', authors, limits.pendingPerInviter),
    readDeclined(tx, invited),
  ]);
  return {
    ...{ rows, declined },
    ...{ inRealm: new Counts(inRealm), ofUser: new Counts(ofUser), pending: new Counts(pending) },
  };
}

/** The unit's new memberships, and those that it accepts. */
interface Fresh {
  readonly added: readonly SurveyedMember[];
  readonly accepted: readonly SurveyedMember[];
}

/** Why they find no room, or null. */
function faultOf(
  unit: Surveyed,
  { added, accepted }: Fresh,
  { inRealm, ofUser, pending, declined }: MembershipCounts,
  invitations: InvitationMode,
): Fault | null {
  const author = unit.user.id;
  const [members, realms] = [new Counts(), new Counts()];
  let waiting = 0;
  const tooMany = (realm: string, detail: string): Fault => ({ realm, code: 'limit', detail });
  const hasRealms = (user: string, most: number) => {
    realms.add(user);
    return ofUser.of(user) + realms.of(user) <= most;
  };
  for (const { realm, user } of added) {
    members.add(realm);
    if (inRealm.of(realm) + members.of(realm) > limits.membersPerRealm)
      return tooMany(realm, `a realm may have ${limits.membersPerRealm} members`);
    const isOwn = user === author;
    if (isOwn || invitations === 'direct') {
      const most = isOwn ? limits.realmsPerUser : limits.invitationsPerUser;
      if (!hasRealms(user, most)) return tooMany(realm, `a user may be a member of ${most} realms`);
    } else if (pending.of(author) + ++waiting > limits.pendingPerInviter)
      return tooMany(realm, `${limits.pendingPerInviter} invitations of yours wait to be accepted`);
    if (declined.has(declinedKey(user, author)))
      return { realm, code: 'forbidden', detail: `${user} has declined an invitation of yours` };
  }
  for (const { realm, user } of accepted) {
    const most = limits.invitationsPerUser;
    if (!hasRealms(user, most)) return tooMany(realm, `a user may accept ${most} realms`);
  }
  return null;
}

/** Whether the author may invite to the realm. Others must not learn how many members it has: the authority refuses them. */
function mayInvite(
  { user }: Surveyed,
  realm: string,
  { rows, inRealm }: MembershipCounts,
): boolean {
  const isInvited = rows.get(membershipId(realm, user.id))?.isPending === true;
  return rightIn(user, realm, rows) === 'own' || isInvited || inRealm.of(realm) === 0;
}

export interface Bounded {
  readonly refuse: readonly Refusal[];
  /** The first unit that is left for the next transaction: whether there is room depends on those before it. */
  readonly end: number;
}

/** The units that would make too many members of a realm, too many realms of a user, or too many invitations. */
export async function boundMembers(
  tx: Queryable,
  units: readonly Surveyed[],
  invitations: InvitationMode,
): Promise<Bounded> {
  const all = units.map(placesOf);
  const refuse: Refusal[] = [];
  if (!all.flat().some(({ adds, accepts }) => adds || accepts))
    return { refuse, end: units.length };
  const present = await readPresent(tx, units, all);
  const known = new Set(present.rows.keys());
  const before = { realms: new Set<string>(), users: new Set<string>() };
  for (const [i, unit] of units.entries()) {
    const places = all[i] ?? [];
    const author = unit.user.id;
    const added = places.filter(({ id, adds }) => adds && !known.has(id));
    const fresh = {
      added: [...new Map(added.map((place) => [place.id, place])).values()],
      accepted: places.filter(({ accepts }) => accepts),
    };
    const fault = faultOf(unit, fresh, present, invitations);
    if (fault === null) {
      for (const { id, realm, user } of fresh.added) {
        known.add(id);
        present.inRealm.add(realm);
        if (user === author || invitations === 'direct') present.ofUser.add(user);
        else present.pending.add(author);
      }
      for (const { user } of fresh.accepted) present.ofUser.add(user);
      for (const { realm, user } of places) {
        before.realms.add(realm);
        before.users.add(user).add(author);
      }
      continue;
    }
    const depends = places.some(
      ({ realm, user }) =>
        before.realms.has(realm) || before.users.has(user) || before.users.has(author),
    );
    if (depends) return { refuse, end: i };
    if (!mayInvite(unit, fault.realm, present)) continue;
    const { client, update } = unit;
    refuse.push({ client, id: String(update.id), code: fault.code, detail: fault.detail });
  }
  return { refuse, end: units.length };
}
