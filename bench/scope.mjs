// `npm run bench -- scope [--write]`: what a client with a small scope costs in one realm with one table, by the table's
// size: rows of 5,000 among 10 thousand, one million and ten million, spread over the whole table, by a prop of theirs or by
// the row that they refer to (a scope with a sub-select). SKERRY_BENCH_ROWS is a list of other sizes. And what an idle pull
// costs a user of one realm, of 50, and of 500.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { Client } from 'pg';
import { WebSocket } from 'ws';
import { startCluster } from '../tools/lib/cluster.mjs';
import { digits, markdown, median } from './lib/report.mjs';
import { Http, overHttp, Pusher } from './server/load.mjs';
import { secret, serverMain, startProgram, writeSchema } from './server/node.mjs';

const kSizes = (process.env.SKERRY_BENCH_ROWS ?? '10000,1000000,10000000').split(',').map(Number);
const kScopeRows = 5_000;
const kRounds = 15;
const kWarmRounds = 3;
/** Entries of another table, above the cursors of the pulls that are measured. */
const kBusyEntries = 1_000;
const kRealm = 'public';
const kOwner = 'o0';

const prop = (name, type, index) => ({ name, type, index, optional: true, unique: false });
const table = (name, ...props) => ({ name, ids: 'string', autosubscribe: false, props });
const schema = {
  version: 1,
  accepts: [],
  tables: [
    table('documents', prop('owner', 'string', true)),
    table('events', prop('owner', 'string', true), {
      ...prop('document', 'ref', true),
      ref: { table: 'documents', onDelete: null, touch: false },
    }),
    table('cities', prop('name', 'string', false)),
  ],
};
const kScope = { table: 'events', where: ['=', 'owner', kOwner] };
const kDocuments = { table: 'documents', where: ['=', 'owner', kOwner] };
/** All events of the user's documents; the documents themselves come along. */
const kJoin = [
  kDocuments,
  { table: 'events', where: ['in', 'document', { ...kDocuments, select: 'id' }] },
];
const kRealmCounts = [1, 50, 500];

function startNode(folder, url) {
  const limits = ['requestsPerUser=0', 'requestsPerClient=0', 'workPerUser=0'];
  const args = [
    '--schema',
    writeSchema(folder, schema),
    '--port',
    '0',
    '--data',
    join(folder, 'data'),
  ];
  args.push(...limits.flatMap((limit) => ['--limit', limit]));
  return startProgram('skerry-server', [serverMain, ...args, '--secret', secret], {
    DATABASE_URL: url,
  });
}

/** The rows, and a log that has brought them; the node makes the indexes when it starts again. */
async function load(url, rows) {
  const sql = new Client({ connectionString: url });
  sql.on('error', () => {}); // the cluster is removed when something else has failed
  await sql.connect();
  // The rows come with their log: no trigger writes another.
  await sql.query('set session_replication_role = replica');
  const { rows: indexes } = await sql.query(
    `select indexname as name from pg_indexes where tablename = 'events' and indexname like '%\\_ix'`,
  );
  for (const { name } of indexes) await sql.query(`drop index "${name}"`);
  await sql.query(
    `insert into events (id, realm, revision, created_at, modified_at, owner, document)
       select 'e' || lpad(n::text, 9, '0'), '${kRealm}', 1, now(), now(), 'o' || n % $1::int, 'd' || n % $1::int
         from generate_series(0, $2::int - 1) n`,
    [rows / kScopeRows, rows],
  );
  await sql.query(
    `insert into documents (id, realm, revision, created_at, modified_at, owner)
       select 'd' || n, '${kRealm}', 1, now(), now(), 'o' || n from generate_series(0, $1::int - 1) n`,
    [rows / kScopeRows],
  );
  await sql.query(
    `insert into skerry.realm (realm, epoch, head, at, rows) values ('${kRealm}', 'bench', 1, 1000, $1)
       on conflict (realm) do update set head = 1, at = 1000, rows = excluded.rows`,
    [rows],
  );
  await sql.query(
    `insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, tables, streams, changes, bytes)
       values ('${kRealm}', 1, 1000, 'bench', 'bench', 'bench', true, '["events"]', '[]', 1, 300)`,
  );
  return sql;
}

