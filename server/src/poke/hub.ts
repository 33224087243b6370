// Sends pokes to listeners. A poke says that a realm's log has grown, and carries no data. It goes to connected users
// with a right to the realm who have a scope over one of the tables touched (or any user with that right if the table
// is `autosubscribe`), or want one of the streams, but not to the client that made the change. A realm pokes a client at most once in
// `pokeEveryMs`; earlier pokes are merged into the next one.

import { limits } from '../base/limits.ts';
import type { WantsStream } from '../cost/pull-cost.ts';
import type { Entry } from '../push/done.ts';
import { kInvitations } from './messages.ts';

/** A connection as the hub needs it. */
export interface Listener {
  readonly client: string;
  readonly user: { readonly id: string };
  /** The realms that the user may read. */
  readonly realms: ReadonlySet<string>;
  readonly tables: ReadonlySet<string>;
  readonly wantsStream: WantsStream;
  send(frame: string): void;
  /** The user's rights have changed: the listener hears of no realm until it has joined again with those it has now. */
  regrant(): void;
}

interface Merged {
  revision: number;
  readonly tables: Set<string>;
  readonly streams: Set<string>;
}

interface Pace {
  lastSent: number;
  merged: Merged | null;
  timer: NodeJS.Timeout | null;
}

/** The listeners with the same realms: the same set, as sockets of one user share it (shared-rights.ts). */
interface Audience {
  readonly realms: ReadonlySet<string>;
  readonly listeners: Set<Listener>;
}

function frameOf(realm: string, { revision, tables, streams }: Merged): string {
  return JSON.stringify({
    type: 'poke',
    realm,
    revision,
    tables: [...tables].sort(),
    streams: [...streams].sort(),
  });
}

export class PokeHub {
  readonly #autosubscribed: ReadonlySet<string>;
  readonly #audiences = new Map<ReadonlySet<string>, Audience>();
  readonly #byRealm = new Map<string, Set<Audience>>();
  readonly #byUser = new Map<string, Set<Listener>>();
  /** Of each listener, the realms of which it was told, or will be. */
  readonly #paces = new Map<Listener, Map<string, Pace>>();
  /** When users that have listeners were last told of invitations, and those who will be. */
  readonly #toldAt = new Map<string, number>();
  readonly #toldLater = new Map<string, NodeJS.Timeout>();

  constructor(autosubscribed: ReadonlySet<string>) {
    this.#autosubscribed = autosubscribed;
  }

  add(listener: Listener): void {
    const ofUser = this.#byUser.get(listener.user.id) ?? new Set();
    this.#byUser.set(listener.user.id, ofUser.add(listener));
    this.#paces.set(listener, new Map());
    this.#audienceOf(listener.realms).listeners.add(listener);
  }

  remove(listener: Listener): void {
    const ofUser = this.#byUser.get(listener.user.id);
    if (ofUser?.delete(listener) && ofUser.size === 0) {
      this.#byUser.delete(listener.user.id);
      this.#toldAt.delete(listener.user.id);
    }
    // The next hello of the same socket may have replaced this listener: the delayed pokes are sent now.
    for (const [realm, pace] of this.#silence(listener)) this.#send(listener, pace, realm);
  }

  /** Rights have changed. From now on a listener hears nothing of realms that it may no longer read, nor what waits. */
  changed(users: Iterable<string>): void {
    for (const user of users) {
      for (const listener of this.#byUser.get(user) ?? []) {
        this.#silence(listener);
        listener.regrant();
      }
    }
  }

  #audienceOf(realms: ReadonlySet<string>): Audience {
    const known = this.#audiences.get(realms);
    if (known !== undefined) return known;
    const audience = { realms, listeners: new Set<Listener>() };
    this.#audiences.set(realms, audience);
    for (const realm of realms) {
      const audiences = this.#byRealm.get(realm);
      if (audiences) audiences.add(audience);
      else this.#byRealm.set(realm, new Set([audience]));
    }
    return audience;
  }

  /** The listener hears nothing more. Returns what it was to hear. */
  #silence(listener: Listener): Iterable<[string, Pace]> {
    const paces = this.#paces.get(listener) ?? new Map<string, Pace>();
    this.#paces.delete(listener);
    for (const { timer } of paces.values()) if (timer) clearTimeout(timer);
    const audience = this.#audiences.get(listener.realms);
    if (audience?.listeners.delete(listener) && audience.listeners.size === 0) {
      this.#audiences.delete(audience.realms);
      for (const realm of audience.realms) {
        const audiences = this.#byRealm.get(realm);
        if (audiences?.delete(audience) && audiences.size === 0) this.#byRealm.delete(realm);
      }
    }
    return paces;
  }

  /** Invitations have changed: the users' listeners are told, however many have changed within a time only once. */
  invited(users: Iterable<string>): void {
    for (const user of users) {
      if (!this.#byUser.has(user) || this.#toldLater.has(user)) continue;
      const last = this.#toldAt.get(user) ?? Number.NEGATIVE_INFINITY;
      const wait = Math.max(0, last + limits.invitationsEveryMs - performance.now());
      this.#toldLater.set(user, setTimeout(() => this.#tell(user), wait).unref());
    }
  }

  #tell(user: string): void {
    this.#toldLater.delete(user);
    const listeners = this.#byUser.get(user);
    if (listeners === undefined) return;
    this.#toldAt.set(user, performance.now());
    for (const listener of listeners) listener.send(kInvitations);
  }

  /** Entries that were committed, in the order of their realms' logs. */
  committed(entries: readonly Entry[]): void {
    for (const { users } of entries) if (users !== undefined) this.changed(users);
    for (const { invited } of entries) if (invited !== undefined) this.invited(invited);
    for (const entry of entries) {
      for (const { listeners } of this.#byRealm.get(entry.realm) ?? []) {
        for (const listener of listeners) {
          if (listener.client !== entry.client && this.#concerns(listener, entry))
            this.#merge(listener, entry);
        }
      }
    }
  }

  #concerns(listener: Listener, { tables, streams }: Entry): boolean {
    return (
      streams.some((stream) => listener.wantsStream(stream)) ||
      tables.some((table) => listener.tables.has(table) || this.#autosubscribed.has(table))
    );
  }

  #merge(listener: Listener, entry: Entry): void {
    const paces = this.#paces.get(listener);
    if (paces === undefined) return;
    const pace = paces.get(entry.realm) ?? {
      ...{ lastSent: Number.NEGATIVE_INFINITY, merged: null, timer: null },
    };
    paces.set(entry.realm, pace);
    pace.merged ??= { revision: 0, tables: new Set(), streams: new Set() };
    pace.merged.revision = Math.max(pace.merged.revision, entry.revision);
    for (const table of entry.tables) pace.merged.tables.add(table);
    for (const stream of entry.streams) pace.merged.streams.add(stream);
    if (pace.timer !== null) return;
    // Even the first poke waits one turn, so that the entries of one commit become one poke.
    const wait = Math.max(0, pace.lastSent + limits.pokeEveryMs - performance.now());
    pace.timer = setTimeout(() => this.#send(listener, pace, entry.realm), wait);
  }

  #send(listener: Listener, pace: Pace, realm: string): void {
    const merged = pace.merged;
    pace.timer = null;
    pace.merged = null;
    if (merged === null) return;
    pace.lastSent = performance.now();
    listener.send(frameOf(realm, merged));
  }
}
