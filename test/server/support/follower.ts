// A client that receives all that it may read, as docs/protocol.md describes: changes, pages, and scopes that are
// filled again.

import { expect } from 'vitest';
import { type Json, WireClient } from './server.ts';

/** The maximum answer that a client accepts. */
const kAnswerBytes = 8 << 20;

interface Page {
  readonly table: string;
  readonly above: string;
  readonly upto: string | null;
  readonly realms: readonly string[];
  readonly ids: readonly string[];
}

/** Where a follower was, after a pull. */
export interface FollowerPlace {
  readonly rows: ReadonlyMap<string, Json>;
  readonly cursors: Readonly<Record<string, string>>;
}

export class Follower {
  readonly client: WireClient;
  /** Its rows: props by `realm table id`. */
  readonly rows = new Map<string, Json>();
  /** Of the last `follow`. */
  answers: Json[] = [];

  /** Subscribes to all of these tables. */
  constructor(url: string, user: string, tables: readonly string[], client?: WireClient) {
    this.client = client ?? new WireClient(url, user);
    this.client.scopes = tables.map((table) => ({ table, where: ['true'], filled: false }));
  }

  get place(): FollowerPlace {
    return { rows: new Map(this.rows), cursors: { ...this.client.cursors } };
  }

  /** Goes on from where another one was. */
  goOnFrom({ rows, cursors }: FollowerPlace): void {
    for (const scope of this.client.scopes) scope.filled = true;
    this.client.cursors = { ...cursors };
    for (const [key, props] of rows) this.rows.set(key, props);
  }

  get refilled(): unknown[] {
    return this.answers.flatMap(({ refill }) => (refill as Json[] | undefined) ?? []);
  }

  /** Pulls until there is no more. */
  async follow(more: Json = {}): Promise<void> {
    this.answers = [];
    for (let round = 0; round < 300; round++) {
      const { status, body } = await this.client.pull({ refill: true, ...more });
      expect([status, body.code]).toEqual([200, undefined]);
      expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThanOrEqual(kAnswerBytes);
      this.answers.push(body);
      this.#fold(body);
      if (body.more !== true) return;
    }
    throw new Error('pull: no end');
  }

  #fold(body: Json): void {
    for (const change of body.changes as Json[]) {
      const at = (realm: unknown) => `${realm} ${change.table} ${change.id}`;
      const held = this.rows.get(at(change.realm));
      if (change.change === 'create') this.rows.set(at(change.realm), change.set as Json);
      else this.rows.delete(at(change.realm));
      if (change.change !== 'update' && change.change !== 'move') continue;
      this.rows.set(at(change.to ?? change.realm), { ...held, ...(change.set as Json) });
    }
    const fills = body.fills as (Page & { url?: string })[];
    const came = new Set(
      (body.changes as Json[])
        .filter(({ change }) => change === 'create')
        .map(({ realm, table, id }) => `${realm} ${table} ${id}`),
    );
    for (const page of fills) if (page.url === undefined) this.#replace(page, came);
    for (const scope of this.client.scopes) {
      const page = fills.find(({ table }) => table === scope.table);
      if (page !== undefined) scope.filled = page.upto ?? true;
      const refill = (body.refill as Json[] | undefined) ?? [];
      if (refill.some(({ table }) => table === scope.table)) scope.filled = false;
    }
    this.client.cursors = { ...this.client.cursors, ...(body.cursors as Record<string, string>) };
    for (const realm of body.revoked as string[]) this.#drop(realm);
  }

  /** Forgets a realm that the user may no longer read. */
  #drop(realm: string): void {
    delete this.client.cursors[realm];
    for (const key of [...this.rows.keys()]) {
      if (key.startsWith(`${realm} `)) this.rows.delete(key);
    }
  }

  /** Rows in the page's range are deleted, but for those of its ids that came with it, in their realms. */
  #replace({ table, above, upto, realms, ids }: Page, came: ReadonlySet<string>): void {
    for (const key of [...this.rows.keys()]) {
      const [realm, of, id] = key.split(' ') as [string, string, string];
      if (of !== table || !realms.includes(realm) || id <= above) continue;
      if (upto !== null && id > upto) continue;
      if (!ids.includes(id) || !came.has(key)) this.rows.delete(key);
    }
  }
}
