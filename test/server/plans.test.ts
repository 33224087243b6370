// Goal: PostgreSQL looks up every key by an index, without any setting that forbids scans: on new tables, on large
// ones, and on tables that have grown since the plan was made. Method: the statements of real pushes, pulls and reads
// of /v1/tables are recorded, and their generic plans explained; and the rows scanned by one connection are counted.

import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Authority } from '../../server/src/authority/authority.ts';
import { limits } from '../../server/src/base/limits.ts';
import { PgConnection } from '../../server/src/db/pg-connection.ts';
import { openPostgres } from '../../server/src/db/postgres.ts';
import { createServer } from '../../server/src/index.ts';
import { Audiences } from '../../server/src/poke/audiences.ts';
import { PokeHub } from '../../server/src/poke/hub.ts';
import { PokeRelay } from '../../server/src/poke/relay.ts';
import { forgetClients, forgetRefusals } from '../../server/src/retention/clients.ts';
import { forgetLog } from '../../server/src/retention/log.ts';
import { Retention } from '../../server/src/retention/retention.ts';
import { forgetRights } from '../../server/src/retention/rights.ts';
import { withMembers } from '../../server/src/sql/members.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { connectTo, makeDatabase, postgresUrl } from './support/database.ts';
import { invite } from './support/memberships.ts';
import { create, everything, update } from './support/pulling.ts';
import { testSchema } from './support/schemas.ts';
import { Folder, type Json, post, WireClient } from './support/server.ts';

const kRealm = 'user:ada';
const kRows = 100_000;
const kScope = ['=', 'country', 'x'];

/** Every kind of push and pull once. */
async function workload(url: string, database: string): Promise<void> {
  const [author, other] = [new WireClient(url, 'ada'), new WireClient(url, 'ada')];
  const push = async (...ops: Json[]) =>
    expect(await author.push(ops)).toMatchObject({ status: 'applied' });
  const ask = async (more: Json = {}) => {
    const { status, body } = await other.pull(more);
    expect(status).toBe(200);
    return body.cursors as Json;
  };
  const [group, member] = [randomUUID(), randomUUID()];
  await push(
    create(kRealm, 'c1', { name: 'a', country: 'x', code: 'k1' }),
    { op: 'create', table: 'userGroups', id: group, realm: kRealm, set: { name: 'g' } },
    { op: 'create', table: 'members', id: member, realm: kRealm, set: { group } },
  );
  other.scopes = everything.map((scope) => ({ ...scope, filled: false }));
  await ask({ refill: true });
  other.scopes = everything;
  const cursors = await ask();
  const shared = randomUUID();
  await push(invite(shared, 'ada', 'owner'), invite(shared, 'bo', 'writer'));
  const table = async (lastUpdateTime: unknown) =>
    (await post(url, '/v1/tables/cities', { lastUpdateTime }, author.headers)).body;
  const { lastUpdateTime } = await table(null);
  await post(url, '/v1/tables/userGroups', {}, author.headers);
  await push(update(kRealm, 'c1', { name: 'b', code: 'k2' }));
  const resent = author.update([update(kRealm, 'c1', { population: 4 })]);
  await author.send([resent]);
  await author.send([resent]);
  await push({ op: 'delete', table: 'userGroups', id: group, realm: kRealm });
  await table(lastUpdateTime);
  await ask({ have: [resent.id], known: [(resent.actions as Json[])[0]?.id], limit: 1 });
  await ask({ cursors });
  other.scopes = [{ table: 'cities', where: kScope, filled: false }];
  await ask();
  await joined(other, ask, push);
  await streamed(author, other, ask, push);
  await relayed(database, () => push(update(kRealm, 'c1', { name: 'c' })));
  await forgotten(database, new WireClient(url, 'eve'));
}

/** What is read and deleted when a log is forgotten. */
async function forgotten(databaseUrl: string, client: WireClient) {
  await client.push([create('user:eve', 'e1', { name: 'e' })]);
  await client.push([{ op: 'delete', table: 'cities', id: 'user:eve/e1', realm: 'user:eve' }]);
  const [database, authority] = [
    await openPostgres(databaseUrl),
    await Authority.load(withMembers(testSchema)),
  ];
  const schema = sqlSchema(withMembers(testSchema));
  const parts = { database, authority, schema };
  const log = (message: string, error: unknown) => {
    throw new Error(message, { cause: error });
  };
  const retention = new Retention({ ...parts, retentionMs: 3_600_000, log });
  retention.begin();
  await retention.close();
  expect(await forgetLog(parts, 'user:eve', -3_600_000)).toBe(0);
  await client.push([create('user:eve', 'e2', { name: 'e' })]);
  expect(await forgetLog(parts, 'user:eve', -3_600_000)).toBe(0);
  await database.execute(
    `set session_replication_role = replica;
     insert into skerry.client (client, user_id, at)
       select 'many' || n, 'many', n from generate_series(1, ${limits.clientsKept + 1}) n;
     insert into skerry.user_rights values ('many', 'v2', 2), ('none', 'v1', 1);
     insert into skerry.rights_given values ('many', 'v1', 1), ('many', 'v2', 2), ('none', 'v1', 1);
     insert into skerry.membership (id, realm, revision, created_at, modified_at, "user", "role")
       values ('r/many', 'r', 1, now(), now(), 'many', 'reader');
     reset session_replication_role`,
  );
  expect(await forgetRefusals(database, 10, () => true)).toBe(0);
  expect(await forgetClients(database, 10, () => true)).toBe(1);
  expect(await forgetRights(database, 10, () => true)).toBe(2);
  await Promise.all([database.close(), authority.close()]);
}

