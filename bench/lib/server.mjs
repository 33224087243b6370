// A skerry-server of its own, filled with the cities, which serves the benchmark page.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../../tools/lib/paths.mjs';

const kReady = /skerry-server ready (http:\/\/\S+)/;

/** Resolves with its address and `stop` when it is filled. */
export async function startServer(folder) {
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
      ...['--static', folder, '--seed', join(root, 'bench', 'lib', 'seed.mjs')],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise((resolve, reject) => {
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
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  return { url, stop };
}
