// `npm run bench`, or a part of it, `npm run bench -- quick`: builds the package and the server, finds Chromium, and
// runs bench/main.mjs with the same arguments.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { buildAll } from './build.mjs';
import { browserEnvironment } from './lib/browsers.mjs';
import { root } from './lib/paths.mjs';
import { main, run, SetupError } from './lib/run.mjs';

await main(async () => {
  const entry = join(root, 'bench', 'main.mjs');
  if (!existsSync(entry)) throw new SetupError('There is no bench/main.mjs to run yet.');
  // Without a name of a part, or with flags alone, all parts run.
  const [first = '--'] = process.argv.slice(2);
  const what = first.startsWith('--') ? 'all' : first;
  const browser = what !== 'server' && what !== 'fairness';
  await bootstrap({
    browsers: browser ? ['Chromium'] : [],
    postgres: ['server', 'fairness', 'all'].includes(what),
  });
  await buildAll();
  const result = await run(process.execPath, [entry, ...process.argv.slice(2)], {
    cwd: root,
    env: browser ? browserEnvironment() : {},
    allowFailure: true,
    stream: true,
  });
  process.exitCode = result.code;
});
