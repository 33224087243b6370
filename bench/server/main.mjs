// `npm run bench -- server`: pushes and pulls a second of a real server on a PostgreSQL of its own, beside a bare driver on
// the same PostgreSQL in the same run. One row a push; so many clients, each with one push in flight.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startCluster } from '../../tools/lib/cluster.mjs';
import { root } from '../../tools/lib/paths.mjs';
import { markdown } from '../lib/report.mjs';
import { within } from '../lib/within.mjs';
import { openBare } from './bare.mjs';
import { Http, measure, Pusher } from './load.mjs';

const kMs = Number(process.env.SKERRY_BENCH_MS ?? 5_000);
const kWarmMs = 1_000;
const kChangedRows = 10_000;

const schema = {
  version: 1,
  accepts: [],
  tables: [
    {
      name: 'cities',
      ids: 'string',
      autosubscribe: false,
      props: [
        { name: 'name', type: 'string', optional: false, index: false, unique: false },
        { name: 'population', type: 'number', optional: true, index: false, unique: false },
      ],
    },
  ],
};

/** A node of the server; `flags` are Node's own, for profiles (SKERRY_BENCH_FLAGS=--cpu-prof). */
async function startNode(folder, url) {
  const file = join(folder, 'schema.mjs');
  writeFileSync(file, `export default ${JSON.stringify(schema)};`);
  const flags = (process.env.SKERRY_BENCH_FLAGS ?? '').split(' ').filter(Boolean);
  const main = join(root, 'server', 'dist', 'main.js');
  const args = ['--schema', file, '--port', '0', '--data', join(folder, 'data'), '--dev'];
  const child = spawn(process.execPath, [...flags, main, ...args], {
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const ready = new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const found = /skerry-server ready (\S+)/.exec(output);
      if (found) resolve(found[1]);
    });
    void ended.then((code) => reject(new Error(`the server ended with ${code}: ${output}`)));
  });
  return {
    url: await within(60_000, 'a server', ready),
    async stop() {
      child.kill('SIGTERM');
      await within(30_000, 'the end of the server', ended);
    },
  };
}

async function pushes(url, bare) {
  const rows = [];
  for (const [realms, flight] of [
    [1, 16],
    [1, 256],
    [64, 16],
    [64, 256],
  ]) {
    const http = new Http(url, flight);
    const clients = Array.from({ length: flight }, (_, n) => {
      const user = realms === 1 ? 'all' : `u${n % realms}`;
      return new Pusher(http, user, realms === 1 ? 'public' : `user:${user}`);
    });
    const ours = clients.map((client) => () => client.push());
    await measure(ours, kWarmMs);
    const measured = await measure(ours, kMs);
    http.close();
    const names = Array.from({ length: realms }, (_, n) => `r${n}`);
    await bare.realms(names);
    const floor = Array.from({ length: flight }, (_, n) => () => bare.push(names[n % realms]));
    await measure(floor, kWarmMs);
    rows.push({
      name: `push, ${realms} realms, ${flight} in flight`,
      ours: measured,
      bare: await measure(floor, kMs),
    });
  }
  return rows;
}

async function pulls(url) {
  const http = new Http(url, 16);
  const realm = 'user:puller';
  const client = crypto.randomUUID();
  const body = (cursor) =>
    JSON.stringify({
      ...{ client, schema: 1, realmsToken: null, have: [], seen: {}, limit: 10_000 },
      cursors: { [realm]: cursor },
      scopes: [{ table: 'cities', where: ['true'], filled: true }],
    });
  const pusher = new Pusher(http, 'puller', realm);
  for (let i = 0; i < 5; i++) await pusher.push();
  const before = JSON.parse(await http.post('/v1/pull', body('0@0'), 'puller')).cursors[realm];
  const ids = Array.from({ length: kChangedRows }, () => crypto.randomUUID());
  const id = crypto.randomUUID();
  const update = {
    ...{ id, after: { [realm]: null }, base: { [realm]: 0 }, at: Date.now() },
    actions: [{ id: crypto.randomUUID(), name: 'bench', arg: null, at: Date.now() }],
    ops: ids.map((row) => ({
      ...{ op: 'create', table: 'cities', id: row, realm, set: { name: 'x' }, by: [0] },
    })),
  };
  const push = { client: crypto.randomUUID(), schema: 1, epoch: 1, seen: {}, updates: [update] };
  await http.post('/v1/push', JSON.stringify(push), 'puller');
  const many = JSON.parse(await http.post('/v1/pull', body(before), 'puller'));
  if (many.changes.length !== kChangedRows) throw new Error(`${many.changes.length} changes`);
  await pusher.push();
  const rows = [];
  for (const [count, cursor] of [
    [1, many.cursors[realm]],
    [kChangedRows + 1, before],
  ]) {
    const text = body(cursor);
    const work = Array.from({ length: 16 }, () => () => http.post('/v1/pull', text, 'puller'));
    await measure(work, kWarmMs);
    rows.push({
      name: `pull, ${count} changed rows, 16 in flight`,
      ours: await measure(work, kMs),
    });
  }
  http.close();
  return rows;
}

function cellsOf({ name, ours, bare }) {
  const one = ({ rate, p50, p99 }) =>
    `${rate.toFixed(0)}/s (p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms)`;
  const share = bare ? `${((100 * ours.rate) / bare.rate).toFixed(0)} %` : '–';
  return [name, one(ours), bare ? one(bare) : '–', share];
}

export async function serverBench() {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-server-'));
  const cluster = await startCluster();
  try {
    const admin = postgres(cluster.url, { max: 1 });
    await admin.unsafe('create database ours');
    await admin.unsafe('create database bare');
    await admin.end();
    const named = (name) => cluster.url.replace(/[^/]+$/, name);
    const bare = await openBare(named('bare'));
    const node = await startNode(folder, named('ours'));
    const rows = [...(await pushes(node.url, bare)), ...(await pulls(node.url))];
    await node.stop();
    await bare.close();
    const head = ['workload', 'ours', 'bare driver, no HTTP, no rules', 'share'];
    return { text: markdown(head, rows.map(cellsOf)), failed: false };
  } finally {
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