/** A scope with a sub-select: its page, and a range before the head in which an inner row changes. */
async function joined(
  reader: WireClient,
  ask: (more?: Json) => Promise<Json>,
  push: (...ops: Json[]) => Promise<unknown>,
): Promise<void> {
  const [group, member] = [randomUUID(), randomUUID()];
  const named = { table: 'userGroups', where: ['=', 'name', 'g'] };
  const of = { table: 'members', where: ['in', 'group', { ...named, select: 'id' }] };
  const rename = (name: string) =>
    push({ op: 'update', table: 'userGroups', id: group, realm: kRealm, set: { name } });
  await push(
    { op: 'create', table: 'userGroups', id: group, realm: kRealm, set: { name: 'g' } },
    { op: 'create', table: 'members', id: member, realm: kRealm, set: { group } },
  );
  reader.scopes = [
    { ...of, filled: false },
    { ...named, filled: true },
  ];
  const cursors = await ask();
  reader.scopes = reader.scopes.map((scope) => ({ ...scope, filled: true }));
  await rename('h');
  await rename('g');
  await ask({ cursors, limit: 1 });
}

/** Streams: by name, by prefix, the last actions, and a history. */
async function streamed(
  author: WireClient,
  other: WireClient,
  ask: (more?: Json) => Promise<Json>,
  push: (...ops: Json[]) => Promise<void>,
) {
  await push({ op: 'append', stream: 'chat', realm: kRealm });
  const filled = {};
  await ask({
    streams: [
      { stream: 'chat', filled },
      { stream: 'ch*', filled },
      { stream: 'chat', last: 5, filled },
    ],
  });
  for (const query of ['', '?before=7.1&limit=5']) {
    const path = `/v1/streams/${encodeURIComponent(kRealm)}/chat${query}`;
    const response = await fetch(other.url + path, { headers: author.headers });
    expect(response.status).toBe(200);
  }
}

/** What a node reads for pokes of a commit by another. */
async function relayed(databaseUrl: string, commit: () => Promise<void>) {
  const database = await openPostgres(databaseUrl);
  const frames: string[] = [];
  const hub = new PokeHub(new Set());
  const log = (message: string, error: unknown) => {
    throw new Error(message, { cause: error });
  };
  const relay = new PokeRelay({ database, hub, log });
  const audiences = new Audiences({ database, hub, heads: relay, charge: () => {} });
  const grants = new Map([[kRealm, 'read'] as const]);
  await audiences.join({
    ...{ client: 'other', user: { id: 'ada', grants, expires: null }, tables: new Set(['cities']) },
    send: (frame) => {
      frames.push(frame);
    },
    ...{ wantsStream: () => true, isGranted: async () => true },
    ...{ regrant: () => {}, fail: () => {} },
  });
  await commit();
  relay.catchUp();
  // The user's rights have changed a moment ago, too: there may be a poke for them.
  await vi.waitFor(() => expect(frames.join()).toContain('"tables":["cities"]'));
  await audiences.close();
  await relay.close();
  await database.close();
}

/** Fills every table, like those of a server after long use. */
const kFill = `
  set session_replication_role = replica;
  insert into skerry.realm (realm, epoch) select 'r' || n, 'e' from generate_series(1, ${kRows / 5}) n;
  insert into skerry.declined select 'u' || n, 'i', 9000000000000 + n from generate_series(1, ${kRows}) n;
  insert into skerry.client select 'c' || n, 'u' from generate_series(1, ${kRows}) n;
  insert into skerry.chain select 'r' || n, 'c' || n, 1, 'u', '{}' from generate_series(1, ${kRows}) n;
  insert into skerry.action select 'r' || n % 1000, 'a' || n, 1 from generate_series(1, ${kRows}) n;
  insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, tables, streams, changes, bytes)
    select 'r' || n % 1000, n, n, 'c', 'u', 'u' || n, true, '["cities"]', '[]', 1, 300 from generate_series(1, ${kRows}) n;
  insert into skerry.change select 'r' || n % 1000, n, 'cities', 'i' || n, null, false from generate_series(1, ${kRows}) n;
  insert into skerry.append select 'r' || n % 1000, 's' || n % 7, n, 0, 'a', 'n', null, 1, 1, 'u', 512 from generate_series(1, ${kRows}) n;
  insert into skerry.stream select distinct 'r' || n % 1000, 's' || n % 7, 0 from generate_series(1, ${kRows}) n;
  insert into skerry.stream_snapshot select 'r' || n % 1000, 's' || n % 7, 1, n, 'h', '{}', 2 from generate_series(1, ${kRows}) n;
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
  insert into skerry.owed select 'r' || n % 1000, 'cities', 'o' || n, 9000000000000 + n from generate_series(1, ${kRows}) n;
  insert into skerry.foreign_entry select n::text::xid8, 'r' || n % 1000, n, 9000000000000 + n from generate_series(1, ${kRows}) n;
  insert into skerry.rights_given select 'u' || n % 1000, 'v' || n, n from generate_series(1, ${kRows}) n;
  insert into skerry.user_rights select 'u' || n, 'v', n * 1000 from generate_series(1, ${kRows}) n;
  reset session_replication_role;
  analyze`;

