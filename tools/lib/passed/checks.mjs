// Checks that pass or fail as a whole, and are not made again on the same files.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failuresOfText } from '../failures.mjs';
import { root, toolPath } from '../paths.mjs';
import { run } from '../run.mjs';
import { packages } from './facts.mjs';
import { Tree } from './tree.mjs';

/** The files that git tracks, or does not ignore. */
async function listed() {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const { output } = await run('git', list, { cwd: root });
  return output.split('\n').filter((path) => path && existsSync(join(root, path)));
}

const kTypes = ['build/wasm', 'dist'];
const kPacked = ['dist', 'package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];

/** What each check reads, of the files that git lists and of those that are built. */
const kReads = {
  types: (files, tree) => [
    ...files.filter((path) => /\.([cm]?[jt]sx?|json)$/.test(path)),
    ...kTypes.flatMap((path) => tree.below(path)).filter((path) => path.endsWith('.d.ts')),
  ],
  biome: (files) =>
    files.filter((path) => /\.([cm]?[jt]sx?|jsonc?|css|html|gitignore)$/.test(path)),
  'clang-format': (files) => files.filter((path) => /(\.cc|\.h|\.clang-format)$/.test(path)),
  'publint and attw': (_files, tree) => kPacked.flatMap((path) => tree.below(path)),
};

async function factsOf(name) {
  if (name !== 'clang-format') return packages(root);
  return (await run(toolPath(name), ['--version'], { allowFailure: true })).output;
}

/** `work` returns the text of the problem, or nothing. Returns the counts of a step (steps.mjs). */
export async function checkOnce(name, work, { stamps, fresh, began }) {
  const tree = new Tree(root);
  const files = kReads[name](await listed(), tree).filter((path) => tree.isFile(path));
  const key = tree.key(name, [process.version, await factsOf(name)], files);
  if (!fresh && stamps.get(key)) return { passed: 0, failed: 0, skipped: 0, before: 1 };
  const problem = await work();
  if (problem) {
    console.log(problem);
    return { passed: 0, failed: 1, skipped: 0, texts: failuresOfText(problem) };
  }
  if (!tree.changedSince(files, began)) stamps.put(key, { passed: 1 });
  return { passed: 1, failed: 0, skipped: 0 };
}
