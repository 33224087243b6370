// The sockets of one user that have the same grants: they may read the same realms, which are kept, and read, once for all
// of them.

import { createHash } from 'node:crypto';
import type { Caller, RealmRights } from '../rights/rights.ts';
import type { Change, Hearers, Listener } from './hub.ts';

/** A connection as an audience needs it. */
export interface AudienceMember extends Listener {
  readonly user: Caller;
  /** Whether the user still has the grants of `user`. */
  isGranted(): Promise<boolean>;
  /** The user has other grants now, and the member has left its audience: it joins again. */
  regrant(): void;
  /** The user's rights cannot be read, and the member has left its audience. */
  fail(error: unknown): void;
}

const keys = new WeakMap<RealmRights, string>();

/** Equal for equal grants, and short. */
export function keyOf(grants: RealmRights): string {
  const known = keys.get(grants);
  if (known !== undefined) return known;
  const sorted = JSON.stringify([...grants].sort(([a], [b]) => (a < b ? -1 : 1)));
  const key = createHash('sha256').update(sorted).digest('base64');
  keys.set(grants, key);
  return key;
}

export class Audience implements Hearers {
  readonly user: string;
  readonly grants: RealmRights;
  readonly listeners = new Set<AudienceMember>();
  /** The realms that it may read, as far as is known. */
  readonly realms = new Set<string>();
  /** Those of them that it hears nothing of, until the right to them is read again. */
  readonly shut = new Set<string>();
  readonly changed: (change: Change) => void;
  isSilent = true;
  /** It is no more: nobody is in it. */
  hasEnded = false;
  /** Those that wait until its rights are read for the first time. */
  joining = 0;
  /** Resolves when its rights were read for the first time. */
  readonly begun: Promise<void>;
  hasBegun = false;
  #begin!: () => void;
  #fail!: (error: unknown) => void;

  constructor({ id, grants }: Caller, changed: (change: Change) => void) {
    this.user = id;
    this.grants = grants;
    this.changed = changed;
    this.begun = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#fail = reject;
    });
    // All who join may have gone.
    this.begun.catch(() => {});
  }

  begin(): void {
    this.hasBegun = true;
    this.#begin();
  }

  fail(error: unknown): void {
    this.#fail(error);
  }
}
