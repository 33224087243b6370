// What goes on beside a reader: users found realms, write, move and delete rows, invite each other and the reader, and
// remove them again. The model says what the reader may know after each step. All steps are valid by the model, so a
// server that refuses one fails the test.

import { expect } from 'vitest';
import { invite, remove, setRole } from '../memberships.ts';
import { pick, type Random } from '../random.ts';
import { type Json, uuid7, type WireUpdate } from '../server.ts';
import { Caller, tokenOf } from './caller.ts';
import { mark, type Secrets } from './secrets.ts';

type Role = 'owner' | 'writer' | 'reader';

export interface Row {
  readonly table: string;
  readonly id: string;
  realm: string;
  name: string;
  /** Its first name, which stays in other props. */
  readonly first: string;
  /** The note that it refers to. */
  readonly note: string | null;
}

interface Realm {
  readonly name: string;
  readonly members: Map<string, Role>;
  /** Whether the reader may be invited. */
  readonly isOpen: boolean;
  /** The ids of all rows that it has had: a table names those that are gone, also to who may read it since later. */
  readonly ids: Set<string>;
  /** What was said in its stream. */
  readonly said: string[];
}

/** The tables whose rows refer to a note; `locks` keep it from being moved or deleted. */
const kChildren = ['parts', 'links', 'locks', 'marks'];

export class World {
  readonly realms: Realm[] = [];
  readonly rows = new Map<string, Row>();
  readonly updates: { id: string; action: string; client: string; realm: string }[] = [];
  readonly users: Caller[] = [];
  readonly reader: string;
  readonly #secrets: Secrets;
  readonly #next: Random;
  /** Notes of the reader that hidden rows refer to. */
  aims: readonly string[] = [];

  private constructor(reader: string, secrets: Secrets, next: Random) {
    this.reader = reader;
    this.#secrets = secrets;
    this.#next = next;
  }

