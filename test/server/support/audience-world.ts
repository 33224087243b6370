// Audiences in this process, over a database that is a map of memberships. A reading sees the memberships of the moment in
// which it begins, and is answered when the test says so. Time stands still unless the test moves it.

import { vi } from 'vitest';
import type { Right } from '../../../server/src/auth/user.ts';
import type { Queryable, TransactionOptions } from '../../../server/src/db/database.ts';
import type { AudienceMember } from '../../../server/src/poke/audience.ts';
import { Audiences } from '../../../server/src/poke/audiences.ts';
import { PokeHub } from '../../../server/src/poke/hub.ts';
import type { PokedEntry } from '../../../server/src/push/done.ts';
import type { Json } from './server.ts';

export interface Hearing extends AudienceMember {
  readonly heard: Json[];
  readonly failures: unknown[];
  regrants: number;
  isStillGranted: boolean;
}

export class AudienceWorld {
  readonly memberships = new Map<string, Set<string>>();
  /** The memberships of users that were read, and of which realms: null is all. */
  readonly reads: {
    readonly users: readonly string[];
    readonly realms: readonly string[] | null;
  }[] = [];
  readonly charged = new Map<string, number>();
  /** How often each realm is watched. */
  readonly watched = new Map<string, number>();
  readonly hub = new PokeHub(new Set(), (user, ms) => this.#charge(user, ms));
  readonly audiences: Audiences;
  /** What a reading costs the database, ms. */
  costMs = 1;
  failure: Error | null = null;
  #held: (() => void)[] | null = null;
  readonly #revisions = new Map<string, number>();

  constructor() {
    this.audiences = new Audiences({
      hub: this.hub,
      charge: (user, ms) => this.#charge(user, ms),
      heads: {
        watch: async (realms) => this.#watch(realms, 1),
        unwatch: (realms) => this.#watch(realms, -1),
      },
      database: { transaction: (options, work) => this.#transaction(options, work) },
    });
  }

  member(user: string, realms: readonly string[] = [], client = 'other'): Hearing {
    const heard: Json[] = [];
    const failures: unknown[] = [];
    const grants = new Map(realms.map((realm): [string, Right] => [realm, 'read']));
    const member: Hearing = {
      ...{ client, heard, failures, regrants: 0, isStillGranted: true },
      user: { id: user, grants, expires: null },
      tables: new Set(['cities']),
      wantsStream: () => false,
      send: (frame) => heard.push(JSON.parse(frame) as Json),
      isGranted: async () => member.isStillGranted,
      regrant: () => {
        member.regrants++;
      },
      fail: (error) => failures.push(error),
    };
    return member;
  }

  async joined(user: string, realms: readonly string[] = [], client = 'other'): Promise<Hearing> {
    const member = this.member(user, realms, client);
    const joining = this.audiences.join(member);
    await this.turns();
    await joining;
    return member;
  }

  /** Sets the membership. Nobody is told. */
  set(user: string, realm: string, isMember: boolean): void {
    const realms = this.memberships.get(user) ?? new Set();
    this.memberships.set(user, realms);
    if (isMember) realms.add(realm);
    else realms.delete(realm);
  }

  /** A commit in the realm, and the memberships that it changes. */
  commit(realm: string, users: Readonly<Record<string, boolean>> = {}, author = 'mal'): PokedEntry {
    for (const [user, isMember] of Object.entries(users)) this.set(user, realm, isMember);
    const revision = (this.#revisions.get(realm) ?? 0) + 1;
    this.#revisions.set(realm, revision);
    const touched = { tables: ['cities'], streams: [] };
    const entry = {
      realm,
      revision,
      client: 'author',
      author,
      ...touched,
      users: Object.keys(users),
    };
    this.hub.committed([entry]);
    return entry;
  }

  /** Readings are not answered until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const answer of held) answer();
  }

  /** Everything that is due happens; no time passes. */
  async turns(): Promise<void> {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
    await this.turns();
  }

  #charge(user: string, ms: number): void {
    if (ms > 0) this.charged.set(user, (this.charged.get(user) ?? 0) + ms);
  }

  #watch(realms: Iterable<string>, by: number): void {
    for (const realm of realms) {
      const left = (this.watched.get(realm) ?? 0) + by;
      if (left === 0) this.watched.delete(realm);
      else this.watched.set(realm, left);
    }
  }

  async #transaction<Value>(
    { spent }: TransactionOptions,
    work: (tx: Queryable) => Promise<Value>,
  ): Promise<Value> {
    const query = async (text: string, params: readonly (string | null)[] = []) =>
      text.includes('skerry.user_rights')
        ? this.#all(String(params[0]))
        : this.#some(JSON.parse(String(params[0])) as { realm: string; id: string }[]);
    const { failure } = this;
    const value = await work({ query } as Queryable);
    if (this.#held !== null) await new Promise<void>((answer) => this.#held?.push(answer));
    spent?.(this.costMs);
    if (failure !== null) throw failure;
    return value;
  }

  #all(user: string): object[] {
    this.reads.push({ users: [user], realms: null });
    const members = [...(this.memberships.get(user) ?? [])].map((realm) => [realm, 'reader']);
    return [{ members: JSON.stringify(members), founded: '[]', version: null, at: null }];
  }

  #some(places: readonly { readonly realm: string; readonly id: string }[]): object[] {
    const asked = places.map(({ realm, id }) => ({ realm, user: id.slice(realm.length + 1), id }));
    const users = [...new Set(asked.map(({ user }) => user))];
    this.reads.push({ users, realms: asked.map(({ realm }) => realm) });
    return asked
      .filter(({ realm, user }) => this.memberships.get(user)?.has(realm))
      .map(({ id }) => ({ id, role: 'reader' }));
  }
}
