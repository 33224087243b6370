// Runs tests of a copy of the tree with vitest, up to the first failure.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { browserEnvironment } from '../lib/browsers.mjs';
import { toolchain } from '../lib/paths.mjs';
import { kLimitMs } from './tree.mjs';

/** The environment of the programs of a copy, which has no toolchain of its own. */
export const copyEnvironment = () => ({
  ...process.env,
  ...browserEnvironment(),
  SKERRY_TOOLCHAIN_DIR: toolchain,
});

/** Runs these files in the projects that have them. Returns the name of the first test that fails, or null. */
export function firstFailure(tree, projects, files) {
  const report = join(tree, 'report.json');
  rmSync(report, { force: true });
  const program = join(tree, 'node_modules', 'vitest', 'vitest.mjs');
  const options = ['--bail=1', '--reporter=json', `--outputFile=${report}`];
  const chosen = projects.flatMap((project) => ['--project', project]);
  const result = spawnSync(process.execPath, [program, 'run', ...chosen, ...options, ...files], {
    cwd: tree,
    env: copyEnvironment(),
    encoding: 'utf8',
    timeout: kLimitMs,
    maxBuffer: 1 << 28,
  });
  if (result.status === 0) return null;
  if (result.error?.code === 'ETIMEDOUT') return `(no end within ${kLimitMs / 1000} s)`;
  if (!existsSync(report)) return `(ended by ${result.signal ?? result.status} without a report)`;
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  if (failed !== undefined) return failed.fullName;
  const broken = testResults.find(({ status }) => status === 'failed');
  return `(a file of tests could not be run: ${broken?.message.split('\n')[0]})`;
}

/** The files that these mistakes name. */
export const filesOf = (mutants) => [...new Set(mutants.map(({ test }) => test))];
