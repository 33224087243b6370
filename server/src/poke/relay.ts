// Pokes between the nodes of one database. A node pokes at once for its own commits, and sends the new heads to the
// other nodes at most once in `notifyEveryMs`, outside of any transaction. A node that gets a head reads the log
// entries above the revision it knows, in the realms that its listeners may read, and pokes for them. Notifications
// may be lost, and some engines have none: the log is also read every few seconds, and whenever the channel is
// opened. So are the users whose memberships have changed, and skerry.user_rights. Entries of other programs, which send
// no notifications, are looked for more often (foreign-entries.ts).
//
// `known` of a realm is the revision up to which this node has poked for all entries, in their order: an own commit above a
// gap waits until the entries of other nodes in the gap are read. One of them may have removed a member, who must not
// hear of the commit.

import { randomUUID } from 'node:crypto';
import { foreignLimits } from '../base/foreign-limits.ts';
import { limits } from '../base/limits.ts';
import type { Queryable } from '../db/database.ts';
import type { NodeChannel } from '../db/pg-channel.ts';
import type { PokedEntry, RightsVersions } from '../push/done.ts';
import { kIsMember, kMembers, membershipId } from '../sql/members.ts';
import type { RealmWatch } from './audiences.ts';
import { ForeignEntries } from './foreign-entries.ts';
import { type Change, changesOf, type PokeHub } from './hub.ts';
import { bytesOf, type ChangedMembership, packed, parseMessage } from './notifications.ts';

export interface RelayOptions {
  readonly database: Queryable;
  readonly hub: PokeHub;
  /** Another node says that the rights of these users have changed otherwise than by memberships. */
  readonly changed?: (users: readonly string[]) => void;
  readonly log: (message: string, error: unknown) => void;
  /** The database has answered. */
  readonly reached?: () => void;
  /** No other process uses the database: nothing is polled. */
  readonly isAlone?: boolean;
  /** So many changes of other programs were read; only if it is alone. */
  readonly written?: ((changes: number) => void) | undefined;
}

interface Watched {
  /** How many audiences may read the realm. */
  audiences: number;
  known: number | null;
  /** Own commits above `known`. */
  own: Set<number> | null;
}

type LogRow = Record<'realm' | 'revision' | 'client' | 'author' | 'tables' | 'streams', string> & {
  /** The ids of memberships that the entry changed, or null. */
  readonly members: string | null;
};

/** Of a change `c` of a membership: it gave a right before. */
const kWasMember = `(json_typeof(c.before) = 'object' and (c.before -> 'props' ->> 'accepted') is distinct from 'false')`;
const kEntriesPerRead = 500;
const kAll = '*';

export class PokeRelay implements RealmWatch {
  readonly #options: RelayOptions;
  readonly #node = randomUUID();
  readonly #watched = new Map<string, Watched>();
  readonly #behind = new Set<string>();
  readonly #unsent = new Map<string, number>();
  /** By their ids: as many names as there are changes in `notifyEveryMs`. */
  readonly #unsentMembers = new Map<string, ChangedMembership>();
  readonly #unsentUsers = new Set<string>();
  readonly #unsentInvited = new Set<string>();
  /** The newest change of rights that this node has seen, ms; null: none yet. */
  #rightsAt: number | null = null;
  /** The versions of rights that were seen or written here, of users whose last change is not long ago. */
  #rightsSeen = new Map<string, string>();
  #readingRights: Promise<void> | null = null;
  #channel: NodeChannel | null = null;
  #sending: NodeJS.Timeout | null = null;
  readonly #foreign: ForeignEntries;
  readonly #timers: readonly NodeJS.Timeout[];
  #reading: Promise<void> | null = null;
  #loading: Promise<void> | null = null;
  #readingForeign: Promise<void> | null = null;
  #isForeignWanted = false;
  #closed = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#foreign = new ForeignEntries(options.database, options.isAlone);
    const every = (ms: number, work: () => void) => setInterval(work, ms).unref();
    this.#timers =
      options.isAlone === true
        ? []
        : [
            every(limits.headPollMs, () => this.catchUp()),
            every(limits.rightsPollMs, () => {
              if (this.#channel === null) this.#lookForRights();
            }),
            every(foreignLimits.pollMs, () => this.lookForForeign()),
          ];
  }

