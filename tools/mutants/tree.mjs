// A copy of the source in which mistakes are made. A build of it builds only the changed parts again.

import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { mutated } from '../../test/mutants/mutants.mjs';
import { root } from '../lib/paths.mjs';

/** The time limit of the tests with one mistake. */
export const kLimitMs = 300_000;

/** Updates the copies of the files that `wanted` matches. Unchanged files keep their time. */
export function refreshTree(tree, wanted) {
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root });
  for (const path of list.toString().split('\n')) {
    if (!wanted.test(path) || !existsSync(join(root, path))) continue;
    const target = join(tree, path);
    if (existsSync(target) && readFileSync(target).equals(readFileSync(join(root, path)))) continue;
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(root, path), target);
  }
}

/** Links a folder of the real tree into the copy: installed packages, or built files. */
export function linkFolder(tree, name = 'node_modules') {
  const link = join(tree, name);
  mkdirSync(dirname(link), { recursive: true });
  if (!existsSync(link)) symlinkSync(join(root, name), link);
}

/** Copies a folder of built files into the copy. */
export function copyFolder(tree, name) {
  rmSync(join(tree, name), { recursive: true, force: true });
  cpSync(join(root, name), join(tree, name), { recursive: true });
}

/** Makes the mistake, calls `firstFailure`, and restores the file. */
export async function judged(tree, mutant, firstFailure) {
  const path = join(tree, mutant.file);
  const right = readFileSync(path, 'utf8');
  const start = performance.now();
  writeFileSync(path, mutated(right, mutant));
  try {
    const caught = await firstFailure();
    return { ...mutant, caught, ms: performance.now() - start };
  } finally {
    writeFileSync(path, right);
  }
}
