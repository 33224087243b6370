// Who hears of which realms: connections join an audience (audience.ts), and its rights are read again when they change.
//
// - In the moment in which a change of a membership is known, the audiences of its user hear nothing more of that realm;
//   in which any other change is known, of any realm. They do again once the right was read after the change.
// - The right is read once for all connections of the user: where the change names the realm, that to this realm only.
// - Then a poke says to the user's connections that rights have changed. It comes after the realms are open, so the
//   client's pull finds whatever it was not poked for.
// - The cost is charged to those who have changed the rights. After a reading its user's next one waits, the longer the
//   more it has cost.

import { limits } from '../base/limits.ts';
import type { Database, Spent } from '../db/database.ts';
import { type Caller, readRightsOf } from '../rights/rights.ts';
import { membershipId, readMembershipsAt } from '../sql/members.ts';
import { Audience, type AudienceMember, keyOf } from './audience.ts';
import type { Change, Charge, PokeHub } from './hub.ts';

/** Which realms this node must hear of. */
export interface RealmWatch {
  /** Resolves when this node hears of every later commit in these realms. If it rejects, they are not watched. */
  watch(realms: readonly string[]): Promise<void>;
  unwatch(realms: Iterable<string>): void;
}

export interface AudiencesOptions {
  readonly database: Pick<Database, 'transaction'>;
  readonly hub: PokeHub;
  readonly heads: RealmWatch;
  readonly charge: Charge;
}

/** The audiences of one user, and what of their rights is to be read. */
class OfUser {
  readonly audiences = new Map<string, Audience>();
  readonly id: string;
  readonly due = new Set<string>();
  isAllDue = false;
  /** Whether any have changed: not only the first audience of some grants has come. */
  isChanged = false;
  /** Those who have changed the rights. */
  readonly authors = new Set<string>();
  /** Not before this time. */
  restsUntil = Number.NEGATIVE_INFINITY;
  /** Counts the changes of which it is not said in which realm they are. */
  changes = 0;
  isConfirming = false;

  constructor(id: string) {
    this.id = id;
  }

  take(): Taken {
    const { isChanged } = this;
    const realms = this.isAllDue ? null : [...this.due];
    const taken = { of: this, realms, isChanged, authors: [...this.authors], ms: 0 };
    this.due.clear();
    this.isAllDue = false;
    this.isChanged = false;
    this.authors.clear();
    return taken;
  }
}

interface Taken {
  readonly of: OfUser;
  /** Null: all. */
  readonly realms: readonly string[] | null;
  readonly isChanged: boolean;
  readonly authors: readonly string[];
  /** What the reading has cost. */
  ms: number;
}

/** Users whose rights are all read at a time. */
const kReaders = 4;

