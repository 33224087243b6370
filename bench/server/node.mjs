// The server under measurement, in a process of its own.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../tools/lib/paths.mjs';
import { within } from '../lib/within.mjs';

/** Signs the tokens of the benchmark's users: a client brings one with each request, as in production. */
export const secret = 'the secret of the benchmark, which guards nothing';

export const schema = {
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

/** Starts a program that prints `<name> ready <url>`; stopped by SIGTERM. */
export async function startProgram(name, args, env) {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A benchmark that failed leaves nothing running.
  const abandon = () => child.kill('SIGKILL');
  process.once('exit', abandon);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  void ended.then(() => process.off('exit', abandon));
  const ready = new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const found = new RegExp(`${name} ready (\\S+)`).exec(output);
      if (found) resolve(found[1]);
    });
    void ended.then((code) => reject(new Error(`${name} ended with ${code}: ${output}`)));
  });
  return {
    url: await within(60_000, name, ready),
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await within(30_000, `the end of ${name}`, ended);
    },
  };
}

/** The command of the server. */
export const serverMain = join(root, 'server', 'dist', 'main.js');

/** Writes a schema as the module that `--schema` takes, and returns its path. */
export function writeSchema(folder, described) {
  const file = join(folder, 'schema.mjs');
  writeFileSync(file, `export default ${JSON.stringify(described)};`);
  return file;
}

/** Node's own flags of a server, for profiles (SKERRY_BENCH_FLAGS=--cpu-prof). */
export const serverFlags = (process.env.SKERRY_BENCH_FLAGS ?? '').split(' ').filter(Boolean);

/** A node of the server. */
export function startNode(folder, url) {
  const file = writeSchema(folder, schema);
  // One address and few users do what many would do.
  const limits = ['requestsPerUser=0', 'requestsPerClient=0', 'workPerUser=0', 'readsPerUser=7'];
  const args = ['--schema', file, '--port', '0', '--data', join(folder, 'data')];
  args.push(...limits.flatMap((limit) => ['--limit', limit]));
  return startProgram('skerry-server', [...serverFlags, serverMain, ...args, '--secret', secret], {
    DATABASE_URL: url,
  });
}