/** A user who owns so many realms, each with a log that has begun. */
async function found(sql, user, count) {
  await sql.query(
    `with realms as (insert into skerry.realm (realm, epoch, head, at, rows)
       select gen_random_uuid()::text, 'bench', 1, 1000, 1 from generate_series(1, $2::int) returning realm),
     log as (insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, tables, streams, changes, bytes)
       select realm, 1, 1000, 'bench', $1, realm, true, '["$members"]', '[]', 1, 300 from realms)
     insert into skerry.membership (id, realm, revision, created_at, modified_at, "user", role)
       select realm || '/' || $1, realm, 1, now(), now(), $1, 'owner' from realms`,
    [user, count],
  );
}

/** Another table of the realm changes: so many entries of ten changes each, above the head. */
async function beBusy(sql) {
  await sql.query(
    `with head as (update skerry.realm set head = head + ${kBusyEntries}, at = at + ${kBusyEntries}
                    where realm = '${kRealm}' returning head - ${kBusyEntries} as head, at - ${kBusyEntries} as at),
     log as (insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, tables, streams, changes, bytes)
       select '${kRealm}', head + n, at + n, 'busy', 'busy', 'busy' || head + n, true, '["cities"]', '[]', 10, 3000
         from head, generate_series(1, ${kBusyEntries}) n)
     insert into skerry.change (realm, revision, table_name, id, before, touch)
       select '${kRealm}', head + n, 'cities', 'c' || i, null, false
         from head, generate_series(1, ${kBusyEntries}) n, generate_series(1, 10) i`,
  );
}

async function tokenOf(user) {
  const claims = new SignJWT({ sub: user, realms: { [kRealm]: 'write' } });
  const key = new TextEncoder().encode(secret);
  return claims.setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(key);
}

/** A client that holds the scope. */
class Reader {
  #http;
  #token;
  #scopes;
  client = randomUUID();
  cursors = {};

  constructor(http, token, scopes = [kScope]) {
    this.#http = http;
    this.#token = token;
    this.#scopes = scopes.map((scope) => ({ ...scope, filled: false }));
  }

