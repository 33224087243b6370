/**
 * `db.realms`: shared realms and their members. Memberships are rows like any other: written at once and offline, merged,
 * pushed and pulled. The server decides; what the own role forbids is refused here already.
 */

import type { WindowState } from '../core/core-types.ts';
import { ClosedError, NotFoundError, ReadOnlyError, ValidationError } from '../core/errors.ts';
import { blockedStream, membershipId, membersTable, type Role, roles } from '../core/members.ts';
import { type RowView, sameItems } from '../core/row-view.ts';
import { checkUser } from '../core/user.ts';
import type { RowObject } from '../core/values.ts';
import { type Invitation, Invitations } from './invitations.ts';
import type { LiveRegistry, LiveValue } from './live.ts';
import type { Mutations } from './mutations.ts';
import { TableReader } from './query.ts';
import type { TableWriter } from './transaction.ts';
import type { Live, Mutation, Stop } from './types.ts';

/** A realm that the user is a member of. */
export interface RealmRole {
  readonly realm: string;
  readonly role: Role;
}

export interface Member {
  readonly user: string;
  readonly role: Role;
  readonly createdAt: Date;
  /** It waits for the server to confirm a change of it, or for the user to accept it. */
  readonly pending: boolean;
  /** The user has accepted it, or was not asked. Until then it gives no right. */
  readonly accepted: boolean;
}

export interface Realms extends Live<readonly RealmRole[]> {
  /** The own role by membership, also offline; null: not a member. */
  role(realm: string): Role | null;
  members(realm: string): Live<readonly Member[]>;
  /** Founds a realm with the user as owner; its result is the new realm's name. */
  create(): Mutation<string>;
  /**
   * Asks somebody to be a member, who accepts or declines. A member's role is raised by it, and never lowered. A server with
   * `invitations: 'direct'` asks nobody.
   */
  invite(realm: string, user: string, role: Role): Mutation<void>;
  setRole(realm: string, user: string, role: Role): Mutation<void>;
  remove(realm: string, user: string): Mutation<void>;
  /** Removes oneself. The last owner among others cannot leave; the last member can. */
  leave(realm: string): Mutation<void>;
  /** Memberships that others have made for the user, the newest first, at most 100. They give no right until they are accepted. */
  readonly invitations: Live<readonly Invitation[]>;
  /** Becomes a member of a realm that one is invited to; its rows come when the server has confirmed it. */
  accept(realm: string): Mutation<void>;
  /** Refuses an invitation. The same user cannot invite again for 30 days. */
  decline(realm: string): Mutation<void>;
  /** Declines all invitations by that user, and lets the server refuse those to come. */
  block(user: string): Mutation<void>;
}

interface RealmsParts {
  readonly view: RowView;
  readonly lives: LiveRegistry;
  readonly mutations: Mutations;
  readonly user: string | null;
  /** A new UUID. */
  newRealm(): string;
}

type Members = Record<typeof membersTable, TableWriter>;

/** A live query whose rows are shown in another form: the same object until that form changes. */
class Shown<V> implements Live<readonly V[]> {
  readonly #rows: LiveValue;
  readonly #show: (row: RowObject) => V;
  readonly #key: (value: V) => string;
  #from: unknown = null;
  #value: readonly V[] = [];

  constructor(rows: LiveValue, show: (row: RowObject) => V, key: (value: V) => string) {
    this.#rows = rows;
    this.#show = show;
    this.#key = key;
  }

  get value(): readonly V[] {
    const rows = this.#rows.value as readonly RowObject[];
    if (rows !== this.#from) {
      this.#from = rows;
      const value = rows.map(this.#show);
      const isSame = sameItems(value.map(this.#key), this.#value.map(this.#key));
      if (!isSame) this.#value = Object.freeze(value);
    }
    return this.#value;
  }

  subscribe(fn: (value: readonly V[]) => void): Stop {
    let last: unknown = null;
    return this.#rows.subscribe(() => {
      const { value } = this;
      if (value === last) return;
      last = value;
      fn(value);
    });
  }
}

export class RealmsApi implements Realms {
  readonly #parts: RealmsParts;
  readonly #table: TableReader;
  readonly #own: Shown<RealmRole> | null;
  readonly invitations: Invitations;

  constructor(parts: RealmsParts) {
    this.#parts = parts;
    const { lives, view, user } = parts;
    const codec = view.codec.tables.find(({ table }) => table.name === membersTable);
    if (codec === undefined) throw new Error('The schema has no table of memberships.');
    this.#table = new TableReader(lives, codec);
    this.invitations = new Invitations(
      lives.calls,
      (realm) => user !== null && this.#table.isPending(membershipId(realm, user), { realm }),
    );
    this.#own =
      user === null
        ? null
        : new Shown(
            this.#table.where('user', '=', user).orderBy('realm').live(),
            (row) => Object.freeze({ realm: String(row['realm']), role: row['role'] as Role }),
            ({ realm, role }) => `${role} ${realm}`,
          );
  }

  get value(): readonly RealmRole[] {
    return this.#own?.value ?? none;
  }

  subscribe(fn: (value: readonly RealmRole[]) => void): Stop {
    return this.#mine(this.#own).subscribe(fn);
  }

  role(realm: string): Role | null {
    const { user } = this.#parts;
    return user === null ? null : this.#roleOf(realm, user);
  }