/** One realm in which everything is: rows, and changes of two tables. */
const kLargeRealm = `
  set session_replication_role = replica;
  insert into cities (id, realm, revision, created_at, modified_at, name, country, code)
    select 'b' || n, '${kRealm}', 1, now(), now(), 'n', 'c' || n % 1000, 'b' || n from generate_series(1, ${kRows}) n;
  insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, tables, streams, changes, bytes)
    select '${kRealm}', 1000 + n, n, 'c', 'u', 'v' || n, true, '["cities"]', '[]', 1, 300 from generate_series(1, ${kRows}) n;
  insert into skerry.change select '${kRealm}', 1000 + n, case when n % 2 = 0 then 'cities' else 'notices' end, 'b' || n, null, false
    from generate_series(1, ${kRows}) n;
  insert into skerry.append select '${kRealm}', 's' || n % 7, n, 0, 'a', 'n', null, 1, 1, 'u', 512 from generate_series(1, ${kRows}) n;
  reset session_replication_role;
  analyze`;

/** One table that is never large: a few lines about the database. */
const kSmall = /^(Parallel )?Seq Scan on meta\b/;
/** Goes through all realms, in portions. */
const kOfAll = 'from skerry.realm r where r.realm > $1';

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
      await workload(server.url, url);
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

  /** The nodes of a recorded statement's plan, as lines. */
  async function planOf(text: string): Promise<string[]> {
    const quoted = (recorded.get(text) ?? []).map((param) =>
      param === null ? 'null' : `'${param.replaceAll("'", "''")}'`,
    );
    await sql.query(`prepare asked as ${text}`);
    const { rows } = await sql.query(
      `explain execute asked${quoted.length > 0 ? `(${quoted.join()})` : ''}`,
    );
    await sql.query('deallocate asked');
    return rows.map((line) => String(line['QUERY PLAN']).replace(/^[\s>-]+/, ''));
  }

  /** The plans of the recorded statements that have all of these parts; there is at least one. */
  async function plansOf(...parts: string[]): Promise<string[]> {
    const texts = [...recorded.keys()].filter((text) => parts.every((part) => text.includes(part)));
    expect(texts).not.toEqual([]);
    const plans: string[] = [];
    for (const text of texts) plans.push((await planOf(text)).join('\n'));
    return plans;
  }

  /** The scans of whole tables in the plans of the recorded statements. */
  async function scans(): Promise<string[]> {
    const found: string[] = [];
    for (const text of recorded.keys()) {
      if (text.includes(kOfAll)) continue;
      for (const node of await planOf(text)) {
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

  test('read only what a small scope concerns in one large realm', async () => {
    await sql.query(kLargeRealm);
    expect(await scans()).toEqual([]);
    // A page of a fill: by the index of the declared prop, in the order of ids.
    for (const plan of await plansOf('cross join lateral', 'left(t."country", 200)')) {
      expect(plan).toMatch(
        /Index Scan using cities_realm_country_ix on cities t.*\n\s*Index Cond: .*realm.*country.*id/,
      );
      expect(plan).not.toContain('cities_realm_ix');
    }
    // The changes of a range: of one table, by revision.
    for (const plan of await plansOf(
      'from skerry.change c',
      "c.table_name = 'cities'",
      'string_agg(k.begin',
    ))
      expect(plan).toMatch(
        /Index Scan using change_pkey on change c.*\n\s*Index Cond: .*realm.*table_name.*revision.*revision/,
      );
    // A stream's history, from its end.
    for (const plan of await plansOf('from skerry.append a', 'a.revision desc, a.position desc'))
      expect(plan).toMatch(/Index Scan Backward using append_pkey on append a/);
    // A poke: entries above the known one.
    for (const plan of await plansOf('from skerry.log e'))
      expect(plan).toMatch(
        /Index Scan using log_pkey on log e.*\n\s*Index Cond: .*realm.*revision/,
      );
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
