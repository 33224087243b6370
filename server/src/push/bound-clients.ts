// Which client identities belong to whom: those that were seen lately are remembered, so that a pull need not ask the
// database; of the others it is read, and only one that nobody has used before is written.

import type { User } from '../auth/auth.ts';
import type { Database } from '../db/database.ts';
import { Problem } from '../http/problem.ts';
import { bindClients, ownerOf, Present } from './locks.ts';

export class BoundClients {
  readonly #database: Database;
  readonly #remembered: number;
  /** The most recently used is the last. */
  readonly #known = new Map<string, string>();

  constructor(database: Database, remembered: number) {
    this.#database = database;
    this.#remembered = remembered;
  }

  async check(client: string, user: User): Promise<void> {
    const owner = this.#known.get(client) ?? (await this.#owner(client, user));
    if (owner !== undefined) this.#remember(client, owner);
    if (owner === user.id) return;
    throw new Problem(
      'client_bound',
      'This client identity belongs to another user: take a new one.',
    );
  }

  async #owner(client: string, user: User): Promise<string | undefined> {
    return (await ownerOf(this.#database, client)) ?? this.#bind(client, user);
  }

  #bind(client: string, user: User): Promise<string | undefined> {
    return this.#database.transaction({ mode: 'write' }, async (tx) => {
      const [, owner] = await Promise.all([
        bindClients(tx, [{ client, user }], new Present(1)),
        ownerOf(tx, client),
      ]);
      return owner;
    });
  }

  #remember(client: string, owner: string): void {
    this.#known.delete(client);
    this.#known.set(client, owner);
    if (this.#known.size <= this.#remembered) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
