// A skerry-server of its own, filled with the cities, which serves the benchmark page.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../../tools/lib/paths.mjs';
import { within } from './within.mjs';

const kFillLimitMs = 120_000;
const kStopLimitMs = 20_000;
const kReady = /skerry-server ready (http:\/\/\S+)/;

/** Resolves with its address and `stop` when it is filled, by one of the files beside this one. */
export async function startServer(folder, seed = 'seed.mjs') {
  const data = mkdtempSync(join(tmpdir(), 'skerry-bench-data-'));
  const schema = join(data, 'schema.mjs');
  await build({
    absWorkingDir: join(root, 'bench', 'page'),
    entryPoints: ['schema.ts'],
    outfile: schema,
    bundle: true,
    format: 'esm',
    platform: 'node',
    alias: { skerry: join(root, 'dist', 'index.js') },
    logLevel: 'warning',
  });
  const child = spawn(
    process.execPath,
    [
      join(root, 'server', 'dist', 'main.js'),
      ...['--schema', schema, '--port', '0', '--data', join(data, 'database'), '--dev'],
      ...['--static', folder, '--seed', join(root, 'bench', 'lib', seed)],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const ready = new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const found = kReady.exec(output);
      if (found) resolve(`${found[1]}/`);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    try {
      await within(kStopLimitMs, 'the end of the server', ended);
    } finally {
      child.kill('SIGKILL');
      rmSync(data, { recursive: true, force: true, maxRetries: 5 });
    }
  };
  try {
    return { url: await within(kFillLimitMs, 'a server that is filled', ready), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
