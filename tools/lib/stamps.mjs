// Stamps show whether input files have changed: a stamp is a hash over their names and contents, so that a copy of a checkout
// is built no more than the checkout itself.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, root } from './paths.mjs';

/** All files below `path` (or the file itself), sorted, without generated and installed files. */
export function filesBelow(path) {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) return [];
  if (info.isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !['node_modules', 'dist'].includes(entry.name))
    .flatMap((entry) => filesBelow(join(path, entry.name)))
    .sort();
}

/** A hash that changes when one of the files does. */
export function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap(filesBelow)) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)}\0${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/**
 * Runs `work` if an input has changed since it last succeeded, or an output is missing. Returns whether
 * it ran.
 */
export async function ifChanged(name, inputs, outputs, work) {
  const stamp = join(build, 'stamps', name);
  const wanted = fingerprint(inputs);
  const current = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (current && outputs.every((path) => existsSync(path))) return false;
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
  return true;
}
