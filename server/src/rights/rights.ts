// What a caller may do in which realms: this decides, and nothing else. Sources are united: memberships, which are rows
// that the log orders, and the grants of the caller: the personal realm, the claims of the token, the application's
// `access`, and the realms that the configuration makes public (grants.ts). Everything that answers a caller asks
// `readRights`, in the snapshot of what it answers; pushes ask the authority, which reads the same memberships under the
// realms' locks (src/authority/scene.h). Grants belong to the request: two tokens of one user are each judged by their own.
//
// A realm that is named by a UUID exists once it was founded. No grant makes it.

import type { Right } from '../auth/user.ts';
import { limits } from '../base/limits.ts';
import { isUuid } from '../base/uuid.ts';
import type { Queryable } from '../db/database.ts';
import {
  kIsMember,
  kIsPending,
  type MembershipRow,
  membershipId,
  type Role,
} from '../sql/members.ts';
import type { UserMemberships } from './realms-token.ts';

/** The user of a request, with what it grants: all rights but those of memberships. Made by `Grants` only. */
export interface Caller {
  readonly id: string;
  readonly grants: ReadonlyMap<string, Right>;
  /** When the token expires, in seconds of Unix time, or null. */
  readonly expires: number | null;
}

/** Whether a realm of this name may be founded. Others are configured, or somebody's own. */
export function isFoundable(realm: string): boolean {
  return isUuid(realm);
}

export const rightOfRole: Readonly<Record<Role, Right>> = {
  reader: 'read',
  writer: 'write',
  owner: 'own',
};

/** The realms that the user may read, with the highest right in each. */
export type RealmRights = ReadonlyMap<string, Right>;

const ranks: readonly Right[] = ['read', 'write', 'own'];

/** Adds a right, if it is higher than the one that is there. */
export function raise(realms: Map<string, Right>, realm: string, right: Right): void {
  const before = realms.get(realm);
  if (before === undefined || ranks.indexOf(before) < ranks.indexOf(right))
    realms.set(realm, right);
}

/**
 * What the author of an update may do in a realm, as the rules will have it (src/authority/scene.h, RightIn); null:
 * nothing. `memberships`, by id: among them the author's own, read under the realm's lock.
 */
export function rightIn(
  { id, grants }: Caller,
  realm: string,
  memberships: ReadonlyMap<string, MembershipRow>,
): Right | null {
  const granted = grants.get(realm);
  const realms = new Map(granted === undefined ? [] : [[realm, granted]]);
  const own = memberships.get(membershipId(realm, id));
  if (own !== undefined && !own.isPending) raise(realms, realm, rightOfRole[own.role]);
  return realms.get(realm) ?? null;
}

/** What a caller may read, and the memberships among it, as of one moment. */
export interface Rights {
  readonly readable: RealmRights;
  /** Null: the user never had a membership. */
  readonly membership: UserMemberships | null;
  /** The newest memberships that wait to be accepted, as JSON, and how many there are beside them. */
  readonly invitations: string;
  readonly moreInvitations: number;
}

/** Reads what the user may read. */
export async function readRights(tx: Queryable, user: Caller): Promise<RealmRights> {
  return readableBy(user.grants, await readRows(tx, user.id, foundableOf(user)));
}

/** Reads what the user may read, and the version of the memberships. One query, by index. */
export async function readMemberships(tx: Queryable, user: Caller): Promise<Rights> {
  const rows = await readRows(tx, user.id, foundableOf(user), kInvitations);
  const { roles, version, at, invitations, moreInvitations } = rows;
  const membership = version === null ? null : { version, at: Number(at), roles };
  return { readable: readableBy(user.grants, rows), membership, invitations, moreInvitations };
}

/**
 * Reads the memberships of a user, once for all grants that the user's tokens have: the result says what each of these
 * makes readable.
 */
export async function readRightsOf(
  tx: Queryable,
  user: string,
  all: readonly Caller['grants'][],
): Promise<(grants: Caller['grants']) => RealmRights> {
  const foundable = new Set(all.flatMap((grants) => foundableOf({ grants })));
  const rows = await readRows(tx, user, [...foundable]);
  return (grants) => readableBy(grants, rows);
}

interface RightsRows extends Pick<Rights, 'invitations' | 'moreInvitations'> {
  readonly roles: ReadonlyMap<string, Role>;
  /** Those of the realms that were asked for that were founded. */
  readonly founded: ReadonlySet<string>;
  readonly version: string | null;
  readonly at: string | null;
}

function foundableOf({ grants }: Pick<Caller, 'grants'>): string[] {
  return [...grants.keys()].filter(isFoundable);
}

/** Only a pull tells of invitations. */
const kNoInvitations = `'[]' as invitations, '0' as invited`;
const kInvitations = `(select coalesce(json_agg(json_build_object('realm', i.realm, 'role', i."role", 'by', i."by",
                                                         'at', skerry.to_ms(i.created_at))), '[]')
               from (select m.* from skerry.membership m where m."user" = $1::text and ${kIsPending}
                      order by m.created_at desc limit ${limits.invitationsPerPull}) i)::text as invitations,
            (select count(*) from (select 1 from skerry.membership m where m."user" = $1::text and ${kIsPending}
                                    limit ${limits.invitationsCounted}) i)::text as invited`;

async function readRows(
  tx: Queryable,
  user: string,
  foundable: readonly string[],
  invitationsSql = kNoInvitations,
): Promise<RightsRows> {
  const [row] = await tx.query<
    Record<'members' | 'founded' | 'invitations' | 'invited', string> &
      Record<'version' | 'at', string | null>
  >(
    `select (select coalesce(json_agg(json_build_array(m.realm, m."role")), '[]') from skerry.membership m
              where m."user" = $1::text and ${kIsMember})::text as members,
            ${invitationsSql},
            (select u.version from skerry.user_rights u where u.user_id = $1::text) as version,
            (select u.at::text from skerry.user_rights u where u.user_id = $1::text) as at,
            (select coalesce(json_agg(r.realm), '[]') from skerry.realm r
              where r.head > 0
                and r.realm = any(array(select k.realm from json_array_elements_text($2::text::json) as k(realm))))::text as founded`,
    [user, JSON.stringify(foundable)],
  );
  if (row === undefined) throw new Error('The database returned no rights.');
  const { version, at, invitations } = row;
  return {
    ...{ version, at, invitations },
    roles: new Map(JSON.parse(row.members) as [string, Role][]),
    founded: new Set(JSON.parse(row.founded) as string[]),
    moreInvitations: Math.max(0, Number(row.invited) - limits.invitationsPerPull),
  };
}

function readableBy(grants: Caller['grants'], { roles, founded }: RightsRows): RealmRights {
  const realms = new Map<string, Right>();
  for (const [realm, right] of grants) {
    if (!isFoundable(realm) || founded.has(realm)) realms.set(realm, right);
  }
  for (const [realm, role] of roles) raise(realms, realm, rightOfRole[role]);
  return realms;
}
