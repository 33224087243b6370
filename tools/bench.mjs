// `npm run bench -- quick` or `-- server`: builds what is shipped and runs bench/main.mjs
// with the arguments given and the Chromium found.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { buildAll } from './build.mjs';
import { findChromium } from './lib/chromium.mjs';
import { root } from './lib/paths.mjs';
import { main, run, SetupError } from './lib/run.mjs';

await main(async () => {
  const entry = join(root, 'bench', 'main.mjs');
  if (!existsSync(entry)) throw new SetupError('There is no bench/main.mjs to run yet.');
  const server = process.argv[2] === 'server';
  await bootstrap({ browser: !server, postgres: server });
  await buildAll();
  const result = await run(process.execPath, [entry, ...process.argv.slice(2)], {
    cwd: root,
    env: server ? {} : { CHROMIUM_PATH: findChromium() },
    allowFailure: true,
    stream: true,
  });
  process.exitCode = result.code;
});
