// Mistakes in the server: bundled, and judged by the file of tests that each names, on PostgreSQL.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, toolchain } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { judged, kLimitMs, linkPackages, refreshTree } from './tree.mjs';

const kTree = join(build, 'mutants', 'server');
const kReport = join(kTree, 'report.json');
const kSources =
  /^(server|js|tools|test\/(server|js|core|support))\/|^(package\.json|vitest\.config\.ts|tsconfig.*\.json)$/;

/** What the tests of the copy are told: it has no toolchain of its own. */
const env = { ...process.env, SKERRY_TOOLCHAIN_DIR: toolchain };

/** The tests that start the server start its bundle. */
async function bundle() {
  const script = "import('./tools/build.mjs').then(({ buildServer }) => buildServer())";
  await run(process.execPath, ['--input-type=module', '-e', script], { cwd: kTree, env });
}

/** Runs the tests of these files up to the first failure: null where there is none, else the name of the test. */
function firstFailure(files) {
  rmSync(kReport, { force: true });
  const program = join(kTree, 'node_modules', 'vitest', 'vitest.mjs');
  const options = ['--bail=1', '--reporter=json', `--outputFile=${kReport}`];
  const result = spawnSync(
    process.execPath,
    [program, 'run', '--project', 'server-postgres', ...options, ...files],
    { cwd: kTree, env, encoding: 'utf8', timeout: kLimitMs, maxBuffer: 1 << 28 },
  );
  if (result.status === 0) return null;
  if (result.error?.code === 'ETIMEDOUT') return `(no end within ${kLimitMs / 1000} s)`;
  if (!existsSync(kReport)) return `(ended by ${result.signal ?? result.status} without a report)`;
  const { testResults } = JSON.parse(readFileSync(kReport, 'utf8'));
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  return failed?.fullName ?? '(a file of tests could not be run)';
}

export const server = {
  /** Brings the copy of the tree up to date, and bundles it. Returns the test that fails without any mistake, or null. */
  async prepare(mutants) {
    refreshTree(kTree, kSources);
    for (const name of ['node_modules', 'dist']) linkPackages(kTree, name);
    await bundle();
    return firstFailure([...new Set(mutants.map(({ test }) => test))]);
  },
  judge: (mutant) =>
    judged(kTree, mutant, async () => {
      await bundle();
      return firstFailure([mutant.test]);
    }),
};
