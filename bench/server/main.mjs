// `npm run bench -- server [--write]`: pushes and pulls a second of a real server on a PostgreSQL of its own, in one run
// with three things beside it: the same work by hand behind HTTP (bare-http.mjs), and, in the benchmark's own process, the
// node's flusher without HTTP (in-process.mjs) and a bare driver that does the least that the database asks for (bare.mjs).
// One row a push; so many clients, each with one push in flight. SKERRY_BENCH_MS is the time of a measurement,
// SKERRY_BENCH_ONLY the beginning of the workloads' names.

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { Client } from 'pg';
import { startCluster } from '../../tools/lib/cluster.mjs';
import { markdown } from '../lib/report.mjs';
import { openBare } from './bare.mjs';
import { openInProcess } from './in-process.mjs';
import { Http, measure, overHttp, Pusher } from './load.mjs';
import { schema, secret, startNode, startProgram } from './node.mjs';

const kMs = Number(process.env.SKERRY_BENCH_MS ?? 5_000);
const kWarmMs = 1_000;
const kChangedRows = 10_000;
const kPullsInFlight = 16;
const wanted = (name) => name.startsWith(process.env.SKERRY_BENCH_ONLY ?? '');

const realmOf = (user) => `user:${user}`;

function tokenOf(user) {
  const claims = new SignJWT({ sub: user, realms: { public: 'write' } });
  const key = new TextEncoder().encode(secret);
  return claims.setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(key);
}

async function warmAndMeasure(work) {
  await measure(work, kWarmMs);
  return measure(work, kMs);
}

/** Clients that push, spread over so many realms; `senderOf` gives how those of a user send. */
async function pushed(senderOf, realms, flight) {
  const clients = [];
  for (let n = 0; n < flight; n++) {
    const user = `u${n % realms}`;
    const realm = realms === 1 ? 'public' : realmOf(user);
    clients.push(new Pusher(await senderOf(user, realm), realm));
  }
  return warmAndMeasure(clients.map((client) => () => client.push()));
}

async function pushedTo(url, realms, flight) {
  const http = new Http(url, flight);
  const measured = await pushed(
    async (user) => overHttp(http, await tokenOf(user)),
    realms,
    flight,
  );
  http.close();
  return measured;
}

async function pushes({ ours, byHand, inProcess, bare }) {
  const rows = [];
  for (const [realms, flight] of [
    [1, 16],
    [1, 256],
    [64, 16],
    [64, 256],
  ]) {
    const name = `push, ${realms} realm${realms === 1 ? '' : 's'}, ${flight} in flight`;
    if (!wanted(name)) continue;
    const names = Array.from({ length: realms }, (_, n) => `r${n}`);
    await bare.realms(names);
    const work = Array.from({ length: flight }, (_, n) => () => bare.push(names[n % realms]));
    rows.push({
      name,
      ours: await pushedTo(ours.url, realms, flight),
      byHand: await pushedTo(byHand.url, realms, flight),
      inProcess: await pushed(inProcess.sender, realms, flight),
      bare: await warmAndMeasure(work),
    });
  }
  return rows;
}

const pullBody = (realm, cursor) =>
  JSON.stringify({
    ...{ client: crypto.randomUUID(), schema: 1, realmsToken: null, have: [], seen: {} },
    ...{ limit: 10_000, cursors: { [realm]: cursor } },
    scopes: [{ table: 'cities', where: ['true'], filled: true }],
  });

/** A realm with a push of many rows in it; returns the cursors before it, and before the push of one row after it. */
async function fill(http, token, realm) {
  const pusher = new Pusher(overHttp(http, token), realm);
  const head = async (from) =>
    JSON.parse(await http.post('/v1/pull', pullBody(realm, from), token)).cursors[realm];
  for (let i = 0; i < 5; i++) await pusher.push();
  const before = await head('0@0');
  const [id, at] = [crypto.randomUUID(), Date.now()];
  const update = {
    ...{ id, after: { [realm]: null }, base: { [realm]: 0 }, at },
    actions: [{ id: crypto.randomUUID(), name: 'bench', arg: null, at }],
    ops: Array.from({ length: kChangedRows }, () => {
      const row = crypto.randomUUID();
      return { op: 'create', table: 'cities', id: row, realm, set: { name: 'x' }, by: [0] };
    }),
  };
  const push = { client: crypto.randomUUID(), schema: 1, epoch: 1, seen: {}, updates: [update] };
  await http.post('/v1/push', JSON.stringify(push), token);
  const after = await head(before);
  await pusher.push();
  return { before, after };
}

