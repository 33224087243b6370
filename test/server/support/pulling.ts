// Shared by the tests of pulls: clients, ops, and helpers for answers.

import { Follower } from './follower.ts';
import type { Json, WireClient } from './server.ts';
import { SharedServer } from './shared-server.ts';

export const everything = ['cities', 'userGroups', 'members', 'notices'].map((table) => ({
  table,
  where: ['true'],
  filled: true,
}));

/** A server for the tests of a file, and clients of it. */
export class PullStage {
  readonly #server = new SharedServer();
  #users = 0;

  client(user: string): WireClient {
    return this.#server.client(user);
  }

  /** A client that receives all of these tables. */
  follower(user: string, tables: readonly string[]): Follower {
    return new Follower(this.#server.url, user, tables);
  }

  /** Two clients of a user whose personal realm is empty, with scopes over everything. */
  pair(): { realm: string; author: WireClient; other: WireClient } {
    const user = `pull-${++this.#users}`;
    const [author, other] = [this.client(user), this.client(user)];
    author.scopes = everything;
    other.scopes = everything;
    return { realm: `user:${user}`, author, other };
  }
}

/** Ids are unique over all realms; those of custom tables carry their realm here. */
const inRealm = (realm: string, id: string) => (id.length === 36 ? id : `${realm}/${id}`);

export const create = (realm: string, id: string, set: Json, table = 'cities') => ({
  op: 'create',
  table,
  id: inRealm(realm, id),
  realm,
  set,
});
export const update = (realm: string, id: string, set: Json) => ({
  op: 'update',
  table: 'cities',
  id: inRealm(realm, id),
  realm,
  set,
});
export const remove = (realm: string, id: string, table = 'cities') => ({
  op: 'delete',
  table,
  id: inRealm(realm, id),
  realm,
});
export const inc = (realm: string, id: string, by: number) => ({
  op: 'inc',
  table: 'cities',
  id: inRealm(realm, id),
  realm,
  add: { population: by },
});

/** The changes of an object, by the end of its id. */
export const changesOf = (body: Json, id: string) =>
  (body.changes as Json[]).filter((change) => String(change.id).endsWith(`/${id}`));
