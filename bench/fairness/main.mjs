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
import { secret, serverFlags, serverMain, startProgram, writeSchema } from '../server/node.mjs';
import { attacks } from './attacks.mjs';
import { Caller, note, tokenOf } from './caller.mjs';
import { schema } from './schema.mjs';

const kUsers = 20;
const kThinkMs = 50;
const kWarmMs = 1_000;
const kCalmMs = 4_000;
/** Of the attack, before it is measured: queues fill. */
const kBeginMs = 500;
const kPrepareMs = 120_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Users who push a row and pull, again and again; `times` of the requests since it was last emptied, and failures. */
class Users {
  #callers;
  #ended = false;
  times = [];
  failures = new Map();

  constructor(callers) {
    this.#callers = callers;
  }

  static async come(url) {
    const callers = [];
    for (let n = 0; n < kUsers; n++) {
      const user = `user${n}`;
      callers.push({ caller: new Caller(url, await tokenOf(user)), realm: `user:${user}` });
    }
    return new Users(callers);
  }

  run() {
    return Promise.all(this.#callers.map((each) => this.#live(each)));
  }

  /** What so many milliseconds bring. */
  async measure(ms) {
    this.times = [];
    this.failures = new Map();
    const began = performance.now();
    await pause(ms);
    const seconds = (performance.now() - began) / 1000;
    const times = [...this.times].sort((a, b) => a - b);
    return {
      rate: times.length / seconds,
      // Where nothing was answered, it took at least as long as it was measured.
      p99: times[Math.floor(times.length * 0.99)] ?? ms,
      failures: new Map(this.failures),
    };
  }

  end() {
    this.#ended = true;
    for (const { caller } of this.#callers) caller.close();
  }

  async #live({ caller, realm }) {
    const scopes = [{ table: 'notes', where: ['true'], filled: true }];
    // Ordinary users do not all begin in the same moment.
    await pause(Math.random() * kThinkMs);
    while (!this.#ended) {
      const update = caller.update([note(realm, { title: 'x' })]);
      await this.#timed(
        () => caller.push([update]),
        (body) => body.results[0].status === 'applied',
      );
      await this.#timed(
        () => caller.pull({ scopes }),
        (body) => {
          caller.cursors = body.cursors;
          return true;
        },
      );
      await pause(kThinkMs);
    }
  }

  async #timed(ask, fits) {
    const began = performance.now();
    const { status, text } = await ask();
    if (this.#ended) return;
    const ok = status === 200 && fits(JSON.parse(text));
    if (ok) {
      this.times.push(performance.now() - began);
      return;
    }
    const what = status === 200 ? text.slice(0, 80) : String(status);
    this.failures.set(what, (this.failures.get(what) ?? 0) + 1);
    // As clients do.
    await pause(1_000);
  }
}

function startAttack(url, name) {
  const argument = JSON.stringify({ url, name });
  const child = spawn(process.execPath, [join(import.meta.dirname, 'attacker.mjs'), argument], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const abandon = () => child.kill('SIGKILL');
  process.once('exit', abandon);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value ?? '';
  return {
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

function residentMB(pid) {
  if (process.platform !== 'linux') return Number.NaN;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function oneAttack({ name, folder, url: databaseUrl, seconds }) {
  const file = writeSchema(folder, schema);
  const data = mkdtempSync(join(folder, 'data-'));
  const args = ['--schema', file, '--port', '0', '--data', data, '--secret', secret];
  const server = await startProgram('skerry-server', [...serverFlags, serverMain, ...args], {
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
  });
  const users = await Users.come(server.url);
  const attack = startAttack(server.url, name);
  await attack.prepared();
  const living = users.run();
  await pause(kWarmMs);
  const calm = await users.measure(kCalmMs);
  const before = residentMB(server.pid);
  attack.begin();
  await pause(kBeginMs);
  const under = await users.measure(seconds * 1000);
  const answers = await attack.end();
  const grown = residentMB(server.pid) - before;
  users.end();
  await living;
  await server.stop();
  return { name, calm, under, answers, grown };
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
        note(rows.at(-1).join(' | '));
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
