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

/** What every user may do: write the own realm. Throws if it is no user's name, by the rule of js/core/user.ts. */
export function personalClaims(user: string): Map<string, Right> {
  if (!isRealmName(user)) {
    throw unauthenticated(
      'The name of the user of the token is empty, too long, or has control characters or half surrogate pairs.',
    );
  }
  if (Buffer.byteLength(user) > limits.userBytes) {
    throw unauthenticated(
      `The name of the user of the token has more than ${limits.userBytes} bytes.`,
    );
  }
  return new Map([[`user:${user}`, 'write']]);
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
