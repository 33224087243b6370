// The whole check: `npm test`, or a slice of it: `npm test -- core|simulator|js|server|browser|engines|package|lint`.
//
// Every step runs even if an earlier one failed, so that one run shows all failures. The last lines are
// the count over all steps (native tests, vitest's tests, and one for each other check), and the
// failures.
//
// What has passed before on the same files is counted and not run again (lib/passed), but with `--fresh`.
//
// The whole check runs in three processes. Tests with browsers and databases often wait, so the steps
// that only compute (kBeside) run beside them, at a low priority, and are reported at the end.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { buildDemo, buildPackage, buildServer, buildWasm } from './build.mjs';
import { biome, clangFormat, clangTidy, published, sizes, types } from './lib/lint.mjs';
import { checkOnce } from './lib/passed/checks.mjs';
import { doctest, simulator } from './lib/passed/doctest.mjs';
import { isFresh } from './lib/passed/fresh.mjs';
import { Stamps } from './lib/passed/stamps.mjs';
import { vitest } from './lib/passed/vitest.mjs';
import { build, root } from './lib/paths.mjs';
import { main, run, SetupError, which } from './lib/run.mjs';
import { Steps } from './lib/steps.mjs';

/**
 * The steps that only compute. Each list runs in its own process, so that all processors have work. The first list takes
 * longest, so it goes before the second (`nice`).
 */
const kBeside = [
  { nice: 10, slices: ['core-native', 'simulator-sanitized'] },
  { nice: 19, slices: ['simulator-fast', 'core-wasm', 'clang-tidy'] },
];
const kBesideSlices = kBeside.flatMap(({ slices }) => slices);
/** The parts of slices that the lists above name. */
const kParts = {
  core: ['core-native', 'core-wasm'],
  simulator: ['simulator-fast', 'simulator-sanitized'],
  lint: ['lint', 'clang-tidy'],
};
const kSlices = ['core', 'simulator', 'js', 'server', 'browser', 'engines', 'package', 'lint'];

const steps = new Steps();

/**
 * Once without a service worker and once with one. Fewer run under the sanitizers, which are slow; many more by night
 * (tools/nightly.mjs). Of 500 the simulator expects that each kind of event and fault happened.
 */
const kSimulatorSeeds = { sim: 500, debug: 50 };
/** Greater seeds have a service worker (test/sim/event.h). */
const kServiceSeeds = 1_000_000_000;

/** Runs the seeds of a preset, as a step; without a service worker and with one. */
async function simulate(preset, name, options) {
  for (const [above, more] of [
    [0, ''],
    [kServiceSeeds, ', service worker'],
  ]) {
    const args = ['--seeds', String(kSimulatorSeeds[preset]), '--from', String(above + 1)];
    await steps.counted(`simulator${more}${name}`, () => simulator(preset, args, options));
  }
}

/** Runs a list of kBeside in its own process. Returns its output, and the results of its steps. */
async function beside({ nice: niceness, slices }, fresh) {
  const report = join(build, 'test-results', `beside-${slices[0]}.json`);
  mkdirSync(join(build, 'test-results'), { recursive: true });
  rmSync(report, { force: true });
  const nice = which('nice') ? ['nice', '-n', `${niceness}`] : [];
  const command = [...nice, process.execPath, process.argv[1], `--report=${report}`, ...slices];
  if (fresh) command.push('--fresh');
  const { code, output } = await run(command[0], command.slice(1), {
    cwd: root,
    allowFailure: true,
  });
  const reported = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : [];
  const complete = reported.length > 0 && (code === 0 || reported.some(({ failed }) => failed > 0));
  if (!complete)
    reported.push({ name: slices.join(', '), ms: 0, passed: 0, failed: 1, skipped: 0, before: 0 });
  return { output, reported };
}

await main(async () => {
  const given = process.argv.slice(2);
  const report = given.find((name) => name.startsWith('--report='))?.slice('--report='.length);
  const fresh = isFresh(given, process.env);
  const chosen = given.filter((name) => !name.startsWith('--'));
  const stamps = new Stamps(join(build, 'passed'));
  const options = { stamps, fresh, began: Date.now() };
  const named = [...kSlices, ...kBesideSlices];
  const unknown = given.find((name) => !named.includes(name) && !/^--(fresh$|report=)/.test(name));
  if (unknown) {
    throw new SetupError(
      `There is no slice ${unknown}. Choose from ${kSlices.join(', ')}, or say --fresh.`,
    );
  }
  const whole = chosen.length === 0;
  const parts = (whole ? kSlices : chosen).flatMap((name) => kParts[name] ?? [name]);
  const wanted = parts.filter((name) => !whole || !kBesideSlices.includes(name));
  const wants = (...slices) => slices.some((name) => wanted.includes(name));

  // Nothing works without the set-up, so its failure stops the run.
  await bootstrap({
    test: true,
    ...(wants('engines') ? {} : { browsers: wants('browser', 'package') ? ['Chromium'] : [] }),
    postgres: wants('server'),
  });

  const computing = whole ? Promise.all(kBeside.map((list) => beside(list, fresh))) : null;

  if (wants('core-native')) {
    await doctest('debug', options, steps, { build: 'build core', tests: 'core tests' });
  }
  if (wants('simulator-sanitized')) await simulate('debug', ', sanitized', options);
  if (wants('simulator-fast')) await simulate('sim', '', options);
  if (wants('core-wasm')) {
    const names = { build: 'build core as wasm', tests: 'core tests as wasm' };
    await doctest('wasm-test', options, steps, names);
  }
  if (wants('js', 'server', 'browser', 'engines', 'package', 'lint')) {
    await steps.check('build wasm', buildWasm);
    await steps.check('build package', buildPackage);
  }
  if (wants('js', 'server', 'browser', 'engines', 'package'))
    await steps.check('build server', buildServer);
  if (wants('server', 'browser', 'engines')) await steps.check('build demo', buildDemo);
  // Keys of tests are made of what was built, so what was built by now has not changed since.
  const tests = { ...options, began: Date.now() };
  const checked = (name, work) => steps.counted(name, () => checkOnce(name, work, tests));
  if (wants('js', 'lint')) await checked('types', types);
  if (wants('lint')) {
    await checked('biome', biome);
    await checked('clang-format', clangFormat);
    await steps.counted('tidy', () => vitest(['tidy'], tests));
  }
  if (wants('clang-tidy')) await steps.check('clang-tidy', () => clangTidy({ fresh }));
  if (wants('js')) {
    await steps.check('size', sizes);
    await steps.counted('unit tests', () => vitest(['unit'], tests));
  }
  // In one run: the tests with browsers mostly wait, and those of the server compute meanwhile.
  const servers = wants('server') ? ['server', 'server-postgres'] : [];
  const projects = [...servers, ...['browser', 'engines'].filter((name) => wants(name))];
  if (projects.length > 0)
    await steps.counted(`tests of ${projects.join(', ')}`, () => vitest(projects, tests));
  if (wants('package')) {
    await checked('publint and attw', published);
    await steps.counted('package tests', () => vitest(['package'], tests));
  }
  if (computing) {
    for (const { output, reported } of await computing) {
      console.log(`\n▸ beside it: ${reported.map(({ name }) => name).join(', ')}`);
      console.log(output.trimEnd());
      steps.results.push(...reported);
    }
  }
  if (report) writeFileSync(report, JSON.stringify(steps.results));
  if (!steps.summarise()) process.exitCode = 1;
  stamps.prune();
});
