// `npm run nightly`: checks that take longer than a test may. The tests of test/nightly (a hundred kills of the
// browser, growth over a hundred thousand changes), all rounds of the tests that run a part of their rounds by day,
// storms over three engines in other orders, fifty thousand seeds of the simulator, ten thousand seeds of the random
// test of the API, all rounds of the core's random tests under the sanitizers, all tests of the core as wasm and of the
// server on PGlite, those of other programs on the newest PostgreSQL, the fuzz tests (tools/fuzz.mjs), and the mistakes that the tests must notice (tools/mutants.mjs).
// Every part runs, even if an earlier one failed.

import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { buildAll } from './build.mjs';
import { browserEnvironment } from './lib/browsers.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { installNewestPostgres } from './lib/newest-postgres.mjs';
import { bin, build, root } from './lib/paths.mjs';
import { main, run, seconds } from './lib/run.mjs';

/** All rounds of random tests; by day only a part of them runs (test/support/rounds.ts, test/core/rounds.h). */
const kAllRounds = { SKERRY_ROUNDS: 'all' };

/** Names its programs, where there is one for this machine. */
async function newestPostgres() {
  const programs = await installNewestPostgres();
  return { ...kAllRounds, ...(programs && { SKERRY_POSTGRES_BIN: programs }) };
}

const kStorm = ['run', '--project', 'engines', 'test/engines/storm-'];
/** Name, command, arguments, and additional environment variables, or what finds them. */
const kParts = [
  ['kills and growth', join(bin, 'vitest'), ['run', '--project', 'nightly']],
  [
    'kills of browsers, servers and databases',
    join(bin, 'vitest'),
    [
      ...['run', '--project', 'browser', '--project', 'server', '--project', 'server-postgres'],
      ...[
        'test/browser/kills',
        'test/browser/account',
        'test/server/kill',
        'test/server/nodes/outage',
      ],
    ],
    kAllRounds,
  ],
  [
    'three engines, all modes',
    join(bin, 'vitest'),
    ['run', '--project', 'engines', '--exclude', '**/storm-*'],
    kAllRounds,
  ],
  ...[1, 2, 3, 4, 5].map((seed) => [
    `storm ${seed}`,
    join(bin, 'vitest'),
    kStorm,
    { ...kAllRounds, SKERRY_STORM_SEED: `${seed}` },
  ]),
  ['simulator', process.execPath, [join(root, 'tools', 'simulate.mjs'), '--seeds', '50000']],
  [
    'simulator, service worker',
    process.execPath,
    [join(root, 'tools', 'simulate.mjs'), '--seeds', '50000', '--from', '1000000001'],
  ],
  [
    'random test of the API',
    join(bin, 'vitest'),
    ['run', '--project', 'unit', 'test/js/api-model.test.ts'],
    { SKERRY_MODEL_SEEDS: '10000' },
  ],
  ['core tests, sanitized', join(build, 'debug', 'skerry_core_test'), [], kAllRounds],
  ['core tests as wasm', process.execPath, [join(build, 'wasm-test-all', 'skerry_core_test.js')]],
  [
    'other programs, on the newest PostgreSQL',
    join(bin, 'vitest'),
    [
      ...['run', '--project', 'server-postgres'],
      ...['test/server/foreign-', 'test/server/nodes/foreign-', 'test/server/nodes/adopt'],
      ...['test/server/check', 'test/server/plans'],
    ],
    newestPostgres,
  ],
  ['server on PGlite', join(bin, 'vitest'), ['run', '--project', 'server'], kAllRounds],
  ['fuzz', process.execPath, [join(root, 'tools', 'fuzz.mjs')]],
  ['mutants', process.execPath, [join(root, 'tools', 'mutants.mjs')]],
];

async function runPart(command, args, more) {
  const found = typeof more === 'function' ? await more() : more;
  const env = { NO_COLOR: '1', ...browserEnvironment(), ...found };
  const { code } = await run(command, args, { cwd: root, env, stream: true, allowFailure: true });
  return code;
}

await main(async () => {
  await bootstrap({ test: true });
  await buildAll();
  await buildPreset('debug', ['skerry_core_test']);
  await buildPreset('wasm-test-all');
  const failed = [];
  for (const [name, command, args, more] of kParts) {
    console.log(`\n▸ ${name}`);
    const start = performance.now();
    const code = await runPart(command, args, more).catch((error) => {
      console.error(error);
      return 1;
    });
    console.log(`  ${code === 0 ? '✓' : '✗'} ${name} (${seconds(performance.now() - start)})`);
    if (code !== 0) failed.push(name);
  }
  console.log(failed.length === 0 ? '\nAll of it passed.' : `\nFailed: ${failed.join(', ')}`);
  if (failed.length > 0) process.exitCode = 1;
});
