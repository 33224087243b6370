// `npm run mutants`: do the tests bite? Applies each mistake of test/mutants/mutants.mjs to a copy of the tree, builds
// it, and runs the core's tests until one fails. Fails when a mistake is not noticed; --write puts the table into
// docs/trust.md. `npm run mutants -- <part of a name>` runs those only.

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { mutants, mutated } from '../test/mutants/mutants.mjs';
import { bootstrap } from './bootstrap.mjs';
import { build, root, toolchain } from './lib/paths.mjs';
import { main, run, SetupError, seconds } from './lib/run.mjs';

const kTree = join(build, 'mutants', 'tree');
const kFolder = join(build, 'mutants', 'build');
const kLimitMs = 300_000;
const kBegin = '<!-- mutants: npm run mutants -- --write -->';
const kEnd = '<!-- end of mutants -->';

/** Brings the copy up to date; files that are the same keep their time, so that little is built anew. */
function copyTree() {
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root });
  for (const path of list.toString().split('\n')) {
    if (!/^(src|test\/core|test\/spec)\/|^CMake/.test(path) || !existsSync(join(root, path)))
      continue;
    const target = join(kTree, path);
    if (existsSync(target) && readFileSync(target).equals(readFileSync(join(root, path)))) continue;
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, path), target);
  }
  // The real cities.
  const packages = join(kTree, 'node_modules');
  if (!existsSync(packages)) symlinkSync(join(root, 'node_modules'), packages);
}

async function compile() {
  if (!existsSync(join(kFolder, 'build.ninja'))) {
    // Assertions on, sanitizers off: what they find has tests of its own.
    await run('cmake', [
      ...['-S', kTree, '-B', kFolder, '-G', 'Ninja'],
      `-DCMAKE_MAKE_PROGRAM=${join(toolchain, 'bin', 'ninja')}`,
      `-DSKERRY_INCLUDE_DIR=${join(toolchain, 'include')}`,
      ...['-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_FLAGS_DEBUG=-O1 -w'],
    ]);
  }
  await run('cmake', ['--build', kFolder, '-j', '2', '--target', 'skerry_core_test']);
}

/** Runs the tests up to the first failure: null where there is none, else the name of the test. */
function firstFailure() {
  const program = join(kFolder, 'skerry_core_test');
  const result = spawnSync(program, ['--abort-after=1', '--no-colors'], {
    cwd: kTree,
    encoding: 'utf8',
    timeout: kLimitMs,
    maxBuffer: 1 << 28,
  });
  if (result.status === 0) return null;
  const output = `${result.stdout}`;
  const failed = output.search(/: (FATAL )?ERROR: |test case CRASHED|broken invariant/);
  const before = failed < 0 ? output : output.slice(0, failed);
  const names = [...before.matchAll(/^TEST CASE: {2}(.*)$/gm)];
  const name = names.at(-1)?.[1];
  if (name !== undefined) return name;
  if (result.error?.code === 'ETIMEDOUT') return `(no end within ${kLimitMs / 1000} s)`;
  return `(ended by ${result.signal ?? result.status} before a test could say)`;
}

async function judge(mutant) {
  const path = join(kTree, mutant.file);
  const right = readFileSync(path, 'utf8');
  const start = performance.now();
  writeFileSync(path, mutated(right, mutant));
  try {
    await compile();
    return { ...mutant, caught: firstFailure(), ms: performance.now() - start };
  } finally {
    writeFileSync(path, right);
  }
}

function table(results) {
  const rows = results.map(
    ({ name, file, caught }) => `| ${name} | \`${file}\` | ${caught ?? '**nothing**'} |`,
  );
  return ['| the mistake | where | the first test that fails |', '|---|---|---|', ...rows].join(
    '\n',
  );
}

function write(results) {
  const path = join(root, 'docs', 'trust.md');
  const text = readFileSync(path, 'utf8');
  const [before, rest] = text.split(kBegin);
  const after = rest?.split(kEnd)[1];
  if (after === undefined) throw new SetupError(`${path} has no place for the table.`);
  writeFileSync(path, `${before}${kBegin}\n${table(results)}\n${kEnd}${after}`);
}

await main(async () => {
  const args = process.argv.slice(2);
  const words = args.filter((arg) => !arg.startsWith('--'));
  await bootstrap({ test: true, browser: false });
  copyTree();
  await compile();
  const sane = firstFailure();
  if (sane !== null) throw new SetupError(`Without any mistake "${sane}" fails.`);
  const results = [];
  for (const mutant of mutants) {
    if (words.length > 0 && !words.some((word) => mutant.name.includes(word))) continue;
    const result = await judge(mutant);
    results.push(result);
    console.log(`${result.caught === null ? '✗' : '✓'} ${result.name} (${seconds(result.ms)})`);
    console.log(`    ${result.caught ?? 'NOT NOTICED'}`);
  }
  if (args.includes('--write')) write(results);
  const survived = results.filter(({ caught }) => caught === null);
  console.log(`\n${results.length - survived.length} of ${results.length} mistakes were noticed.`);
  if (survived.length > 0) process.exitCode = 1;
});