/** `byHand` reads what our server has written. */
async function pulls({ ours, byHand }) {
  const rows = [];
  if (!wanted('pull')) return rows;
  const [mine, theirs] = [ours, byHand].map(({ url }) => new Http(url, kPullsInFlight));
  const realm = realmOf('puller');
  const token = await tokenOf('puller');
  const { before, after } = await fill(mine, token, realm);
  for (const [count, cursor] of [
    [1, after],
    [kChangedRows + 1, before],
  ]) {
    const text = pullBody(realm, cursor);
    const pulled = async (http) => {
      const { changes } = JSON.parse(await http.post('/v1/pull', text, token));
      if (changes.length !== count) throw new Error(`${changes.length} changes`);
      const pull = () => http.post('/v1/pull', text, token);
      return warmAndMeasure(Array.from({ length: kPullsInFlight }, () => pull));
    };
    rows.push({
      name: `pull, ${count === 1 ? '1 changed row' : `${count} changed rows`}, ${kPullsInFlight} in flight`,
      ours: await pulled(mine),
      byHand: await pulled(theirs),
    });
  }
  mine.close();
  theirs.close();
  return rows;
}

function cellsOf({ name, ours, byHand, inProcess, bare }) {
  const one = ({ rate, p50, p99 }) =>
    `${rate.toFixed(rate < 100 ? 1 : 0)}/s (${p50.toFixed(1)}, ${p99.toFixed(1)} ms)`;
  const share = (of, floor) => `${((100 * of.rate) / floor.rate).toFixed(0)} %`;
  const cells = [name, one(ours), one(byHand), share(ours, byHand)];
  if (!bare) return [...cells, '–', '–', '–'];
  return [...cells, one(inProcess), one(bare), `${share(ours, bare)}, ${share(inProcess, bare)}`];
}

/** Databases of the cluster; that of the work by hand gets its tables from a server that is stopped again. */
async function databases(cluster, folder) {
  const named = (name) => cluster.url.replace(/[^/]+$/, name);
  const admin = new Client(cluster.url);
  await admin.connect();
  for (const name of ['ours', 'hand', 'bare']) await admin.query(`create database ${name}`);
  await admin.end();
  await (await startNode(folder, named('hand'))).stop();
  const hand = new Client(named('hand'));
  await hand.connect();
  const realms = ['public', ...Array.from({ length: 64 }, (_, n) => realmOf(`u${n}`))];
  await hand.query(`insert into skerry.realm (realm, epoch) select unnest($1::text[]), 'bench'`, [
    realms,
  ]);
  await hand.end();
  return named;
}

export async function serverBench() {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-server-'));
  const cluster = await startCluster();
  try {
    const named = await databases(cluster, folder);
    const byHand = (name) =>
      startProgram('bare', [join(import.meta.dirname, 'bare-http.mjs')], {
        DATABASE_URL: named(name),
      });
    const load = loadavg()[0].toFixed(1);
    const bare = await openBare(named('bare'));
    const ours = await startNode(folder, named('ours'));
    const inProcess = await openInProcess(named('ours'), schema);
    const [pusher, puller] = [await byHand('hand'), await byHand('ours')];
    const rows = [
      ...(await pushes({ ours, byHand: pusher, inProcess, bare })),
      ...(await pulls({ ours, byHand: puller })),
    ];
    for (const program of [ours, pusher, puller]) await program.stop();
    await inProcess.close();
    await bare.close();
    const head = [
      'workload',
      'ours (p50, p99)',
      'the same rows by hand, behind HTTP',
      'share',
      'ours without HTTP',
      'grouped statements, without HTTP',
      'share: ours, without HTTP',
    ];
    const text = [
      markdown(head, rows.map(cellsOf)),
      '',
      `${cpus().length} cores for server, PostgreSQL and the clients together; load average before it: ${load}.`,
    ].join('\n');
    return { text, failed: false };
  } finally {
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
