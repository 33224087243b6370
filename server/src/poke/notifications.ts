// What nodes of one database notify each other of, as text.

import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';

export interface Message {
  readonly node: unknown;
  readonly heads: Readonly<Record<string, unknown>>;
  /** The users whose memberships have changed, and those whose invitations have. */
  readonly users: readonly string[];
  readonly invited: readonly string[];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

export function parseMessage(payload: string): Message | null {
  try {
    const value: unknown = JSON.parse(payload);
    if (!isObject(value) || !isObject(value.heads)) return null;
    const { node, heads } = value;
    return { node, heads, users: texts(value.users), invited: texts(value.invited) };
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
