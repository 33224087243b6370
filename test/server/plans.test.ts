// Goal: PostgreSQL looks up every key by an index, without any setting that forbids scans: on new tables, on large
// ones, and on tables that have grown since the plan was made. Method: the statements of real pushes, pulls and reads
// of /v1/tables are recorded, and their generic plans explained; and the rows scanned by one connection are counted.

import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PgConnection } from '../../server/src/db/pg-connection.ts';
import { createServer } from '../../server/src/index.ts';
import { connectTo, makeDatabase, postgresUrl } from './support/database.ts';
import { create, everything, update } from './support/pulling.ts';
import { testSchema } from './support/schemas.ts';
import { Folder, type Json, post, WireClient } from './support/server.ts';

const kRealm = 'user:ada';
const kRows = 100_000;

/** Every kind of push and pull once. */
async function workload(url: string): Promise<void> {
  const [author, other] = [new WireClient(url, 'ada'), new WireClient(url, 'ada')];
  const push = async (...ops: Json[]) =>
    expect(await author.push(ops)).toMatchObject({ status: 'applied' });
  const ask = async (more: Json = {}) => expect((await other.pull(more)).status).toBe(200);
  const [group, member] = [randomUUID(), randomUUID()];
  await push(
    create(kRealm, 'c1', { name: 'a', country: 'x', code: 'k1' }),
    { op: 'create', table: 'userGroups', id: group, realm: kRealm, set: { name: 'g' } },
    { op: 'create', table: 'members', id: member, realm: kRealm, set: { group } },
  );
  other.scopes = everything.map((scope) => ({ ...scope, filled: false }));
  await ask({ refill: true });
  other.scopes = everything;
  await ask();
  const table = async (lastUpdateTime: unknown) =>
    (await post(url, '/v1/tables/cities', { lastUpdateTime }, author.headers)).body;
  const { lastUpdateTime } = await table(null);
  await push(update(kRealm, 'c1', { name: 'b', code: 'k2' }));
  const resent = author.update([update(kRealm, 'c1', { population: 4 })]);
  await author.send([resent]);
  await author.send([resent]);
  await push({ op: 'delete', table: 'userGroups', id: group, realm: kRealm });
  await table(lastUpdateTime);
  await ask({ have: [resent.id], known: [(resent.actions as Json[])[0]?.id], limit: 1 });
  other.scopes = [{ table: 'cities', where: ['=', 'country', 'x'], filled: false }];
  await ask();
}

/** Fills every table, like those of a server after long use. */
const kFill = `
  insert into skerry.realm (realm, epoch) select 'r' || n, 'e' from generate_series(1, ${kRows / 5}) n;
  insert into skerry.client select 'c' || n, 'u' from generate_series(1, ${kRows}) n;
  insert into skerry.chain select 'r' || n, 'c' || n, 1, 'u', '{}' from generate_series(1, ${kRows}) n;
  insert into skerry.action select 'r' || n % 1000, 'a' || n, 1 from generate_series(1, ${kRows}) n;
  insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, tables, streams, changes, bytes)
    select 'r' || n % 1000, n, n, 'c', 'u', 'u' || n, true, '["cities"]', '[]', 1, 300 from generate_series(1, ${kRows}) n;
  insert into skerry.change select 'r' || n % 1000, n, 'cities', 'i' || n, null, false from generate_series(1, ${kRows}) n;
  insert into skerry.image select 'i' || n, 'r' || n, 'e', 1, 1, 'h', 1, 's' from generate_series(1, ${kRows / 5}) n;
  insert into cities (id, realm, revision, created_at, modified_at, name, country, code)
    select 'i' || n, 'r' || n % 1000, 1, now(), now(), 'n', 'c' || n % 100, 'k' || n from generate_series(1, ${kRows}) n;
  insert into user_groups (id, realm, revision, created_at, modified_at, name)
    select 'g' || n, 'r' || n % 1000, 1, now(), now(), 'n' from generate_series(1, ${kRows}) n;
  insert into members (id, realm, revision, created_at, modified_at, "group")
    select 'm' || n, 'r' || n % 1000, 1, now(), now(), 'g' || n from generate_series(1, ${kRows}) n;
  insert into notices (id, realm, revision, created_at, modified_at)
    select 'n' || n, 'r' || n % 1000, 1, now(), now() from generate_series(1, ${kRows}) n;
  insert into skerry.membership (id, realm, revision, created_at, modified_at, "user", "role")
    select 'r' || n % 1000 || '/' || n, 'r' || n % 1000, 1, now(), now(), 'u' || n, 'writer' from generate_series(1, ${kRows}) n;
  insert into skerry.user_rights select 'u' || n, 'v', n * 1000 from generate_series(1, ${kRows}) n;
  analyze`;

