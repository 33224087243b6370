// The files of a checkout as keys see them: each is read and hashed once in a process.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What is installed, built, or none of a key's business. */
const kOutside = new Set(['node_modules', 'build', '.toolchain', '.git']);
/** The sources of the package import the glue of the wasm modules from where it is built. */
const kGlue = /^build\/wasm\/[\w-]+\.(js|wasm|d\.ts)$/;
/** An example copies the package beside its page. */
const kCopied = /^examples\/plain\/public\/skerry(\/|$)/;
const isOutside = (path) =>
  kCopied.test(path) || (path.split('/').some((name) => kOutside.has(name)) && !kGlue.test(path));

export class Tree {
  #texts = new Map();
  #hashes = new Map();
  #files = new Map();

  constructor(root) {
    this.root = root;
  }

  /** Whether this is the path of a file, relative to the root, that a key may have. */
  isFile(path) {
    if (!this.#files.has(path)) {
      const info =
        path.startsWith('..') || isOutside(path)
          ? null
          : statSync(join(this.root, path), { throwIfNoEntry: false });
      this.#files.set(path, info?.isFile() === true);
    }
    return this.#files.get(path);
  }

  text(path) {
    if (!this.#texts.has(path)) this.#texts.set(path, readFileSync(join(this.root, path), 'utf8'));
    return this.#texts.get(path);
  }

  hash(path) {
    if (!this.#hashes.has(path)) {
      const hash = createHash('sha256').update(readFileSync(join(this.root, path)));
      this.#hashes.set(path, hash.digest('hex'));
    }
    return this.#hashes.get(path);
  }

  /** All files below the folder, or the file itself; none if there is neither. Sorted. */
  below(path) {
    if (this.isFile(path)) return [path];
    const folder = join(this.root, path);
    if (kCopied.test(path) || !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
      return [];
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !kOutside.has(name))
      .flatMap((entry) => this.below(`${path}/${entry.name}`))
      .sort();
  }

  /** A hash over a name, what else matters, and the names and contents of the files. */
  key(name, facts, files) {
    const hash = createHash('sha256').update(JSON.stringify([name, facts]));
    for (const path of [...new Set(files)].sort()) hash.update(`\n${path}\0${this.hash(path)}`);
    return hash.digest('hex');
  }

  /** Whether one of the files has changed since, or is gone: what ran then did not run on the key's contents. */
  changedSince(files, ms) {
    return files.some((path) => {
      const info = statSync(join(this.root, path), { throwIfNoEntry: false });
      return !info || info.mtimeMs > ms || info.ctimeMs > ms;
    });
  }
}
