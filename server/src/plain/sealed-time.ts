// The `lastUpdateTime` of /v1/tables: a record of what the caller has received, stored by the caller. It is sealed
// (HMAC-SHA-256) for one user and one table, with a key that all nodes of a database share. Without a seal a caller
// could name any realm, and learn from the answer whether it exists, and when it changed. A time with another seal is
// treated like one of another history: the answer starts again, so that a program recovers by itself when its server
// gets a new database.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Caller, Readable } from '../rights/rights.ts';

/** Per realm the `revision@time` of an entry; the time shows whether the entry belongs to this history. */
export type Heads = Readonly<Record<string, string>>;

export interface Since {
  /** Everything up to these heads was sent. */
  readonly heads: Heads;
  /** While changes are sent in pages: the heads that they lead to. */
  readonly upto?: Heads;
  /** While pages are sent: the last id. */
  readonly above?: string;
}

export interface TimeOf {
  readonly user: Caller;
  readonly table: string;
}

const kVersion = 1;
const kMaxTimeCharacters = 256 << 10;

/** Keeps only the realms that the user may read. */
function readable(heads: Heads, rights: Readable): Heads {
  return Object.fromEntries(Object.entries(heads).filter(([realm]) => rights.has(realm)));
}

export class SealedTimes {
  readonly #key: Buffer;

  /** `key`: hexadecimal. */
  constructor(key: string) {
    this.#key = Buffer.from(key, 'hex');
    if (this.#key.length < 32) throw new Error('The key of sealed times is too short.');
  }

  seal(of: TimeOf, since: Since): string {
    const text = JSON.stringify({ v: kVersion, ...since });
    return `${Buffer.from(text).toString('base64url')}.${this.#mac(of, text).toString('base64url')}`;
  }

  /** What a time says about the realms that its user may read now; null if this database did not seal it for them. */
  open(of: TimeOf, time: string, rights: Readable): Since | null {
    if (time.length > kMaxTimeCharacters) return null;
    const [body = '', seal = ''] = time.split('.', 2);
    const text = Buffer.from(body, 'base64url').toString();
    const mac = this.#mac(of, text);
    const given = Buffer.from(seal, 'base64url');
    if (given.length !== mac.length || !timingSafeEqual(given, mac)) return null;
    const { v, heads, upto, above } = JSON.parse(text) as Since & { v: number };
    if (v !== kVersion) return null;
    return {
      heads: readable(heads, rights),
      ...(upto === undefined ? {} : { upto: readable(upto, rights) }),
      ...(above === undefined ? {} : { above }),
    };
  }

  #mac({ user, table }: TimeOf, text: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([user.id, table, text]))
      .digest();
  }
}
