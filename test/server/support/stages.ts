// The parts of two nodes on one PostgreSQL, without HTTP: one reads, and what it reads can be watched; the other one
// commits between two of its statements.

import { randomBytes, randomUUID } from 'node:crypto';
import { Authority } from '../../../server/src/authority/authority.ts';
import type { Database, Queryable } from '../../../server/src/db/database.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import { PlainTables } from '../../../server/src/plain/plain-table.ts';
import { SealedTimes } from '../../../server/src/plain/sealed-time.ts';
import { Puller } from '../../../server/src/pull/pull.ts';
import { Committer } from '../../../server/src/push/commit.ts';
import type { Result } from '../../../server/src/push/done.ts';
import { RealmsTokens } from '../../../server/src/rights/realms-token.ts';
import type { Caller } from '../../../server/src/rights/rights.ts';
import { applySchema } from '../../../server/src/sql/apply-schema.ts';
import { withMembers } from '../../../server/src/sql/members.ts';
import { migrate } from '../../../server/src/sql/migrations.ts';
import { sqlSchema } from '../../../server/src/sql/tables.ts';
import { pullOf } from '../../../server/src/wire/pulls.ts';
import { makeDatabase, postgresUrl } from './database.ts';
import { testSchema } from './schemas.ts';
import { type Json, WireClient } from './server.ts';

const described = withMembers(testSchema);

export const grants = (user: string, realms: Readonly<Record<string, 'read' | 'write'>> = {}) =>
  ({ id: user, grants: new Map(Object.entries(realms)), expires: null }) satisfies Caller;

export class TwoNodes {
  readonly tokens = new RealmsTokens(['a key of the tests, long enough for realms tokens']);
  readonly puller: Puller;
  readonly tables: PlainTables;
  readonly #authority: Authority;
  readonly #databases: readonly Database[];
  readonly #committer: Committer;
  #watch: { readonly text: string; readonly then: () => Promise<void> } | null = null;

  private constructor(authority: Authority, databases: readonly [Database, Database]) {
    const schema = sqlSchema(described);
    this.#authority = authority;
    this.#databases = databases;
    this.#committer = new Committer(databases[1], authority, schema, { invitations: 'direct' });
    const images = { offer: () => Promise.reject(new Error('no image is asked for')) };
    const watched: Database = {
      ...databases[0],
      ...this.#watched(databases[0]),
      transaction: (options, work) =>
        databases[0].transaction(options, (tx) => work(this.#watched(tx))),
    };
    this.puller = new Puller({
      ...{ database: watched, authority, schema, images },
      tokens: this.tokens,
      snapshotSaves: 100,
    });
    this.tables = new PlainTables(
      watched,
      schema,
      new SealedTimes(randomBytes(32).toString('hex')),
    );
  }

  static async open(): Promise<TwoNodes> {
    const url = await makeDatabase(String(postgresUrl), `test_${randomUUID().slice(0, 8)}`);
    const [mine, others] = [await openPostgres(url, 2), await openPostgres(url, 2)];
    await migrate(others);
    await others.transaction({ mode: 'tables' }, (tx) =>
      applySchema(tx, described, sqlSchema(described)),
    );
    return new TwoNodes(await Authority.load(described), [mine, others]);
  }

  /** Does this once, right after the reading node has read by a statement with this text. */
  after(text: string, then: () => Promise<void>): void {
    this.#watch = { text, then };
  }

  get isWatching(): boolean {
    return this.#watch !== null;
  }

  #watched(on: Queryable): Queryable {
    const took = async (sql: string) => {
      const { text, then } = this.#watch ?? {};
      if (then === undefined || !sql.includes(String(text))) return;
      this.#watch = null;
      await then();
    };
    return {
      async query<Row extends object>(sql: string, params?: readonly (string | null)[]) {
        const rows = await on.query<Row>(sql, params);
        await took(sql);
        return rows;
      },
    };
  }

  /** Commits one update at the other node. */
  async commit(
    client: WireClient,
    ops: readonly Json[],
    user: Caller = grants(client.user),
  ): Promise<Result> {
    const unit = { client: client.id, user, epoch: 1, update: client.update(ops) };
    const { results } = await this.#committer.commit([unit], { wait: true });
    return results[0] as Result;
  }

  async pull(
    user: Caller,
    cursors: Json,
    filled: boolean,
    realmsToken: unknown = null,
  ): Promise<Json> {
    const request = {
      ...{ client: new WireClient('').id, schema: 1, have: [], seen: {}, limit: 100, cursors },
      scopes: [{ table: 'cities', where: ['true'], filled }],
    };
    return JSON.parse(
      await this.puller.pull({ user, request: pullOf(request, 100), realmsToken }),
    ) as Json;
  }

  async close(): Promise<void> {
    await Promise.all(this.#databases.map((database) => database.close()));
    await this.#authority.close();
  }
}
