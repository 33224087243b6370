// The simulator: `npm run simulate -- --seeds N [--from M]`, or one seed with its trace:
// `npm run simulate -- --seed N --trace`. See docs/trust.md.

import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { build, root } from './lib/paths.mjs';
import { main, run } from './lib/run.mjs';

await main(async () => {
  await bootstrap({ test: true, browsers: [] });
  await buildPreset('sim', ['skerry_simulate']);
  const { code } = await run(join(build, 'sim', 'skerry_simulate'), process.argv.slice(2), {
    cwd: root,
    allowFailure: true,
    stream: true,
  });
  process.exitCode = code;
});
