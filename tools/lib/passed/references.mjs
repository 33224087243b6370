// Which files a JavaScript or TypeScript file may read: whatever a text in it names, as an import, `new URL('…')` or a path
// does. That is more than it really reads, never less, but for paths that are put together; tests that read by such are
// listed in units.mjs, and test/support/opened.mjs notices one that is not.

import { dirname, join, normalize } from 'node:path';

const kSource = /\.[cm]?[jt]sx?$/;
const kTypesOnly = /^(?:import|export) type\b[^;]*?;/gm;
/** The closing quote is not consumed: in text between two strings it may be taken for an opening one, which does no harm. */
const kText = /(['"`])([\w@.][\w@./-]*)(?=\1)/g;
const kPublished = /\b(?:from|import)\s*\(?\s*(['"])([\w@/-]+)\1/g;
/** What Vite adds to a path. */
const kQuery = /\?[\w-]+(?=['"`])/g;

export class References {
  #direct = new Map();

  /** `published`: the sources that the package's names stand for, as vitest.config.ts has them. */
  constructor(tree, published) {
    this.tree = tree;
    this.published = published;
  }

  #candidates(path, text) {
    const beside = normalize(join(dirname(path), text));
    // What the package loads beside itself lies in dist/.
    const shipped = path.startsWith('js/') ? [normalize(join('dist', text))] : [];
    return text.startsWith('.') ? [beside, ...shipped] : [beside, normalize(text)];
  }

  direct(path) {
    let found = this.#direct.get(path);
    if (found) return found;
    found = new Set();
    if (kSource.test(path)) {
      const code = this.tree.text(path).replace(kTypesOnly, '').replace(kQuery, '');
      for (const [, , text] of code.matchAll(kText)) {
        for (const candidate of this.#candidates(path, text))
          if (this.tree.isFile(candidate)) found.add(candidate);
      }
      for (const [, , name] of code.matchAll(kPublished)) {
        const source = Object.hasOwn(this.published, name) ? this.published[name] : '';
        if (this.tree.isFile(source)) found.add(source);
      }
    }
    this.#direct.set(path, found);
    return found;
  }

  /** These files, and all that they may read, directly or not. */
  closure(roots) {
    const found = new Set(roots.filter((path) => this.tree.isFile(path)));
    for (const path of found) for (const each of this.direct(path)) found.add(each);
    return [...found].sort();
  }
}
