// `npm run bench -- fairness [parts of attacks' names] [--seconds 6] [--write]`: twenty ordinary users push and pull while one
// caller does the worst that he can; beside a calm time right before, of the same server and the same users. A fresh
// server for each attack, on PGlite and on PostgreSQL; all of it on 127.0.0.0/8.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { startCluster } from '../../tools/lib/cluster.mjs';
import { SetupError } from '../../tools/lib/run.mjs';
import { digits, markdown } from '../lib/report.mjs';
import { within } from '../lib/within.mjs';
import { attacks } from './attacks.mjs';
import { serverOf } from './servers.mjs';
import { kThinkMs, kUsers, Users } from './users.mjs';

const kWarmMs = 1_000;
const kCalmMs = 4_000;
/** Of the attack, before it is measured: queues fill. */
const kBeginMs = 500;
const kPrepareMs = 120_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function startAttack(url, signer, name) {
  const argument = JSON.stringify({ url, signer, name });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'attacker.mjs'), argument], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const abandon = () => child.kill('SIGKILL');
  process.once('exit', abandon);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value ?? '';
  return {
    pid: child.pid,
    async prepared() {
      if ((await within(kPrepareMs, name, line())) !== 'ready') throw new Error(`${name} failed`);
    },
    begin: () => child.stdin.write('begin\n'),
    async end() {
      child.stdin.write('end\n');
      const answers = await within(10_000, name, line());
      process.off('exit', abandon);
      child.kill('SIGKILL');
      return JSON.parse(answers);
    },
  };
}

/** Seconds of processor time. */
function workedSeconds(pid) {
  if (process.platform !== 'linux') return Number.NaN;
  const [, rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = rest.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

function residentMB(pid) {
  if (process.platform !== 'linux') return Number.NaN;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function oneAttack({ name, folder, url: databaseUrl, seconds }) {
  const server = await serverOf(attacks[name].server, folder, databaseUrl);
  const users = await Users.come(server.url, server.signer);
  const attack = startAttack(server.url, server.signer, name);
  await attack.prepared();
  const living = users.run();
  await pause(kWarmMs);
  const calm = await users.measure(kCalmMs);
  const before = residentMB(server.pid);
  attack.begin();
  await pause(kBeginMs);
  const pids = [server.pid, attack.pid];
  const worked = pids.map(workedSeconds);
  const under = await users.measure(seconds * 1000);
  const busy = pids.map((pid, n) => workedSeconds(pid) - worked[n]);
  const answers = await attack.end();
  const grown = residentMB(server.pid) - before;
  users.end();
  await living;
  await server.stop();
  return { name, calm, under, answers, grown, busy };
}

function cellsOf(database, { name, calm, under, answers, grown }) {
  const share = under.rate / calm.rate;
  const slower = under.p99 / calm.p99;
  const failed = [...under.failures].map(([what, count]) => `${count} × ${what}`).join(', ');
  const counts = Object.entries(answers).map(([status, count]) => `${status}: ${count}`);
  const held = share >= 0.5 && slower <= 5 && failed === '';
  return [
    ...[database, name, `${digits(calm.rate)}/s, ${digits(calm.p99)} ms`],
    `${digits(under.rate)}/s, ${digits(under.p99)} ms`,
    `${(100 * share).toFixed(0)} %, ${slower.toFixed(1)}×`,
    ...[failed || '–', held ? 'yes' : 'no', counts.join(', ') || '–', `${grown.toFixed(0)} MB`],
  ];
}

/** Runs the attacks whose names have one of these parts, or all. */
export async function fairnessBench({ names, seconds }, note) {
  const chosen = Object.keys(attacks).filter(
    (name) => names.length === 0 || names.some((part) => name.includes(part)),
  );
  if (chosen.length === 0) throw new SetupError(`Attacks: ${Object.keys(attacks).join('; ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-fairness-'));
  const cluster = await startCluster();
  const admin = new Client(cluster.url);
  const rows = [];
  try {
    await admin.connect();
    const load = loadavg()[0].toFixed(1);
    for (const [n, name] of chosen.entries()) {
      await admin.query(`create database attack_${n}`);
      const url = cluster.url.replace(/[^/]+$/, `attack_${n}`);
      for (const [database, at] of [
        ['PGlite', undefined],
        ['PostgreSQL', url],
      ]) {
        const measured = await oneAttack({ name, folder, url: at, seconds });
        rows.push(cellsOf(database, measured));
        const [ofServer, ofAttacker] = measured.busy.map((each) => each.toFixed(1));
        note(
          `${rows.at(-1).join(' | ')} | processor: server ${ofServer} s, attacker ${ofAttacker} s`,
        );
      }
    }
    const head = [
      'database',
      'attack',
      'calm (requests, p99)',
      'attacked',
      'share, slower',
      'failures',
      '≥ 50 %, ≤ 5×, none',
      'what the attacker was answered',
      'memory',
    ];
    const text = [
      markdown(head, rows),
      '',
      `${kUsers} users, each with one request under way and ${kThinkMs} ms between pushes; ${seconds} s an attack; ${cpus().length} cores for server, database, users and attacker together; load average before it: ${load}.`,
    ].join('\n');
    return { text, failed: false };
  } finally {
    await admin.end();
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
