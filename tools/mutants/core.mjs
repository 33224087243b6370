// Mistakes in the core: built natively, with assertions. The core's own tests must notice them.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, local, toolPath } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { judged, kLimitMs, linkFolder, refreshTree } from './tree.mjs';

const kTree = join(build, 'mutants', 'tree');
const kFolder = join(build, 'mutants', 'build');
/** With the files that the core writes for JavaScript: its tests compare them. */
const kWanted =
  /^((src|test\/(core|fuzz|sim|spec))\/|CMake|(js\/core\/(core-types|limits)|server\/src\/base\/(wire-types|core-limits))\.ts$)/;

async function compile() {
  if (!existsSync(join(kFolder, 'build.ninja'))) {
    // With assertions, without sanitizers: other runs of the tests use these.
    await run('cmake', [
      ...['-S', kTree, '-B', kFolder, '-G', 'Ninja'],
      `-DCMAKE_MAKE_PROGRAM=${toolPath('ninja')}`,
      `-DSKERRY_INCLUDE_DIR=${join(local, 'include')}`,
      ...['-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_FLAGS_DEBUG=-O1 -w'],
    ]);
  }
  await run('cmake', ['--build', kFolder, '-j', '2', '--target', 'skerry_core_test']);
}

/**
 * Runs the tests up to the first failure, or only the script of a hole (test/spec). Returns the name of the test that
 * fails, or null if none does.
 */
function firstFailure(hole) {
  const program = join(kFolder, 'skerry_core_test');
  const which = hole === undefined ? [] : [`--test-case=hole ${hole}:*`];
  const result = spawnSync(program, ['--abort-after=1', '--no-colors', ...which], {
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

export const core = {
  /** Updates the copy of the tree, and builds it. Returns the test that fails without any mistake, or null. */
  async prepare() {
    refreshTree(kTree, kWanted);
    linkFolder(kTree); // the real cities
    await compile();
    return firstFailure();
  },
  judge: (mutant) =>
    judged(kTree, mutant, async () => {
      try {
        await compile();
      } catch (error) {
        console.error(`"${mutant.name}" does not compile: ${error}`);
        return null;
      }
      return firstFailure(mutant.hole);
    }),
};
