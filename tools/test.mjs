// The whole check: `npm test`, or a slice of it: `npm test -- core|simulator|js|server|browser|engines|package|lint`.
//
// Every step runs even if an earlier one failed, so that one run shows all failures. The last lines are
// the count over all steps (native tests, vitest's tests, and one for each other check), and the
// failures.
//
// The whole check runs in three processes. Tests with browsers and databases often wait, so the steps
// that only compute (kBeside) run beside them, at a low priority, and are reported at the end.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { buildDemo, buildPackage, buildServer, buildWasm } from './build.mjs';
import { browserEnvironment } from './lib/browsers.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { failuresOfDoctest, failuresOfText, failuresOfVitest } from './lib/failures.mjs';
import { biome, clangFormat, clangTidy, published, sizes, types } from './lib/lint.mjs';
import { bin, build, root } from './lib/paths.mjs';
import { main, run, SetupError, seconds, which } from './lib/run.mjs';

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

/** The result of each step: { name, ms, passed, failed, skipped, texts }; `texts` are those of its failures. */
const results = [];

/** Runs a step that counts tests; a throw counts as one failure. */
async function counted(name, work) {
  console.log(`\n▸ ${name}`);
  const start = performance.now();
  let counts;
  try {
    counts = await work();
  } catch (error) {
    const problem = error instanceof SetupError ? error.message : String(error.stack ?? error);
    console.log(problem);
    counts = { passed: 0, failed: 1, skipped: 0, texts: failuresOfText(problem) };
  }
  const ms = performance.now() - start;
  results.push({ name, ms, ...counts });
  console.log(`  ${counts.failed ? '✗' : '✓'} ${name} (${seconds(ms)})`);
}

/** Runs a step that passes or fails as a whole; `work` returns the text of the problem, or nothing. */
const check = (name, work) =>
  counted(name, async () => {
    const problem = await work();
    if (!problem) return { passed: 1, failed: 0, skipped: 0 };
    console.log(problem);
    return { passed: 0, failed: 1, skipped: 0, texts: failuresOfText(problem) };
  });

/** Runs the core's tests of a preset: natively under sanitizers, or as WebAssembly in Node. */
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
  const [passed, counted, skipped] = found ? found.slice(2).map(Number) : [0, 1, 0];
  // A sanitizer may end a run whose tests all passed.
  const failed = code !== 0 ? Math.max(counted, 1) : counted;
  return { passed, failed, skipped, texts: failed ? failuresOfDoctest(output) : [] };
}

/**
 * Once without a service worker and once with one. Fewer run under the sanitizers, which are slow; many more by night
 * (tools/nightly.mjs). Of 500 the simulator expects that each kind of event and fault happened.
 */
const kSimulatorSeeds = { sim: 500, debug: 50 };
/** Greater seeds have a service worker (test/sim/event.h). */
const kServiceSeeds = 1_000_000_000;

/** Runs the simulator of a preset. Returns the text of the problem, or an empty string. */
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