  static async begin(url: string, reader: string, secrets: Secrets, next: Random): Promise<World> {
    const world = new World(reader, secrets, next);
    const team = `team ${mark()}`;
    for (let i = 0; i < 3; i++) {
      const name = mark();
      secrets.keep(name, 'the name of a user');
      const user = new Caller(url, name, await tokenOf(name, { [team]: 'write' }));
      secrets.keep(user.id, 'the identity of a client');
      world.users.push(user);
      world.#add(`user:${name}`, [[name, 'owner']], false);
    }
    // A claim stands beside memberships: all hold it but the reader.
    world.#add(
      team,
      world.users.map(({ user }) => [user, 'writer'] as const),
      false,
    );
    for (const isOpen of [true, false]) await world.found(isOpen);
    return world;
  }

  /** The realms that the reader may read now. */
  get readable(): Realm[] {
    return this.realms.filter(({ members }) => members.has(this.reader));
  }

  get hidden(): Realm[] {
    return this.realms.filter(({ members }) => !members.has(this.reader));
  }

  rowsIn(realm: Realm): Row[] {
    return [...this.rows.values()].filter((row) => row.realm === realm.name);
  }

  async step(): Promise<string> {
    const steps: readonly [number, () => Promise<string | null>][] = [
      [1, () => this.found(this.#next(2) === 0)],
      [4, () => this.#invite()],
      [3, () => this.#changeRole()],
      [3, () => this.#remove()],
      [6, () => this.#create()],
      [4, () => this.#update()],
      [4, () => this.#move()],
      [2, () => this.#delete()],
      [2, () => this.#append()],
    ];
    const all = steps.flatMap(([weight, step]) => Array<typeof step>(weight).fill(step));
    for (;;) {
      const done = await pick(this.#next, all)();
      if (done !== null) return done;
    }
  }

  async found(isOpen: boolean): Promise<string> {
    const [user, name] = [pick(this.#next, this.users), uuid7()];
    this.#add(name, [[user.user, 'owner']], isOpen);
    const row = this.#newRow(name);
    await this.#push(user, invite(name, user.user, 'owner'), this.#createOp(row));
    return `found ${name}`;
  }

  #add(name: string, members: readonly (readonly [string, Role])[], isOpen: boolean): void {
    this.#secrets.keep(name, 'the name of a realm');
    this.realms.push({ name, members: new Map(members), isOpen, ids: new Set(), said: [] });
  }

  #newRow(realm: string, table = 'notes', note: string | null = null): Row {
    const first = mark();
    const row = { table, id: mark(), realm, name: first, first, note };
    this.rows.set(row.id, row);
    return row;
  }

  #createOp({ table, id, realm, name, note }: Row): Json {
    this.#secrets.keep(`${id} ${name}`, `${table} in ${realm}`);
    const more = { code: `code ${name}`, votes: this.#next(100), extra: { inner: [name] } };
    const set =
      table === 'notes' ? { name, ...more } : { name, ...(note === null ? {} : { note }) };
    return { op: 'create', table, id, realm, set };
  }

  async #push(user: Caller, ...ops: Json[]): Promise<void> {
    await this.#send(user, ops, user.update(ops));
  }

  async #send(user: Caller, ops: readonly Json[], update: WireUpdate): Promise<void> {
    const { body } = await user.send([update]);
    expect(body.results, JSON.stringify(ops)).toMatchObject([{ status: 'applied' }]);
    const [{ id: action }] = update.actions as [{ id: string }];
    for (const id of [update.id, action]) this.#secrets.keep(id, 'an update or action');
    const realm = String(ops[0]?.realm);
    this.updates.push({ id: update.id, action, client: user.id, realm });
    this.#reveal();
  }

  #reveal(): void {
    for (const realm of this.realms) for (const { id } of this.rowsIn(realm)) realm.ids.add(id);
    for (const realm of this.readable) {
      this.#secrets.reveal(
        [realm.name, ...realm.members.keys(), ...realm.ids, ...realm.said].join(' '),
      );
      for (const { id, name, first } of this.rowsIn(realm))
        this.#secrets.reveal(`${id} ${name} ${first}`);
    }
  }

  /** A user with one of these roles in the realm; `founded`: only in realms that have memberships. */
  #with(realm: Realm, roles: readonly Role[]): Caller | undefined {
    const able = this.users.filter(({ user }) => roles.includes(realm.members.get(user) as Role));
    return able.length === 0 ? undefined : pick(this.#next, able);
  }

  /** A realm with memberships. */
  #founded(): Realm {
    return pick(
      this.#next,
      this.realms.filter(({ name }) => /^[0-9a-f]{8}-/.test(name)),
    );
  }

  async #invite(): Promise<string | null> {
    const realm = this.#founded();
    const owner = this.#with(realm, ['owner']);
    const names = this.users.map(({ user }) => user);
    const able = [...names, ...(realm.isOpen ? [this.reader, this.reader] : [])];
    const outside = able.filter((user) => !realm.members.has(user));
    if (owner === undefined || outside.length === 0) return null;
    const user = pick(this.#next, outside);
    const role = pick(this.#next, user === this.reader ? (['reader', 'writer'] as const) : kRoles);
    realm.members.set(user, role);
    await this.#push(owner, invite(realm.name, user, role));
    return `invite ${user} to ${realm.name} as ${role}`;
  }

  async #changeRole(): Promise<string | null> {
    const realm = this.#founded();
    const owner = this.#with(realm, ['owner']);
    const others = [...realm.members.keys()].filter((user) => user !== owner?.user);
    if (owner === undefined || others.length === 0) return null;
    const user = pick(this.#next, others);
    const role = pick(this.#next, user === this.reader ? (['reader', 'writer'] as const) : kRoles);
    realm.members.set(user, role);
    await this.#push(owner, setRole(realm.name, user, role));
    return `${user} is ${role} in ${realm.name}`;
  }

  async #remove(): Promise<string | null> {
    const realm = this.#founded();
    const owner = this.#with(realm, ['owner']);
    const others = [...realm.members.keys()].filter((user) => user !== owner?.user);
    if (owner === undefined || others.length === 0) return null;
    const user = others.includes(this.reader) ? this.reader : pick(this.#next, others);
    realm.members.delete(user);
    // Some write in the commit that removes.
    const row = this.#newRow(realm.name);
    await this.#push(owner, remove(realm.name, user), this.#createOp(row));
    return `remove ${user} from ${realm.name}`;
  }

  async #create(): Promise<string | null> {
    const realm = pick(this.#next, this.realms);
    const user = this.#with(realm, ['owner', 'writer']);
    if (user === undefined) return null;
    const notes = this.rowsIn(realm).filter(({ table }) => table === 'notes');
    const kind = this.#next(4);
    const row =
      kind === 0 || notes.length === 0
        ? this.#newRow(realm.name, pick(this.#next, ['notes', 'notices']))
        : kind === 1 && this.aims.length > 0 && !realm.isOpen
          ? this.#newRow(realm.name, 'marks', pick(this.#next, this.aims))
          : this.#newRow(realm.name, pick(this.#next, kChildren), pick(this.#next, notes).id);
    await this.#push(user, this.#createOp(row));
    return `create ${row.table} ${row.id} in ${realm.name}`;
  }

  /** A row, and a user who may write it. */
  #writable(): [Row, Caller] | null {
    const realm = pick(this.#next, this.realms);
    const [user, rows] = [this.#with(realm, ['owner', 'writer']), this.rowsIn(realm)];
    return user === undefined || rows.length === 0 ? null : [pick(this.#next, rows), user];
  }

  async #update(): Promise<string | null> {
    const found = this.#writable();
    if (found === null) return null;
    const [row, user] = found;
    row.name = mark();
    this.#secrets.keep(row.name, `${row.table} in ${row.realm}`);
    const at = { table: row.table, id: row.id, realm: row.realm };
    await this.#push(user, { op: 'update', ...at, set: { name: row.name } });
    return `update ${row.table} ${row.id}`;
  }

  #children(note: Row): Row[] {
    return [...this.rows.values()].filter((row) => row.note === note.id);
  }

  async #move(): Promise<string | null> {
    const found = this.#writable();
    if (found === null) return null;
    const [row, user] = found;
    const able = this.realms.filter(
      ({ name, members }) =>
        name !== row.realm && /^(owner|writer)$/.test(members.get(user.user) ?? ''),
    );
    const children = this.#children(row);
    if (row.note !== null || able.length === 0) return null;
    if (children.some(({ table }) => table === 'locks')) return null;
    const to = pick(this.#next, able).name;
    const op = { op: 'move', table: row.table, id: row.id, realm: row.realm, to };
    for (const moved of [row, ...children.filter(({ table }) => table === 'parts')])
      moved.realm = to;
    await this.#push(user, op);
    return `move ${row.table} ${row.id} to ${to}`;
  }

  /** An action of the stream that every realm has. */
  async #append(): Promise<string | null> {
    const realm = pick(this.#next, this.realms);
    const user = this.#with(realm, ['owner', 'writer']);
    if (user === undefined) return null;
    const ops = [{ op: 'append', stream: 'chat', realm: realm.name }];
    const update = user.update(ops);
    const said = mark();
    const [action] = update.actions as Json[];
    const id = String(action?.id);
    // Who may read a stream sees its actions whole, with their authors.
    realm.said.push(said, id, user.user);
    this.#secrets.keep(`${said} ${id}`, `said in ${realm.name}`);
    await this.#send(user, ops, { ...update, actions: [{ ...action, arg: said }] });
    return `say in ${realm.name}`;
  }

  async #delete(): Promise<string | null> {
    const found = this.#writable();
    if (found === null) return null;
    const [row, user] = found;
    const children = this.#children(row);
    if (children.some(({ table }) => table === 'locks')) return null;
    for (const child of [row, ...children.filter(({ table }) => table === 'parts')])
      this.rows.delete(child.id);
    await this.#push(user, { op: 'delete', table: row.table, id: row.id, realm: row.realm });
    return `delete ${row.table} ${row.id}`;
  }
}

const kRoles: readonly Role[] = ['owner', 'writer', 'reader'];