/** Lets the event loop read from callers. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface RoleToRead {
  readonly taken: Taken;
  readonly realm: string;
}

export class Audiences {
  readonly #options: AudiencesOptions;
  readonly #users = new Map<string, OfUser>();
  readonly #audienceOf = new Map<AudienceMember, Audience>();
  /** Users with rights that are to be read. */
  readonly #waiting = new Set<OfUser>();
  #reading: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: AudiencesOptions) {
    this.#options = options;
  }

  /** Resolves when the member will be poked for every later commit. */
  async join(member: AudienceMember): Promise<void> {
    const audience = this.#audienceFor(member.user);
    audience.joining++;
    try {
      await audience.begun;
      audience.listeners.add(member);
      this.#audienceOf.set(member, audience);
    } finally {
      audience.joining--;
      this.#endIfEmpty(audience);
    }
  }

  leave(member: AudienceMember): void {
    const audience = this.#audienceOf.get(member);
    if (audience === undefined) return;
    this.#audienceOf.delete(member);
    this.#options.hub.remove(member);
    audience.listeners.delete(member);
    this.#endIfEmpty(audience);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#reading;
  }

  #audienceFor(user: Caller): Audience {
    const of = this.#users.get(user.id) ?? new OfUser(user.id);
    const key = keyOf(user.grants);
    const known = of.audiences.get(key);
    if (known !== undefined) return known;
    const audience = new Audience(user, (change) => this.#changed(of, audience, change));
    of.audiences.set(key, audience);
    this.#users.set(user.id, of);
    // From here on it is told of changes, also of one while its rights are read.
    this.#options.hub.enter(audience);
    of.isAllDue = true;
    of.authors.add(user.id);
    of.restsUntil = Number.NEGATIVE_INFINITY;
    this.#wait(of);
    return audience;
  }

  #changed(of: OfUser, audience: Audience, { realm, author }: Change): void {
    const { hub } = this.#options;
    of.isChanged = true;
    if (author !== undefined) of.authors.add(author);
    if (realm !== null && of.due.size < limits.rightsOneByOne) {
      of.due.add(realm);
      if (audience.realms.has(realm)) audience.shut.add(realm);
      hub.shut(audience, realm);
    } else {
      of.isAllDue = true;
      audience.isSilent = true;
      hub.hush(audience);
      of.changes++;
      if (!of.isConfirming) void this.#confirm(of);
    }
    this.#wait(of);
  }

  /** Finds the members whose grants are others than before: they leave, and join again. */
  async #confirm(of: OfUser): Promise<void> {
    of.isConfirming = true;
    for (let seen = -1; seen !== of.changes; ) {
      seen = of.changes;
      for (const { listeners } of [...of.audiences.values()]) {
        for (const member of [...listeners]) await this.#confirmOne(member);
      }
    }
    of.isConfirming = false;
    this.#wait(of);
  }

  async #confirmOne(member: AudienceMember): Promise<void> {
    try {
      if (await member.isGranted()) return;
      this.leave(member);
      member.regrant();
    } catch (error) {
      this.leave(member);
      member.fail(error);
    }
  }

  #wait(of: OfUser): void {
    if (of.audiences.size === 0) return;
    this.#waiting.add(of);
    this.#readSoon();
  }

  #readSoon(): void {
    if (this.#reading !== null || this.#isClosed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    let at = Number.POSITIVE_INFINITY;
    for (const { isConfirming, restsUntil } of this.#waiting) {
      if (!isConfirming) at = Math.min(at, restsUntil);
    }
    if (at === Number.POSITIVE_INFINITY) return;
    const wait = at - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => this.#readSoon(), wait);
      return;
    }
    this.#reading = this.#readDue().finally(() => {
      this.#reading = null;
      this.#readSoon();
    });
  }

  async #readDue(): Promise<void> {
    // One turn gathers the changes of one commit, and many hellos.
    await turn();
    const now = performance.now();
    const due = [...this.#waiting].filter((of) => !of.isConfirming && of.restsUntil <= now);
    const taken = due.slice(0, limits.rightsPerTurn).map((of) => {
      this.#waiting.delete(of);
      return of.take();
    });
    const places = taken.flatMap((each) =>
      (each.realms ?? []).map((realm) => ({ taken: each, realm })),
    );
    const all = taken.filter(({ realms }) => realms === null);
    const parts: RoleToRead[][] = [];
    for (let i = 0; i < places.length; i += limits.rightsPerRead) {
      parts.push(places.slice(i, i + limits.rightsPerRead));
    }
    const reader = async () => {
      for (let each = all.shift(); each !== undefined; each = all.shift()) {
        const one = each;
        await this.#orFail([one], () => this.#readAll(one));
      }
    };
    await Promise.all([this.#readParts(parts), ...Array.from({ length: kReaders }, reader)]);
    for (const each of taken) this.#tell(each);
  }

  async #readParts(parts: readonly RoleToRead[][]): Promise<void> {
    for (const part of parts) {
      const users = [...new Set(part.map(({ taken }) => taken))];
      await this.#orFail(users, () => this.#readPlaces(part, users));
    }
  }

  /** Reads the roles in single realms, whose users these are. */
  async #readPlaces(places: readonly RoleToRead[], users: readonly Taken[]): Promise<void> {
    const spent: Spent = (ms) => {
      for (const each of users) each.ms += ms / users.length;
    };
    const ids = places.map(({ taken, realm }) => ({ realm, id: membershipId(realm, taken.of.id) }));
    const roles = await this.#options.database.transaction({ mode: 'snapshot', spent }, (tx) =>
      readMembershipsAt(tx, ids),
    );
    for (const taken of users) {
      const { of } = taken;
      const realms = places.filter((place) => place.taken === taken).map(({ realm }) => realm);
      for (const audience of [...of.audiences.values()]) {
        // The membership was changed in the realm's log: a realm that is named by a UUID is founded.
        const isReadable = (realm: string) =>
          roles.get(membershipId(realm, of.id))?.isPending === false || audience.grants.has(realm);
        const gone = realms.filter((realm) => !isReadable(realm));
        await this.#apply(taken, audience, { readable: realms.filter(isReadable), gone });
      }
    }
  }

  /** Reads all rights of a user. */
  async #readAll(taken: Taken): Promise<void> {
    const { of } = taken;
    const audiences = [...of.audiences.values()];
    const spent: Spent = (ms) => {
      taken.ms += ms;
    };
    const readableBy = await this.#options.database.transaction({ mode: 'snapshot', spent }, (tx) =>
      readRightsOf(
        tx,
        of.id,
        audiences.map(({ grants }) => grants),
      ),
    );
    for (const audience of audiences) {
      const readable = readableBy(audience.grants);
      const gone = [...audience.realms].filter((realm) => !readable.has(realm));
      await this.#apply(taken, audience, { readable: [...readable.keys()], gone });
      if (!of.isAllDue) audience.isSilent = false;
      // A user with thousands of realms may have many tokens, each of which grants others.
      await turn();
    }
  }

  /** Takes what was read, but of realms that have changed again since. */
  async #apply(
    taken: Taken,
    audience: Audience,
    { readable, gone }: { readonly readable: readonly string[]; readonly gone: readonly string[] },
  ): Promise<void> {
    const { hub, heads } = this.#options;
    const fresh = readable.filter((realm) => !audience.realms.has(realm));
    if (fresh.length > 0) await heads.watch(fresh);
    if (audience.hasEnded) return heads.unwatch(fresh);
    const began = performance.now();
    for (const realm of fresh) {
      audience.realms.add(realm);
      audience.shut.add(realm);
    }
    for (const realm of gone) {
      hub.shut(audience, realm);
      audience.shut.delete(realm);
    }
    heads.unwatch(gone.filter((realm) => audience.realms.delete(realm)));
    for (const realm of readable) {
      if (taken.of.due.has(realm) || !audience.shut.delete(realm)) continue;
      hub.open(audience, realm);
    }
    taken.ms += performance.now() - began;
  }

  /** Those who wait for the first reading may begin; the others are told that rights have changed. */
  #tell(taken: Taken): void {
    const { hub, charge } = this.#options;
    const { of, authors, isChanged } = taken;
    for (const audience of of.audiences.values()) {
      if (!audience.hasBegun && !audience.isSilent) audience.begin();
      else if (isChanged) taken.ms += hub.pokeOfRights(audience);
    }
    for (const author of authors) charge(author, taken.ms / authors.length);
    const rest = Math.min(limits.rightsRestMostMs, taken.ms * limits.rightsRest);
    of.restsUntil = performance.now() + Math.max(limits.pokeEveryMs, rest);
  }

  async #orFail(taken: readonly Taken[], read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (error) {
      // Nobody is poked by rights that are unknown.
      for (const { of } of taken)
        for (const each of [...of.audiences.values()]) this.#fail(each, error);
    }
  }

  #fail(audience: Audience, error: unknown): void {
    const members = [...audience.listeners];
    for (const member of members) this.leave(member);
    this.#end(audience);
    audience.fail(error);
    for (const member of members) member.fail(error);
  }

  #endIfEmpty(audience: Audience): void {
    if (audience.listeners.size === 0 && audience.joining === 0) this.#end(audience);
  }

  #end(audience: Audience): void {
    if (audience.hasEnded) return;
    audience.hasEnded = true;
    const { hub, heads } = this.#options;
    hub.exit(audience);
    for (const realm of audience.realms) hub.shut(audience, realm);
    heads.unwatch(audience.realms);
    const of = this.#users.get(audience.user);
    of?.audiences.delete(keyOf(audience.grants));
    if (of === undefined || of.audiences.size > 0) return;
    this.#users.delete(audience.user);
    this.#waiting.delete(of);
  }
}
