// Sends pokes to listeners. A poke says that a realm's log has grown, and carries no data. It goes to connected users
// with a right to the realm who have a scope over one of the tables touched (or any user with that right if the table
// is `autosubscribe`), or want one of the streams, but not to the client that made the change. Whoever made the change is
// charged for the pokes.

import { limits } from '../base/limits.ts';
import type { PokedEntry } from '../push/done.ts';
import { kMembers } from '../sql/members.ts';
import type { WantsStream } from '../wire/pulls.ts';
import { kInvitations } from './messages.ts';
import { type News, Outbox, type Receiver } from './outbox.ts';

/** A connection as the hub needs it. */
export interface Listener extends Receiver {
  readonly client: string;
  readonly tables: ReadonlySet<string>;
  readonly wantsStream: WantsStream;
}

/** Listeners of one user that may read the same realms. */
export interface Hearers {
  readonly user: string;
  readonly listeners: ReadonlySet<Listener>;
  /** Rights are being read again: it hears of no realm. */
  readonly isSilent: boolean;
  /** From now on it hears nothing of the realm, or of any (null), until the right to it is read again. */
  changed(change: Change): void;
}

/** A change of a user's rights. */
export interface Change {
  readonly user: string;
  /** Null: of any realm. */
  readonly realm: string | null;
  /** Who has changed them, if it is known. */
  readonly author?: string | undefined;
}

export type Charge = (user: string, ms: number) => void;

/** The changes of rights that an entry has made. */
export function changesOf({ realm, users = [], author }: PokedEntry): Change[] {
  return users.map((user) => ({ user, realm, author }));
}

/** It names only the user's own realm. The pull says which realms are new, which are gone, and what was missed. */
export function newsOfRights(user: string): News {
  return { realm: `user:${user}`, revision: 0, tables: [kMembers], streams: [] };
}

/** No realm has this name: pokes about rights are merged with no others. */
const kRights = '';

export class PokeHub {
  readonly #autosubscribed: ReadonlySet<string>;
  readonly #charge: Charge;
  readonly #byRealm = new Map<string, Set<Hearers>>();
  readonly #byUser = new Map<string, Set<Hearers>>();
  readonly #outbox = new Outbox();
  /** When users that have listeners were last told of invitations, and those who will be. */
  readonly #toldAt = new Map<string, number>();
  readonly #toldLater = new Map<string, NodeJS.Timeout>();

  constructor(autosubscribed: ReadonlySet<string>, charge: Charge = () => {}) {
    this.#autosubscribed = autosubscribed;
    this.#charge = charge;
  }

  /** From now on these are told of changes of their user's rights. */
  enter(hearers: Hearers): void {
    const { user } = hearers;
    this.#byUser.set(user, (this.#byUser.get(user) ?? new Set()).add(hearers));
  }

  exit(hearers: Hearers): void {
    const ofUser = this.#byUser.get(hearers.user);
    if (ofUser?.delete(hearers) && ofUser.size === 0) {
      this.#byUser.delete(hearers.user);
      this.#toldAt.delete(hearers.user);
    }
  }

  /** From now on these hear of the realm. */
  open(hearers: Hearers, realm: string): void {
    this.#byRealm.set(realm, (this.#byRealm.get(realm) ?? new Set()).add(hearers));
  }

  /** From now on these hear nothing of the realm, nor what waits. */
  shut(hearers: Hearers, realm: string): void {
    const ofRealm = this.#byRealm.get(realm);
    if (ofRealm?.delete(hearers) && ofRealm.size === 0) this.#byRealm.delete(realm);
    // Nothing waits for who is silent.
    if (hearers.isSilent) return;
    for (const listener of hearers.listeners) this.#outbox.drop(listener, realm);
  }

  /** From now on these, who are silent, hear nothing of what waits. */
  hush({ listeners }: Hearers): void {
    for (const listener of listeners) this.#outbox.dropAll(listener);
  }

  /** The listener is none any more. */
  remove(listener: Listener): void {
    // The next hello of the same socket may have replaced this listener: delayed pokes are sent now.
    this.#outbox.flush(listener);
  }

  /** Rights have changed. From now on a listener hears nothing of realms that it may no longer read, nor what waits. */
  changed(changes: Iterable<Change>): void {
    for (const change of changes) {
      for (const hearers of this.#byUser.get(change.user) ?? []) hearers.changed(change);
    }
  }

  /**
   * Invitations have changed: the users' listeners are told, however many have changed within a time only once. Each of them
   * pulls then, so many users are told one after the other; who has invited them is charged.
   */
  invited(users: Iterable<string>, author?: string): void {
    let told = 0;
    for (const user of users) {
      if (!this.#byUser.has(user) || this.#toldLater.has(user)) continue;
      const last = this.#toldAt.get(user) ?? Number.NEGATIVE_INFINITY;
      const pause = Math.max(0, last + limits.invitationsEveryMs - performance.now());
      const wait = pause + told * limits.invitedEveryMs;
      this.#toldLater.set(user, setTimeout(() => this.#tell(user), wait).unref());
      told++;
    }
    if (author !== undefined) this.#charge(author, told * limits.invitedMs);
  }

  #tell(user: string): void {
    this.#toldLater.delete(user);
    const all = this.#byUser.get(user);
    if (all === undefined) return;
    this.#toldAt.set(user, performance.now());
    for (const { listeners } of all) for (const listener of listeners) listener.send(kInvitations);
  }

  /** Entries that were committed, in the order of their realms' logs. */
  committed(entries: readonly PokedEntry[]): void {
    for (const entry of entries) this.changed(changesOf(entry));
    for (const { invited = [], author } of entries) this.invited(invited, author);
    for (const entry of entries) {
      let poked = 0;
      for (const { isSilent, listeners } of this.#byRealm.get(entry.realm) ?? []) {
        if (isSilent) continue;
        for (const listener of listeners) {
          if (listener.client === entry.client || !this.#concerns(listener, entry)) continue;
          this.#outbox.poke(listener, entry.realm, entry);
          poked++;
        }
      }
      if (entry.author !== undefined) this.#charge(entry.author, poked * limits.pokeMs);
    }
  }

  /** Pokes because the user's rights have changed. Returns the cost. */
  pokeOfRights({ user, listeners }: Hearers): number {
    const news = newsOfRights(user);
    for (const listener of listeners) this.#outbox.poke(listener, kRights, news);
    return listeners.size * limits.pokeMs;
  }

  #concerns(listener: Listener, { tables, streams }: PokedEntry): boolean {
    return (
      streams.some((stream) => listener.wantsStream(stream)) ||
      tables.some((table) => listener.tables.has(table) || this.#autosubscribed.has(table))
    );
  }
}
