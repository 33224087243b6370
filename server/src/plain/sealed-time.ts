// The `lastUpdateTime` of /v1/tables: a record of what the caller has received, stored by the caller. It is sealed
// (HMAC-SHA-256) for one user and one table, with a key that all nodes of a database share. Without a seal a caller
// could name any realm, and learn from the answer whether it exists, and when it changed. A time with another seal is
// treated like one of another history: the answer starts again, so that a program recovers by itself when its server
// gets a new database.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Caller, RealmRights } from '../rights/rights.ts';

/** Per realm the `revision@time` of an entry; the time shows whether the entry belongs to this history. */
export type SentHeads = Readonly<Record<string, string>>;

export interface Since {
  /** Everything up to these heads was sent. */
  readonly heads: SentHeads;
  /** While changes are sent in pages: the heads that they lead to. */
  readonly upto?: SentHeads;
  /** While pages are sent: the last id. */
  readonly above?: string;
}

export interface TimeOf {
  readonly user: Caller;
  readonly table: string;
}

const kVersion = 2;
/** A head: the name of its realm, a revision, and a time, twice while changes are sent in pages. */
const kMostBytes = 2 * limits.cursors * (limits.idBytes + 40);

/** Keeps only the realms that the user may read. */
function readable(heads: SentHeads, rights: RealmRights): SentHeads {
  return Object.fromEntries(Object.entries(heads).filter(([realm]) => rights.has(realm)));
}

export class SealedTimes {
  readonly #key: Buffer;

  /** `key`: hexadecimal. */
  constructor(key: string) {
    this.#key = Buffer.from(key, 'hex');
    if (this.#key.length < 32) throw new Error('The key of sealed times is too short.');
  }

  /** Throws Problem `limit` for more realms than a client may have. */
  seal(of: TimeOf, since: Since): string {
    if (Object.keys(since.heads).length > limits.cursors)
      throw new Problem('limit', `A user may read at most ${limits.cursors} realms.`);
    const body = deflateRawSync(JSON.stringify({ v: kVersion, ...since })).toString('base64url');
    return `${body}.${this.#mac(of, body).toString('base64url')}`;
  }

  /** What a time says about the realms that its user may read now; null if this database did not seal it for them. */
  open(of: TimeOf, time: string, rights: RealmRights): Since | null {
    const [body = '', seal = ''] = time.split('.', 2);
    const mac = this.#mac(of, body);
    const given = Buffer.from(seal, 'base64url');
    if (given.length !== mac.length || !timingSafeEqual(given, mac)) return null;
    // It is this server's own: how long it is, depends on nothing else.
    const text = inflateRawSync(Buffer.from(body, 'base64url'), { maxOutputLength: kMostBytes });
    const { v, heads, upto, above } = JSON.parse(text.toString()) as Since & { v: number };
    if (v !== kVersion) return null;
    return {
      heads: readable(heads, rights),
      ...(upto === undefined ? {} : { upto: readable(upto, rights) }),
      ...(above === undefined ? {} : { above }),
    };
  }

  #mac({ user, table }: TimeOf, body: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([user.id, table, body]))
      .digest();
  }
}
