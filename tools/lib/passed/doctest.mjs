// Runs the core's tests and the simulator, but for what has passed before with the same key.

import { join, relative } from 'node:path';
import { buildPreset } from '../cmake.mjs';
import { failuresOfDoctest, failuresOfText } from '../failures.mjs';
import { build, root } from '../paths.mjs';
import { run, seconds } from '../run.mjs';
import { CoreUnits } from './core.mjs';
import { compilerFacts } from './facts.mjs';
import { Tree } from './tree.mjs';

const kSanitizers = {
  UBSAN_OPTIONS: 'print_stacktrace=1',
  ASAN_OPTIONS: 'detect_stack_use_after_return=1',
};
const isWasm = (preset) => preset.startsWith('wasm');

/** The program of a preset: itself, or as WebAssembly in Node. */
function programOf(preset, name) {
  const path = join(build, preset, name);
  return isWasm(preset) ? [process.execPath, `${path}.js`] : [path];
}

const start = ([command, ...args], more) =>
  run(command, [...args, ...more], { cwd: root, env: kSanitizers, allowFailure: true });

/** Each test case that the program has: how many there are by source, without those that are never run. */
async function casesOf(program) {
  const { code, output } = await start(program, ['-ltc', '-r=xml']);
  if (code !== 0) throw new Error(`The tests cannot be listed:\n${output}`);
  const cases = new Map();
  for (const [, file] of output.matchAll(
    /<TestCase [^>]*filename="([^"]*)"[^>]*skipped="false"/g,
  )) {
    const path = relative(root, file);
    cases.set(path, (cases.get(path) ?? 0) + 1);
  }
  return cases;
}

const kCounts = /test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed/;

/** Runs the tests of these sources. Returns the counts, and the output. */
async function runSources(program, paths) {
  const { code, output } = await start(program, [
    '--no-colors',
    `-sf=${paths.map((path) => `*/${path}`).join(',')}`,
  ]);
  const [, all = 0, passed = 0, counted = 1] = (kCounts.exec(output) ?? []).map(Number);
  // A sanitizer may end a run whose tests all passed.
  return { all, passed, failed: code !== 0 ? Math.max(counted, 1) : counted, output };
}

/** Node compiles the whole program in each process, so there it runs several sources. */
const together = (preset) => (isWasm(preset) ? 16 : 1);

function batches(units, size) {
  const count = Math.ceil(units.length / size);
  return Array.from({ length: count }, (_, i) => units.slice(i * size, (i + 1) * size));
}

/**
 * Runs the core's tests of a preset: natively under sanitizers, or as WebAssembly in Node. `names`: of the two
 * steps, building and running.
 */
export async function doctest(preset, { stamps, fresh, began }, steps, names) {
  const tree = new Tree(root);
  const units = new CoreUnits(tree, await compilerFacts(isWasm(preset))).tests(preset);
  const stamp = ({ key }) => (fresh ? undefined : stamps.get(key));
  const stale = units.filter((unit) => !stamp(unit));
  if (stale.length > 0)
    await steps.check(names.build, () => buildPreset(preset, targetsOf(preset)));
  await steps.counted(names.tests, async () => {
    const before = units.map(stamp).reduce((sum, record) => sum + (record?.passed ?? 0), 0);
    const total = { passed: 0, failed: 0, skipped: 0, before, texts: [] };
    if (stale.length === 0) return total;
    const program = programOf(preset, 'skerry_core_test');
    const cases = await casesOf(program);
    const known = new Set(units.map(({ path }) => path));
    const strange = [...cases.keys()].filter((path) => !known.has(path));
    if (strange.length > 0) throw new Error(`Not named *_test.cc, so in no key: ${strange}`);
    // As WebAssembly some sources are left out.
    for (const unit of stale.filter(({ path }) => !cases.has(path)))
      stamps.put(unit.key, { passed: 0 });
    const wanted = stale.filter(({ path }) => cases.has(path));
    for (const batch of batches(wanted, together(preset))) await runBatch(batch);
    return total;

    async function runBatch(batch) {
      const begin = performance.now();
      const paths = batch.map(({ path }) => path);
      const { all, passed, failed, output } = await runSources(program, paths);
      const expected = paths.reduce((sum, path) => sum + cases.get(path), 0);
      const short = failed === 0 && all !== expected;
      total.passed += passed;
      total.failed += short ? 1 : failed;
      const time = seconds(performance.now() - begin);
      console.log(`  ${failed || short ? '✗' : '✓'} ${paths.join(' ')} (${passed} in ${time})`);
      if (failed > 0) {
        console.log(output.trim());
        total.texts.push(...failuresOfDoctest(output));
      }
      if (short) total.texts.push(...failuresOfText(`${paths}: ${all} of ${expected} tests ran`));
      if (failed > 0 || short) return;
      for (const unit of batch) {
        if (!tree.changedSince(unit.files, began))
          stamps.put(unit.key, { passed: cases.get(unit.path) });
      }
    }
  });
}

/** The sanitized simulator is built with the tests, because both are mostly the same files. */
const targetsOf = (preset) => (preset === 'debug' ? ['skerry_core_test'] : []);

/** Runs seeds of the simulator of a preset. Returns the counts of a step. */
export async function simulator(preset, args, { stamps, fresh, began }) {
  const tree = new Tree(root);
  const unit = new CoreUnits(tree, await compilerFacts(false)).simulator(preset, args);
  if (!fresh && stamps.get(unit.key)) return { passed: 0, failed: 0, skipped: 0, before: 1 };
  await buildPreset(preset, ['skerry_simulate']);
  const { code, output } = await start(programOf(preset, 'skerry_simulate'), args);
  if (code === 0) {
    if (!tree.changedSince(unit.files, began)) stamps.put(unit.key, { passed: 1 });
    return { passed: 1, failed: 0, skipped: 0 };
  }
  const problem = `${output.trim()}\nReplay one: npm run simulate -- --seed N --trace`;
  console.log(problem);
  return { passed: 0, failed: 1, skipped: 0, texts: failuresOfText(problem) };
}
