// A pgbouncer in transaction mode in front of a database, for tests: few connections to the database, which all clients share.

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ownerOfServers } from './cluster.mjs';

const kReadyWithinMs = 30_000;

function reaches(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** `clients`: as findDatabaseClients returns them. `database`: its URL, with a password. */
export async function startPgbouncer(clients, database) {
  const { hostname, port: behind, username, password, pathname } = new URL(database);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'skerry-pgbouncer-'));
  chmodSync(folder, 0o755);
  const users = join(folder, 'users.txt');
  writeFileSync(users, `"${username}" "${password}"\n`);
  const config = join(folder, 'pgbouncer.ini');
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'plain',
    auth_file: users,
    pool_mode: 'transaction',
    default_pool_size: 2,
    ignore_startup_parameters: 'extra_float_digits',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(
    config,
    `[databases]\n* = host=${hostname} port=${behind} user=${username} password=${password}\n[pgbouncer]\n${lines.join('\n')}\n`,
  );
  const child = spawn(clients.pgbouncer, [config], {
    ...ownerOfServers(),
    env: { ...process.env, ...clients.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const until = Date.now() + kReadyWithinMs;
  while (!(await reaches(port))) {
    if (child.exitCode !== null || Date.now() > until)
      throw new Error(`pgbouncer does not start:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url: `postgres://${username}:${password}@127.0.0.1:${port}${pathname}`,
    async stop() {
      child.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
