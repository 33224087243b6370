// Mistakes in the package's TypeScript, and in the tools. The test file that a mistake names must notice it, in Node, or in Chromium if
// it needs a browser. These tests read the sources, so nothing is built again (test/mutants/client.mjs).

import { join } from 'node:path';
import { build } from '../lib/paths.mjs';
import { copyFolder, judged, linkFolder, refreshTree } from './tree.mjs';
import { filesOf, firstFailure } from './vitest.mjs';

const kTree = join(build, 'mutants', 'client');
const kProjects = ['unit', 'browser'];
const kSources =
  /^(js|tools|test\/(js|tools|contract|browser|support))\/|^(package\.json|vitest\.config\.ts|tsconfig.*\.json)$/;

export const client = {
  /** Updates the copy of the tree. Returns the test that fails without any mistake, or null. */
  async prepare(mutants) {
    refreshTree(kTree, kSources);
    for (const name of ['node_modules', 'docs', 'src', 'build/wasm', 'server', 'web-demo'])
      linkFolder(kTree, name);
    // Vite serves nothing that lies outside of the copy.
    copyFolder(kTree, 'dist');
    return firstFailure(kTree, kProjects, filesOf(mutants));
  },
  judge: (mutant) =>
    judged(kTree, mutant, async () => firstFailure(kTree, kProjects, [mutant.test])),
};
