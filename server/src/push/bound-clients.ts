// The users of client identities. Recently seen ones are remembered, so that a pull need not ask the database. Others
// are read, and only an identity that was never used before is written.

import { LruMap } from '../base/lru-map.ts';
import { Problem } from '../base/problem.ts';
import type { Database, Spent, Within } from '../db/database.ts';
import type { Caller } from '../rights/rights.ts';
import { bindClients, KnownRowsCache, ownerOf } from './locks.ts';

export class BoundClients {
  readonly #database: Database;
  readonly #known: LruMap<string>;

  constructor(database: Database, remembered: number) {
    this.#database = database;
    this.#known = new LruMap(remembered);
  }

  async check(client: string, user: Caller, { spent }: Within = {}): Promise<void> {
    const owner = this.#known.get(client) ?? (await this.#owner(client, user, spent));
    if (owner !== undefined) this.#known.use(client, owner);
    if (owner === user.id) return;
    throw new Problem(
      'client_bound',
      'This client identity belongs to another user: take a new one.',
    );
  }

  async #owner(client: string, user: Caller, spent?: Spent): Promise<string | undefined> {
    return (await ownerOf(this.#database, client)) ?? this.#bind(client, user, spent);
  }

  #bind(client: string, user: Caller, spent?: Spent): Promise<string | undefined> {
    return this.#database.transaction({ mode: 'write', spent }, async (tx) => {
      const [, owner] = await Promise.all([
        bindClients(tx, [{ client, user }], new KnownRowsCache(1)),
        ownerOf(tx, client),
      ]);
      return owner;
    });
  }
}
