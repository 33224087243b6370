// What nodes of one database notify each other of, as text.

import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';

/** A realm, and a user whose membership in it has changed. */
export type ChangedMembership = readonly [realm: string, user: string];

export interface CommitNotice {
  readonly node: unknown;
  readonly heads: Readonly<Record<string, unknown>>;
  readonly members: readonly ChangedMembership[];
  /** The users whose rights have changed otherwise than by memberships. */
  readonly users: readonly string[];
  /** The users whose invitations have changed. */
  readonly invited: readonly string[];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isMembership(value: unknown): value is ChangedMembership {
  return Array.isArray(value) && value.length === 2 && value.every(isText);
}

export function parseMessage(payload: string): CommitNotice | null {
  try {
    const value: unknown = JSON.parse(payload);
    if (!isObject(value) || !isObject(value.heads)) return null;
    const { node, heads, members, users, invited } = value;
    return {
      node,
      heads,
      members: Array.isArray(members) ? members.filter(isMembership) : [],
      users: Array.isArray(users) ? users.filter(isText) : [],
      invited: Array.isArray(invited) ? invited.filter(isText) : [],
    };
  } catch (error) {
    // Anybody with the database's password may send anything on the channel.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function bytesOf(name: string): number {
  return Buffer.byteLength(JSON.stringify(name));
}

/** The items in lists, each of at most the bytes that one notification has room for. */
export function packed<Item>(items: Iterable<Item>, sizeOf: (item: Item) => number): Item[][] {
  const parts: Item[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const more = sizeOf(item);
    if (bytes + more > limits.notifyBytes) {
      parts.push([]);
      bytes = 0;
    }
    bytes += more;
    parts.at(-1)?.push(item);
  }
  return parts;
}
