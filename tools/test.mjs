// The whole check: `npm test`, or a slice of it: `npm test -- core|simulator|js|server|browser|engines|package|lint`.
//
// Every step runs even if an earlier one failed, so that one run shows all that is wrong. The last
// line is the count over all steps: native tests, vitest's tests, and one for each other check.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { buildDemo, buildPackage, buildServer, buildWasm } from './build.mjs';
import { browserEnvironment } from './lib/browsers.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { biome, clangFormat, clangTidy, published, sizes, types } from './lib/lint.mjs';
import { bin, build, root } from './lib/paths.mjs';
import { main, run, SetupError, seconds } from './lib/run.mjs';

const kSlices = 'core simulator js server browser engines package lint'.split(' ');

/** What each step came to: { name, ms, passed, failed, skipped }. */
const results = [];

/** Runs a step that counts tests; a throw counts as one failure. */
async function counted(name, work) {
  console.log(`\n▸ ${name}`);
  const start = performance.now();
  let counts;
  try {
    counts = await work();
  } catch (error) {
    console.log(error instanceof SetupError ? error.message : (error.stack ?? error));
    counts = { passed: 0, failed: 1, skipped: 0 };
  }
  const ms = performance.now() - start;
  results.push({ name, ms, ...counts });
  console.log(`  ${counts.failed ? '✗' : '✓'} ${name} (${seconds(ms)})`);
}

/** Runs a step that passes or fails as a whole; `work` returns what is wrong, or nothing. */
const check = (name, work) =>
  counted(name, async () => {
    const problem = await work();
    if (problem) console.log(problem);
    return { passed: problem ? 0 : 1, failed: problem ? 1 : 0, skipped: 0 };
  });

/** The core's tests, as that preset builds them: natively under sanitizers, or as WebAssembly in Node. */
async function doctest(preset) {
  const program = join(build, preset, 'skerry_core_test');
  const [command, ...args] = preset === 'debug' ? [program] : [process.execPath, `${program}.js`];
  const env = {
    UBSAN_OPTIONS: 'print_stacktrace=1',
    ASAN_OPTIONS: 'detect_stack_use_after_return=1',
  };
  const { code, output } = await run(command, [...args, '--no-colors'], {
    cwd: root,
    env,
    allowFailure: true,
    stream: true,
  });
  const counts = /test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped/;
  const found = counts.exec(output);
  if (!found) return { passed: 0, failed: 1, skipped: 0 };
  const [passed, failed, skipped] = found.slice(2).map(Number);
  // A sanitizer may end a run whose tests all passed.
  return { passed, failed: code !== 0 ? Math.max(failed, 1) : failed, skipped };
}

/** As many seeds as take two minutes on two cores; and some under the sanitizers, which are slow. */
const kSimulatorSeeds = { sim: 10_000, debug: 200 };
/** Seeds above have a service worker (test/sim/event.h). */
const kServiceSeeds = 1_000_000_000;

/** Runs of the simulator, as that preset builds it. */
async function simulator(preset, above = 0) {
  await buildPreset(preset, ['skerry_simulate']);
  const args = ['--seeds', String(kSimulatorSeeds[preset]), '--from', String(above + 1)];
  const { code, output } = await run(join(build, preset, 'skerry_simulate'), args, {
    cwd: root,
    allowFailure: true,
  });
  if (code === 0) return '';
  return `${output.trim()}\nReplay one: npm run simulate -- --seed N --trace`;
}

/** One project of vitest.config.ts. */
async function vitest(project) {
  const folder = join(build, 'test-results');
  const report = join(folder, `${project}.json`);
  mkdirSync(folder, { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const env = { NO_COLOR: '1', ...browserEnvironment() };
  const args = ['run', '--project', project, '--passWithNoTests', ...reporters];
  const { code } = await run(join(bin, 'vitest'), args, {
    cwd: root,
    env,
    allowFailure: true,
    stream: true,
  });
  if (!existsSync(report)) return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const json = JSON.parse(readFileSync(report, 'utf8'));
  // A file that could not be loaded has failed without a test that says so.
  const unloaded = json.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
  const failed = json.numFailedTests + unloaded;
  return {
    passed: json.numPassedTests,
    failed: code !== 0 ? Math.max(failed, 1) : failed,
    skipped: json.numPendingTests + json.numTodoTests,
  };
}

function summarise() {
  console.log('\n');
  const width = Math.max(...results.map(({ name }) => name.length));
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, ms, passed, failed, skipped } of results) {
    const skips = skipped ? `, ${skipped} skipped` : '';
    const mark = failed ? '✗' : '✓';
    const counts = `${passed} passed, ${failed} failed${skips}`;
    console.log(`${mark} ${name.padEnd(width)}  ${seconds(ms).padStart(12)}  ${counts}`);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  const skips = total.skipped ? `, ${total.skipped} skipped` : '';
  console.log(`\n${total.passed} passed, ${total.failed} failed${skips}`);
  if (total.failed) process.exitCode = 1;
}

await main(async () => {
  const chosen = process.argv.slice(2);
  const unknown = chosen.find((name) => !kSlices.includes(name));
  if (unknown) {
    throw new SetupError(`There is no slice ${unknown}. Choose from ${kSlices.join(', ')}.`);
  }
  const wants = (...slices) => chosen.length === 0 || slices.some((name) => chosen.includes(name));

  // Without the set-up nothing else can be said, so this one stops the run.
  await bootstrap({
    test: true,
    ...(wants('engines') ? {} : { browsers: wants('browser', 'package') ? ['Chromium'] : [] }),
    postgres: wants('server'),
  });

  if (wants('core', 'lint')) await check('build core', () => buildPreset('debug'));
  if (wants('core')) {
    await counted('core tests', () => doctest('debug'));
    await check('build core as wasm', () => buildPreset('wasm-test'));
    await counted('core tests as wasm', () => doctest('wasm-test'));
  }
  if (wants('simulator')) {
    await check('simulator', () => simulator('sim'));
    await check('simulator, service worker', () => simulator('sim', kServiceSeeds));
    await check('simulator, sanitized', () => simulator('debug'));
    await check('simulator, service worker, sanitized', () => simulator('debug', kServiceSeeds));
  }
  if (wants('js', 'server', 'browser', 'engines', 'package', 'lint')) {
    await check('build wasm', buildWasm);
    await check('build package', buildPackage);
  }
  if (wants('server', 'browser', 'engines', 'package')) await check('build server', buildServer);
  if (wants('server', 'browser')) await check('build demo', buildDemo);
  if (wants('js', 'lint')) await check('types', types);
  if (wants('lint')) {
    await check('biome', biome);
    await check('clang-format', clangFormat);
    await check('clang-tidy', clangTidy);
    await counted('tidy', () => vitest('tidy'));
  }
  if (wants('js')) {
    await check('size', sizes);
    await counted('unit tests', () => vitest('unit'));
  }
  if (wants('server')) {
    await counted('server tests on PGlite', () => vitest('server'));
    await counted('server tests on PostgreSQL', () => vitest('server-postgres'));
  }
  if (wants('browser')) await counted('browser tests', () => vitest('browser'));
  if (wants('engines')) await counted('tests in three engines', () => vitest('engines'));
  if (wants('package')) {
    await check('publint and attw', published);
    await counted('package tests', () => vitest('package'));
  }
  summarise();
});
