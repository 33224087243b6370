// Who calls: the user, and what the token claims. Which rights these give is decided in rights.

import { isRecord } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';

export type Right = 'read' | 'write' | 'own';

export interface User {
  readonly id: string;
  /** What the token claims, and the personal realm. */
  readonly claims: ReadonlyMap<string, Right>;
  /** When the token expires, in seconds of Unix time, or null. */
  readonly expires: number | null;
}

const kUserPattern = /^[^\p{Cc} ]{1,100}$/u;
const kRealmPattern = /^\P{Cc}+$/u;

export function unauthenticated(detail: string): Problem {
  return new Problem('unauthenticated', detail);
}

export function isRealmName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    kRealmPattern.test(name) &&
    name.isWellFormed() &&
    Buffer.byteLength(name) <= limits.idBytes
  );
}

/** What every user may do: write the own realm. Throws if no realm can have the user's name. */
export function personalClaims(user: string): Map<string, Right> {
  if (!kUserPattern.test(user) || !user.isWellFormed()) {
    throw unauthenticated('The user of the token has an invalid name.');
  }
  const realm = `user:${user}`;
  if (!isRealmName(realm)) {
    throw unauthenticated(
      `The user of the token is too long: the realm \`user:<user>\` has at most ${limits.idBytes} bytes.`,
    );
  }
  return new Map([[realm, 'write']]);
}

/** Adds rights of the form `{realm: "read" | "write"}`. */
export function addClaimed(claim: unknown, into: Map<string, Right>): void {
  if (claim === undefined) return;
  if (!isRecord(claim)) throw unauthenticated('The claim `realms` of the token is not an object.');
  for (const [realm, right] of Object.entries(claim)) {
    if (!isRealmName(realm) || (right !== 'read' && right !== 'write')) {
      throw unauthenticated('The claim `realms` of the token maps realms to "read" or "write".');
    }
    if (into.get(realm) !== 'write') into.set(realm, right);
  }
}