  async pull() {
    const body = {
      ...{ client: this.client, schema: 1, realmsToken: null, have: [], seen: {}, limit: 10_000 },
      ...{ cursors: this.cursors, scopes: this.#scopes, refill: true },
    };
    const answer = JSON.parse(await this.#http.post('/v1/pull', JSON.stringify(body), this.#token));
    this.cursors = answer.cursors;
    for (const { table, upto } of answer.fills) {
      const scope = this.#scopes.find((other) => other.table === table);
      if (scope) scope.filled = upto ?? true;
    }
    return answer;
  }

  async fill() {
    let rows = 0;
    for (let more = true; more; ) {
      const answer = await this.pull();
      rows += answer.changes.filter(({ table }) => table === 'events').length;
      more = answer.more;
    }
    if (rows < kScopeRows || rows > kScopeRows + 100) throw new Error(`${rows} rows of the scope`);
  }
}

async function timed(work) {
  const times = [];
  for (let round = 0; round < kRounds + kWarmRounds; round++) {
    const measured = await work();
    if (round >= kWarmRounds) times.push(measured);
  }
  return median(times);
}

async function took(work) {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** A socket with the scope; `next()` resolves with the next poke. */
async function listener(url, token) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/poke`);
  const waiting = [];
  socket.on('message', () => waiting.shift()?.());
  const next = () => new Promise((resolve) => waiting.push(resolve));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const ready = next();
  socket.send(
    JSON.stringify({ type: 'hello', token, client: randomUUID(), schema: 1, scopes: [kScope] }),
  );
  await ready;
  return { next, close: () => socket.close() };
}

async function prepared(cluster, folder, rows, note) {
  const url = cluster.url.replace(/[^/]+$/, `scope${rows}`);
  const admin = new Client(cluster.url);
  await admin.connect();
  await admin.query(`create database scope${rows}`);
  await admin.end();
  await (await startNode(folder, url)).stop();
  note(`${rows} rows are made`);
  const sql = await load(url, rows);
  note('their indexes are made');
  const node = await startNode(folder, url);
  await sql.query('vacuum analyze');
  note('measuring');
  try {
    return { rows, ...(await measured(sql, node)) };
  } finally {
    await sql.end();
    await node.stop();
  }
}

async function measured(sql, node) {
  const http = new Http(node.url, 4);
  const token = await tokenOf('reader');
  const reader = () => new Reader(http, token);
  const fill = await timed(() => took(() => reader().fill()));
  const held = reader();
  await held.fill();
  const idle = await timed(() => took(() => held.pull()));
  const writer = new Pusher(overHttp(http, await tokenOf('writer')), kRealm, {
    table: 'events',
    set: { owner: kOwner },
  });
  const one = await timed(async () => {
    await writer.push();
    return took(async () => {
      const { changes } = await held.pull();
      if (changes.length !== 1) throw new Error(`${changes.length} changes`);
    });
  });
  const busy = await timed(async () => {
    await beBusy(sql);
    return took(() => held.pull());
  });
  const socket = await listener(node.url, token);
  const poke = await timed(async () => {
    // A realm pokes a client at most once in 50 ms.
    await new Promise((resolve) => setTimeout(resolve, 60));
    return took(async () => {
      const poked = socket.next();
      await writer.push();
      await poked;
    });
  });
  socket.close();
  const byDocument = () => new Reader(http, token, kJoin);
  const fillJoin = await timed(() => took(() => byDocument().fill()));
  const joined = byDocument();
  await joined.fill();
  const ofDocument = new Pusher(overHttp(http, await tokenOf('another')), kRealm, {
    table: 'events',
    set: { document: 'd0' },
  });
  const oneJoin = await timed(async () => {
    await ofDocument.push();
    return took(async () => {
      const { changes } = await joined.pull();
      if (changes.length !== 1) throw new Error(`${changes.length} changes by a sub-select`);
    });
  });
  http.close();
  return { fill, idle, one, busy, poke, fillJoin, oneJoin };
}

/** An idle pull of users of so many realms. */
async function ofManyRealms(cluster, folder) {
  const url = cluster.url.replace(/[^/]+$/, `scope${kSizes[0]}`);
  const sql = new Client({ connectionString: url });
  await sql.connect();
  const node = await startNode(folder, url);
  const http = new Http(node.url, 4);
  const times = [];
  for (const count of kRealmCounts) {
    const user = `owner-of-${count}`;
    await found(sql, user, count);
    await sql.query('vacuum analyze');
    const token = new SignJWT({ sub: user }).setProtectedHeader({ alg: 'HS256' });
    const signed = await token.setExpirationTime('1h').sign(new TextEncoder().encode(secret));
    const reader = new Reader(http, signed, []);
    await reader.pull();
    // The user's own realm is one more.
    const held = Object.keys(reader.cursors).length;
    if (held !== count + 1) throw new Error(`${held} realms instead of ${count + 1}`);
    times.push(await timed(() => took(() => reader.pull())));
  }
  http.close();
  await sql.end();
  await node.stop();
  return times;
}

export async function scopeBench(note) {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-scope-'));
  const cluster = await startCluster();
  try {
    const load = loadavg()[0].toFixed(1);
    const sizes = [];
    for (const rows of kSizes) sizes.push(await prepared(cluster, folder, rows, note));
    const names = {
      fill: `fill of the scope of ${kScopeRows} rows`,
      idle: 'pull, nothing new',
      one: 'pull, 1 changed row',
      busy: `pull, ${kBusyEntries} entries of another table`,
      poke: 'push of a row, until the poke',
      fillJoin: `fill of the ${kScopeRows} rows of one document, by a sub-select`,
      oneJoin: 'pull, 1 changed row, by a sub-select',
    };
    const [first, last] = [sizes[0], sizes.at(-1)];
    const lines = Object.entries(names).map(([key, name]) => [
      name,
      ...sizes.map((size) => `${digits(size[key])} ms`),
      `${digits(last[key] / first[key])}×`,
    ]);
    const head = ['workload', ...sizes.map(({ rows }) => `${rows} rows`), 'last to first'];
    const idle = await ofManyRealms(cluster, folder);
    const text = [
      markdown(head, lines),
      '',
      markdown(
        ['an idle pull of a user of', ...kRealmCounts.map((count) => `${count} realms`)],
        [['no scope', ...idle.map((time) => `${digits(time)} ms`)]],
      ),
      '',
      `Medians of ${kRounds}, one client; ${cpus().length} cores for server, PostgreSQL and the client; load average before it: ${load}.`,
    ].join('\n');
    return { text, failed: false };
  } finally {
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
