// Which realms begin with a push: their rows must be there to be locked. The authority decides whether they do.

import { isObject, type JsonObject } from '../base/json.ts';
import { kMembers, membershipId } from '../sql/members.ts';
import { type Caller, isFoundable } from './rights.ts';

interface Pushed {
  readonly user: Caller;
  readonly update: JsonObject;
}

/** The realms of which the update makes its author the owner. */
function founded({ user, update }: Pushed): string[] {
  const realms: string[] = [];
  for (const op of Array.isArray(update.ops) ? update.ops : []) {
    if (!isObject(op) || op.op !== 'create' || op.table !== kMembers) continue;
    const { realm, id, set } = op;
    if (typeof realm !== 'string' || !isFoundable(realm)) continue;
    const isOwner = isObject(set) && set.user === user.id && set.role === 'owner';
    if (isOwner && id === membershipId(realm, user.id)) realms.push(realm);
  }
  return realms;
}

/** The realms of `realms` that may begin: founded by one of the updates, or granted by configuration. */
export function beginning(units: readonly Pushed[], realms: ReadonlySet<string>): string[] {
  const founders = new Set(units.flatMap(founded));
  const writers = new Set(units.map(({ user }) => user));
  const isGranted = (realm: string) =>
    [...writers].some(({ grants }) => /^(write|own)$/.test(grants.get(realm) ?? ''));
  return [...realms].filter((realm) =>
    isFoundable(realm) ? founders.has(realm) : isGranted(realm),
  );
}

/** What a caller's request grants, as the authority has it. */
export function grantsOf({ grants }: Caller): JsonObject {
  return Object.fromEntries(grants);
}
