// A PostgreSQL of one's own, for tests and benchmarks: a cluster in a temporary folder, on a free port of the loopback
// interface, with a password that nobody else knows, durable as in production (fsync is on). PostgreSQL refuses to run
// as root, so there it runs as the user `nobody`, on a folder of that user.

import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findPostgres, postgresPrefix } from './postgres.mjs';
import { SetupError } from './run.mjs';

const kReadyWithinMs = 60_000;
const kUser = 'skerry';

/** The user that runs the server: `nobody` if we are root. */
export function ownerOfServers() {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag) => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);
  const ids = { uid: idOf('-u'), gid: idOf('-g') };
  if (!ids.uid) throw new SetupError('PostgreSQL cannot run as root, and there is no user nobody.');
  return ids;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The programs, in a folder where the server's user can run them: it may be unable to read the checkout's folder. */
function programs(folder, who) {
  const found = findPostgres();
  if (!found)
    throw new SetupError('There is no PostgreSQL: run `node tools/bootstrap.mjs --test`.');
  const asked = spawnSync(join(found.bin, 'postgres'), ['--version'], { ...who, env: found.env });
  if (asked.status === 0) return found;
  const copy = join(folder, 'programs');
  cpSync(postgresPrefix, copy, { recursive: true, verbatimSymlinks: true });
  chmodSync(copy, 0o755);
  const moved = (path) => path.replaceAll(postgresPrefix, copy);
  return {
    bin: join(copy, relative(postgresPrefix, found.bin)),
    env: Object.fromEntries(Object.entries(found.env).map(([key, path]) => [key, moved(path)])),
  };
}

/** Starts a cluster. `settings` are more settings of postgresql.conf. */
export async function startCluster(settings = {}) {
  const who = ownerOfServers();
  const folder = mkdtempSync(join(tmpdir(), 'skerry-postgres-'));
  chmodSync(folder, 0o755);
  const { bin, env } = programs(folder, who);
  const environment = { ...process.env, ...env, LC_ALL: 'C' };
  const home = mkdtempSync(join(folder, 'cluster-'));
  if (who.uid) chownSync(home, who.uid, who.gid);
  const data = join(home, 'data');
  const password = randomUUID();
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  const options = { ...who, cwd: home, env: environment };
  const secret = join(home, 'password');
  writeFileSync(secret, `${password}\n`, { mode: 0o600 });
  if (who.uid) chownSync(secret, who.uid, who.gid);
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', kUser, '-A', 'scram-sha-256', `--pwfile=${secret}`, '--no-locale', '-EUTF8'],
    { ...options, encoding: 'utf8' },
  );
  if (made.status !== 0) {
    remove();
    throw new Error(`initdb failed:\n${made.error ?? ''}${made.stdout}${made.stderr}`);
  }
  const port = await freePort();
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    fsync: 'on',
    ...settings,
  };
  const args = Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const url = `postgres://${kUser}:${password}@127.0.0.1:${port}/postgres`;

  let child = null;
  let ended = Promise.resolve();
  let output = '';

  /** Starts the server; resolves when it takes connections. */
  async function start() {
    const from = output.length;
    child = spawn(join(bin, 'postgres'), ['-D', data, ...args], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = child;
    ended = new Promise((resolve) => started.once('exit', resolve));
    await new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`PostgreSQL is not ready:\n${output}`)),
        kReadyWithinMs,
      );
      const take = (chunk) => {
        output = (output + chunk).slice(-1_000_000);
        if (!output.slice(Math.min(from, output.length)).includes('ready to accept connections'))
          return;
        clearTimeout(limit);
        resolve();
      };
      started.stdout.setEncoding('utf8').on('data', take);
      started.stderr.setEncoding('utf8').on('data', take);
      started.once('error', reject);
      void ended.then((code) => {
        clearTimeout(limit);
        reject(new Error(`PostgreSQL ended with ${code}:\n${output}`));
      });
    });
  }

  /** Stops the server as `pg_ctl stop` does: `fast`, or `immediate`, which recovers from its log at the next start. */
  async function stop(mode = 'fast') {
    child?.kill(mode === 'immediate' ? 'SIGQUIT' : 'SIGINT');
    await ended;
    child = null;
  }

  const onExit = () => {
    child?.kill('SIGQUIT');
    remove();
  };
  process.once('exit', onExit);
  try {
    await start();
  } catch (error) {
    child?.kill('SIGQUIT');
    await ended;
    remove();
    throw error;
  }
  return {
    url,
    start,
    stop,
    log: () => output,
    async remove() {
      process.off('exit', onExit);
      await stop('immediate');
      remove();
    },
  };
}