/** Runs projects of vitest.config.ts, with the files of all of them side by side: no project waits for another. */
async function vitest(...projects) {
  const folder = join(build, 'test-results');
  const report = join(folder, `${projects.join('-')}.json`);
  mkdirSync(folder, { recursive: true });
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const env = { NO_COLOR: '1', ...browserEnvironment() };
  const chosen = projects.flatMap((project) => ['--project', project]);
  const args = ['run', ...chosen, '--passWithNoTests', ...reporters];
  const { code, output } = await run(join(bin, 'vitest'), args, {
    cwd: root,
    env,
    allowFailure: true,
    stream: true,
  });
  if (!existsSync(report)) return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const json = JSON.parse(readFileSync(report, 'utf8'));
  const { count, texts } = failuresOfVitest(json, output);
  return {
    passed: json.numPassedTests,
    failed: code !== 0 ? Math.max(count, 1) : count,
    skipped: json.numPendingTests + json.numTodoTests,
    texts,
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
  for (const { name, failed, texts } of results) {
    if (failed) console.log([`\n✗ ${name}`, ...(texts ?? [])].join('\n\n'));
  }
  if (total.failed) process.exitCode = 1;
}

/** Runs a list of kBeside in its own process. Returns its output, and the results of its steps. */
async function beside({ nice: niceness, slices }) {
  const report = join(build, 'test-results', `beside-${slices[0]}.json`);
  mkdirSync(join(build, 'test-results'), { recursive: true });
  rmSync(report, { force: true });
  const nice = which('nice') ? ['nice', '-n', `${niceness}`] : [];
  const command = [...nice, process.execPath, process.argv[1], `--report=${report}`, ...slices];
  const { code, output } = await run(command[0], command.slice(1), {
    cwd: root,
    allowFailure: true,
  });
  const reported = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : [];
  const complete = reported.length > 0 && (code === 0 || reported.some(({ failed }) => failed > 0));
  if (!complete)
    reported.push({ name: slices.join(', '), ms: 0, passed: 0, failed: 1, skipped: 0 });
  return { output, reported };
}

await main(async () => {
  const given = process.argv.slice(2);
  const report = given.find((name) => name.startsWith('--report='))?.slice('--report='.length);
  const chosen = given.filter((name) => !name.startsWith('--report='));
  const named = [...kSlices, ...kBesideSlices];
  const unknown = chosen.find((name) => !named.includes(name));
  if (unknown) {
    throw new SetupError(`There is no slice ${unknown}. Choose from ${kSlices.join(', ')}.`);
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

  const computing = whole ? Promise.all(kBeside.map(beside)) : null;

  if (wants('core-native')) {
    await check('build core', () => buildPreset('debug'));
    await counted('core tests', () => doctest('debug'));
  }
  if (wants('simulator-sanitized')) {
    await check('simulator, sanitized', () => simulator('debug'));
    await check('simulator, service worker, sanitized', () => simulator('debug', kServiceSeeds));
  }
  if (wants('simulator-fast')) {
    await check('simulator', () => simulator('sim'));
    await check('simulator, service worker', () => simulator('sim', kServiceSeeds));
  }
  if (wants('core-wasm')) {
    await check('build core as wasm', () => buildPreset('wasm-test'));
    await counted('core tests as wasm', () => doctest('wasm-test'));
  }
  if (wants('js', 'server', 'browser', 'engines', 'package', 'lint')) {
    await check('build wasm', buildWasm);
    await check('build package', buildPackage);
  }
  if (wants('js', 'server', 'browser', 'engines', 'package'))
    await check('build server', buildServer);
  if (wants('server', 'browser')) await check('build demo', buildDemo);
  if (wants('js', 'lint')) await check('types', types);
  if (wants('lint')) {
    await check('biome', biome);
    await check('clang-format', clangFormat);
    await counted('tidy', () => vitest('tidy'));
  }
  if (wants('clang-tidy')) await check('clang-tidy', clangTidy);
  if (wants('js')) {
    await check('size', sizes);
    await counted('unit tests', () => vitest('unit'));
  }
  // In one run: the tests with browsers mostly wait, and those of the server compute meanwhile.
  const servers = wants('server') ? ['server', 'server-postgres'] : [];
  const projects = [...servers, ...['browser', 'engines'].filter((name) => wants(name))];
  if (projects.length > 0)
    await counted(`tests of ${projects.join(', ')}`, () => vitest(...projects));
  if (wants('package')) {
    await check('publint and attw', published);
    await counted('package tests', () => vitest('package'));
  }
  if (computing) {
    for (const { output, reported } of await computing) {
      console.log(`\n▸ beside it: ${reported.map(({ name }) => name).join(', ')}`);
      console.log(output.trimEnd());
      results.push(...reported);
    }
  }
  if (report) writeFileSync(report, JSON.stringify(results));
  summarise();
});