/** One table that is never large: a few lines about the database. */
const kSmall = /^(Parallel )?Seq Scan on meta\b/;

describe.skipIf(postgresUrl === undefined)('the plans of PostgreSQL', () => {
  const folder = new Folder();
  const recorded = new Map<string, readonly (string | null)[]>();
  let url: string;
  let sql: Client;

  beforeAll(async () => {
    url = await makeDatabase(postgresUrl ?? '', `plans_${randomUUID().slice(0, 8)}`);
    const { query } = PgConnection.prototype;
    const auth = { dev: true };
    const options = { schema: testSchema, data: folder.data, database: url, port: 0, auth };
    const server = await createServer(options);
    PgConnection.prototype.query = function (text, params) {
      recorded.set(text, params);
      return query.call(this, text, params);
    };
    try {
      await workload(server.url);
    } finally {
      PgConnection.prototype.query = query;
      await server.close();
    }
    sql = await connectTo(url);
    await sql.query('set plan_cache_mode = force_generic_plan');
  });
  afterAll(async () => {
    await sql?.end();
    folder.remove();
  });

  /** The scans of whole tables in the plans of the recorded statements. */
  async function scans(): Promise<string[]> {
    const found: string[] = [];
    for (const [text, params] of recorded) {
      const quoted = params.map((param) =>
        param === null ? 'null' : `'${param.replaceAll("'", "''")}'`,
      );
      await sql.query(`prepare asked as ${text}`);
      const { rows } = await sql.query(
        `explain execute asked${quoted.length > 0 ? `(${quoted.join()})` : ''}`,
      );
      await sql.query('deallocate asked');
      for (const line of rows) {
        const node = String(line['QUERY PLAN']).replace(/^[\s>-]+/, '');
        if (/\bSeq Scan on\b/.test(node) && !kSmall.test(node))
          found.push(`${node}: ${text.replace(/\s+/g, ' ').slice(0, 200)}`);
      }
    }
    return found;
  }

  test('do not scan new tables', async () => {
    expect(recorded.size).toBeGreaterThan(25);
    expect(await scans()).toEqual([]);
  });

  test('do not scan large tables', async () => {
    await sql.query(kFill);
    expect(await scans()).toEqual([]);
  });

  test('are not kept while a small table grows', async () => {
    await sql.query(`create table grown (id text primary key);
      insert into grown select 'a' || n from generate_series(1, 100) n; analyze grown`);
    const patience = { statementMs: 60_000, answerWithinMs: 60_000, plansKeptMs: 0 };
    const connection = await PgConnection.open(url, {}, patience);
    const look = () => connection.query('select g.id from grown g where g.id = $1::text', ['a1']);
    const scanned = async () => {
      const rows = await connection.query(
        `select pg_stat_get_xact_tuples_returned('grown'::regclass)::text as n`,
        [],
      );
      return Number(([...rows] as { n: string }[])[0]?.n);
    };
    try {
      await connection.simple('begin');
      for (let i = 0; i < 10; i++) await look();
      expect(await scanned()).toBe(1_000);
      await sql.query(`insert into grown select 'b' || n from generate_series(1, 50000) n`);
      await look();
      expect(await scanned()).toBeLessThan(1_100);
    } finally {
      await connection.close();
    }
  });
});