  members(realm: string): Live<readonly Member[]> {
    const show = (row: RowObject): Member =>
      Object.freeze({
        user: String(row['user']),
        role: row['role'] as Role,
        createdAt: row['createdAt'] as Date,
        ...this.#stateOf(row),
      });
    return new Shown(
      this.#table.where('realm', '=', text(realm, 'A realm')).orderBy('user').live(),
      show,
      ({ user, role, createdAt, pending, accepted }) =>
        `${role} ${pending} ${accepted} ${+createdAt} ${user}`,
    );
  }

  #stateOf(row: RowObject): Pick<Member, 'pending' | 'accepted'> {
    const changes = this.#table.isPending(String(row['id']), { realm: String(row['realm']) });
    // The server notes who is asked.
    const isAsked = changes && row['by'] === null && row['user'] !== this.#parts.user;
    const accepted = row['accepted'] === true || (row['accepted'] === null && !isAsked);
    return { pending: changes || !accepted, accepted };
  }

  create(): Mutation<string> {
    const user = this.#mine(this.#parts.user);
    const realm = this.#parts.newRealm();
    checkMember(realm, user);
    return this.#run('skerry/found', { realm }, (table) => {
      table.create({ id: membershipId(realm, user), realm, user, role: 'owner' });
      return realm;
    });
  }

  invite(realm: string, user: string, role: Role): Mutation<void> {
    checkMember(realm, user, role);
    return this.#run('skerry/invite', { realm, user, role }, (table) => {
      const id = membershipId(realm, user);
      if (this.#roleOf(realm, user) !== null) {
        // A role is raised by it, and never lowered.
        table.upsert({ id, realm, user, role });
        return;
      }
      this.#refuseStranger(realm);
      table.create({ id, realm, user, role });
    });
  }

  setRole(realm: string, user: string, role: Role): Mutation<void> {
    checkMember(realm, user, role);
    return this.#run('skerry/setRole', { realm, user, role }, (table) => {
      this.#refuseMissing(realm, user);
      table.update(membershipId(realm, user), { role });
    });
  }

  remove(realm: string, user: string): Mutation<void> {
    checkMember(realm, user);
    return this.#end('skerry/remove', { realm, user }, realm, user);
  }

  leave(realm: string): Mutation<void> {
    const user = this.#mine(this.#parts.user);
    return this.#end('skerry/leave', { realm }, realm, user);
  }

  accept(realm: string): Mutation<void> {
    return this.#answer('skerry/accept', realm, (table, id) =>
      table.update(id, { accepted: true }, { realm }),
    );
  }

  decline(realm: string): Mutation<void> {
    return this.#answer('skerry/decline', realm, (table, id) => table.delete(id, { realm }));
  }

  block(user: string): Mutation<void> {
    const own = this.#mine(this.#parts.user);
    checkUser(user);
    if (user === own)
      throw new ValidationError('invalid_argument', 'A user cannot block themselves.');
    for (const { realm, by } of this.invitations.value) if (by === user) this.decline(realm);
    return this.#parts.mutations.append(blockedStream, `user:${own}`, {
      name: 'skerry/block',
      arg: JSON.stringify({ user }),
    });
  }

  #answer(
    name: string,
    realm: string,
    body: (table: TableWriter, id: string) => void,
  ): Mutation<void> {
    const user = this.#mine(this.#parts.user);
    checkMember(realm, user);
    return this.#run(name, { realm }, (table) => {
      if (!this.invitations.has(realm))
        throw new NotFoundError('not_found', 'There is no invitation to this realm.');
      body(table, membershipId(realm, user));
    });
  }

  /** The state of the window has changed. */
  follow({ invitations, lost = [] }: Pick<WindowState, 'invitations' | 'lost'>): void {
    this.invitations.update(invitations);
    // The user had accepted these memberships before the server lost the realms, and another founded them again.
    for (const { realm } of this.invitations.value)
      if (lost.includes(realm)) queueMicrotask(() => this.#acceptAgain(realm));
  }

  #acceptAgain(realm: string): void {
    try {
      if (this.invitations.has(realm)) this.accept(realm);
    } catch (error) {
      // The next window that is opened does it.
      if (!(error instanceof ClosedError)) throw error;
    }
  }

  #end(name: string, arg: object, realm: string, user: string): Mutation<void> {
    return this.#run(name, arg, (table) => {
      this.#refuseMissing(realm, user);
      table.delete(membershipId(realm, user));
    });
  }

  #run<V>(name: string, arg: object, body: (table: TableWriter) => V): Mutation<V> {
    return this.#parts.mutations.run(name, JSON.stringify(arg), (tx) =>
      body((tx as Members)[membersTable]),
    );
  }

  #mine<V>(own: V | null): V {
    if (own !== null) return own;
    throw new ValidationError('invalid_argument', 'Shared realms need a user: name one in open().');
  }

  #roleOf(realm: string, user: string): Role | null {
    const row = this.#table.get(membershipId(realm, user));
    return row === undefined ? null : (row['role'] as Role);
  }

  #refuseMissing(realm: string, user: string): void {
    if (this.#roleOf(realm, user) === null)
      throw new NotFoundError('not_found', `${user} is no member of this realm.`);
  }

  /** A user who is not a member invites nobody. */
  #refuseStranger(realm: string): void {
    if (this.role(realm) === null)
      throw new ReadOnlyError('read_only', 'Only an owner of the realm may invite to it.');
  }
}

const none: readonly RealmRole[] = Object.freeze([]);

function text(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ValidationError('invalid_argument', `${what} is named by a text.`);
}

function checkMember(realm: string, user: string, role: Role = 'reader'): void {
  text(realm, 'A realm');
  checkUser(user);
  if (!roles.includes(role))
    throw new ValidationError('wrong_type', `A role is ${roles.join(', ')}.`);
}
