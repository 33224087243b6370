// Mistakes in the server: bundled. The test file that a mistake names must notice it, on PostgreSQL unless it says otherwise.

import { join } from 'node:path';
import { build } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';
import { judged, linkFolder, refreshTree } from './tree.mjs';
import { copyEnvironment, filesOf, firstFailure } from './vitest.mjs';

const kTree = join(build, 'mutants', 'server');
/** What only PGlite can show names the project `server`. */
const projectOf = ({ project = 'server-postgres' }) => project;
const kSources =
  /^(server|js|tools|docs|test\/(server|js|core|support))\/|^(package\.json|vitest\.config\.ts|tsconfig.*\.json)$/;

/** Makes the server's bundle, which the tests start. */
async function bundle() {
  const script = "import('./tools/build.mjs').then(({ buildServer }) => buildServer())";
  const options = { cwd: kTree, env: copyEnvironment() };
  await run(process.execPath, ['--input-type=module', '-e', script], options);
}

export const server = {
  /** Updates the copy of the tree, and bundles it. Returns the test that fails without any mistake, or null. */
  async prepare(mutants) {
    refreshTree(kTree, kSources);
    for (const name of ['node_modules', 'dist', 'build/wasm']) linkFolder(kTree, name);
    await bundle();
    const projects = [...new Set(mutants.map(projectOf))];
    for (const project of projects) {
      const files = filesOf(mutants.filter((mutant) => projectOf(mutant) === project));
      const failure = firstFailure(kTree, [project], files);
      if (failure !== null) return failure;
    }
    return null;
  },
  judge: (mutant) =>
    judged(kTree, mutant, async () => {
      await bundle();
      return firstFailure(kTree, [projectOf(mutant)], [mutant.test]);
    }),
};