  /** Sets the channel between the nodes; without one, heads are only polled. */
  use(channel: NodeChannel): void {
    this.#channel = channel;
  }

  async watch(realms: readonly string[]): Promise<void> {
    for (const realm of realms) {
      const watched = this.#watched.get(realm);
      if (watched) watched.audiences++;
      else this.#watched.set(realm, { audiences: 1, known: null, own: null });
    }
    try {
      while (realms.some((realm) => this.#watched.get(realm)?.known === null)) {
        this.#loading ??= this.#loadHeads().finally(() => {
          this.#loading = null;
        });
        await this.#loading;
      }
    } catch (error) {
      this.unwatch(realms);
      throw error;
    }
  }

  unwatch(realms: Iterable<string>): void {
    for (const realm of realms) {
      const watched = this.#watched.get(realm);
      if (watched !== undefined && --watched.audiences === 0) this.#watched.delete(realm);
    }
  }

  /** Entries that this node has committed, in the order of the realms' logs, and the rights that they have changed. */
  committed(entries: readonly PokedEntry[], rights: RightsVersions): void {
    for (const [user, version] of rights) this.#rightsSeen.set(user, version);
    const news: PokedEntry[] = [];
    for (const entry of entries) {
      const { realm, revision } = entry;
      if (this.#channel) {
        this.#unsent.set(realm, revision);
        for (const user of entry.users ?? []) {
          this.#unsentMembers.set(membershipId(realm, user), [realm, user]);
        }
        for (const user of entry.invited ?? []) this.#unsentInvited.add(user);
      }
      const watched = this.#watched.get(realm);
      // A read of the log may have been faster than the answer to the commit.
      if (watched !== undefined && watched.known !== null && revision <= watched.known) continue;
      if (watched !== undefined && watched.known !== null && revision > watched.known + 1) {
        this.#options.hub.changed(changesOf(entry));
        this.#options.hub.invited(entry.invited ?? []);
        this.#behind.add(realm);
        continue;
      }
      news.push(entry);
      if (watched === undefined) continue;
      watched.own = (watched.own ?? new Set()).add(revision);
      advance(watched);
    }
    this.#options.hub.committed(news);
    if (this.#unsent.size > 0) this.#sendSoon();
    this.#read();
  }

  /** The rights of these users have changed otherwise than by memberships. */
  changed(users: readonly string[]): void {
    this.#options.hub.changed(users.map(inAllRealms));
    if (this.#channel === null) return;
    for (const user of users) this.#unsentUsers.add(user);
    this.#sendSoon();
  }

  #sendSoon(): void {
    if (!this.#closed) {
      this.#sending ??= setTimeout(() => this.#send(), limits.notifyEveryMs);
    }
  }

  /** A notification from another node. */
  notified(payload: string): void {
    const message = parseMessage(payload);
    if (message === null || message.node === this.#node) return;
    this.#options.changed?.(message.users);
    this.#options.hub.changed([
      ...message.users.map(inAllRealms),
      ...message.members.map(([realm, user]) => ({ realm, user })),
    ]);
    this.#options.hub.invited(message.invited);
    if (kAll in message.heads) {
      this.catchUp();
      return;
    }
    for (const [realm, head] of Object.entries(message.heads)) this.#noteHead(realm, Number(head));
    this.#read();
  }

  /** The log of the realm goes up to this revision. */
  #noteHead(realm: string, head: number): void {
    const known = this.#watched.get(realm)?.known;
    if (known != null && head > known) this.#behind.add(realm);
  }

  /** Reads the new entries of all realms that have listeners. */
  catchUp(): void {
    for (const realm of this.#watched.keys()) this.#behind.add(realm);
    this.#read();
    this.#lookForRights();
  }

  /** Reads the entries of other programs, and pokes for them. */
  lookForForeign(): void {
    const isOfInterest = this.#watched.size > 0 || this.#options.written !== undefined;
    if (this.#closed || !isOfInterest) return;
    this.#isForeignWanted = true;
    this.#readingForeign ??= this.#readForeign()
      // The next poll tries again.
      .catch((error: unknown) =>
        this.#options.log('Entries of other programs could not be read.', error),
      )
      .finally(() => {
        this.#readingForeign = null;
      });
  }

  async #readForeign(): Promise<void> {
    while (this.#isForeignWanted && !this.#closed) {
      this.#isForeignWanted = false;
      const { heads, changes } = await this.#foreign.read();
      this.#options.written?.(changes);
      for (const [realm, head] of heads) this.#noteHead(realm, head);
      this.#read();
    }
    await this.#foreign.forget();
  }

  #lookForRights(): void {
    if (this.#closed) return;
    this.#readingRights ??= this.#readRights()
      .then(() => this.#options.reached?.())
      // The next poll tries again.
      .catch((error: unknown) => this.#options.log('Changes of rights could not be read.', error))
      .finally(() => {
        this.#readingRights = null;
      });
  }

  /** Finds the users whose memberships another node has changed. Commits may become visible later than their time. */
  async #readRights(): Promise<void> {
    const seen = this.#rightsSeen;
    // Has what this node commits meanwhile. If the read fails, the users of the last minute join once more.
    this.#rightsSeen = new Map();
    const rows = await this.#options.database.query<Record<'user' | 'version' | 'at', string>>(
      `select u.user_id as "user", u.version, u.at::text as at from skerry.user_rights u
        where u.at > coalesce($1::text::bigint, (select max(m.at) from skerry.user_rights m)) - ${limits.rightsOverlapMs}`,
      [this.#rightsAt === null ? null : String(this.#rightsAt)],
    );
    const changed: string[] = [];
    for (const { user, version, at } of rows) {
      this.#rightsAt = Math.max(this.#rightsAt ?? 0, Number(at));
      const own = this.#rightsSeen.get(user);
      if (own === undefined) this.#rightsSeen.set(user, version);
      if (version !== own && version !== seen.get(user)) changed.push(user);
    }
    this.#options.hub.changed(changed.map(inAllRealms));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#sending) clearTimeout(this.#sending);
    await this.#channel?.close();
    await this.#reading;
    await this.#readingRights;
    await this.#readingForeign;
  }

  /** Loads the heads of the realms that were just joined. */
  async #loadHeads(): Promise<void> {
    // One turn gathers several joins: after a restart everybody joins.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#foreign.begin();
    const all = [...this.#watched].filter(([, { known }]) => known === null);
    const fresh = all.slice(0, limits.realmsPerRead);
    const rows = await this.#options.database.query<{ realm: string; head: string }>(
      `select r.realm, r.head::text as head from json_array_elements_text($1::text::json) as k(realm)
        cross join lateral (select r.* from skerry.realm r where r.realm = k.realm limit 1) r`,
      [JSON.stringify(fresh.map(([realm]) => realm))],
    );
    const heads = new Map(rows.map(({ realm, head }) => [realm, Number(head)]));
    for (const [realm, watched] of fresh) {
      settle(watched, heads.get(realm) ?? 0);
    }
  }

  /** Sends the heads of the realms that this node wrote to. */
  #send(): void {
    this.#sending = null;
    const heads = packed(this.#unsent, ([realm]) => bytesOf(realm) + 20);
    this.#unsent.clear();
    const users = packed(this.#unsentUsers, (user) => bytesOf(user) + 1);
    this.#unsentUsers.clear();
    const sizeOf = ([realm, user]: ChangedMembership) => bytesOf(realm) + bytesOf(user) + 4;
    const members = packed(this.#unsentMembers.values(), sizeOf);
    this.#unsentMembers.clear();
    const invited = packed(this.#unsentInvited, (user) => bytesOf(user) + 1);
    this.#unsentInvited.clear();
    const parts = heads.length + users.length + members.length + invited.length;
    const isMuch = parts > limits.notifyParts;
    const messages = isMuch
      ? [{ heads: { [kAll]: 0 } }]
      : // Rights come first: who lost one hears nothing of the realm.
        [
          ...users.map((each) => ({ heads: {}, users: each })),
          ...members.map((each) => ({ heads: {}, members: each })),
          ...invited.map((each) => ({ heads: {}, invited: each })),
          ...heads.map((each) => ({ heads: Object.fromEntries(each) })),
        ];
    const payloads = messages.map((each) => JSON.stringify({ node: this.#node, ...each }));
    void this.#channel?.notify(payloads);
  }

  #read(): void {
    if (this.#closed || this.#behind.size === 0) return;
    this.#reading ??= this.#readAll()
      // The next notification or poll tries again.
      .catch((error: unknown) => this.#options.log('The log could not be read for pokes.', error))
      .finally(() => {
        this.#reading = null;
      });
  }

  async #readAll(): Promise<void> {
    while (this.#behind.size > 0 && !this.#closed) {
      const from = new Map<string, number>();
      for (const realm of this.#behind) {
        if (from.size >= limits.realmsPerRead) break;
        this.#behind.delete(realm);
        const known = this.#watched.get(realm)?.known;
        if (known != null) from.set(realm, known);
      }
      if (from.size > 0) await this.#readAbove(from);
    }
  }

  async #readAbove(from: ReadonlyMap<string, number>): Promise<void> {
    const keys = [...from].map(([realm, revision]) => ({ realm, revision }));
    const rows = await this.#options.database.query<LogRow>(
      `select k.realm, l.revision::text as revision, l.client, l.author, l.tables::text as tables, l.streams::text as streams,
              l.members::text as members
         from json_to_recordset($1::text::json) as k(realm text, revision bigint)
         cross join lateral (
           select e.revision, e.client, e.user_id as author, e.tables, e.streams,
                  (select json_agg(c.id) from skerry.change c
                    where c.realm = k.realm and c.table_name = '${kMembers}' and c.revision = e.revision
                      and (${kWasMember} or exists (
                        select 1 from skerry.membership m where m.realm = k.realm and m.id = c.id and ${kIsMember}))) as members
             from skerry.log e
            where e.realm = k.realm and e.revision > k.revision
            order by e.revision limit ${kEntriesPerRead}) l
        order by k.realm, l.revision`,
      [JSON.stringify(keys)],
    );
    const counts = new Map<string, number>();
    const news: PokedEntry[] = [];
    for (const row of rows) {
      const { realm, client, author } = row;
      const revision = Number(row.revision);
      const count = (counts.get(realm) ?? 0) + 1;
      counts.set(realm, count);
      if (count === kEntriesPerRead) this.#behind.add(realm);
      const watched = this.#watched.get(realm);
      if (watched === undefined || watched.known === null || revision <= watched.known) continue;
      const [tables, streams] = [JSON.parse(row.tables), JSON.parse(row.streams)] as string[][];
      if (!watched.own?.has(revision)) {
        const ids = JSON.parse(row.members ?? '[]') as string[];
        const users = ids.map((id) => id.slice(realm.length + 1));
        const touched = { tables: tables ?? [], streams: streams ?? [] };
        news.push({ realm, revision, client, author, ...touched, users });
      }
      settle(watched, revision);
    }
    this.#options.hub.committed(news);
  }
}

function inAllRealms(user: string): Change {
  return { user, realm: null };
}

/** Marks all entries up to `revision` as done. */
function settle(watched: Watched, revision: number): void {
  watched.known = Math.max(watched.known ?? 0, revision);
  for (const own of watched.own ?? []) if (own <= watched.known) watched.own?.delete(own);
  advance(watched);
}

/** Own commits that directly follow the known revision are known, too. */
function advance(watched: Watched): void {
  const { own } = watched;
  if (watched.known === null || own === null) return;
  while (own.delete(watched.known + 1)) watched.known++;
  if (own.size === 0) watched.own = null;
}
