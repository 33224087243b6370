// A reporter of vitest that stamps each file of tests as it passes, unless it opened a file that its key does not have.

import { relative } from 'node:path';

/** The files that tests opened and that are not in their key. A folder must have all its files in it. */
export function undeclared(tree, files, opened) {
  const known = new Set(files);
  return opened.filter((path) => {
    // Of the package's own description the facts of a key have what matters (facts.mjs); Node itself looks into it.
    if (/\.map$/.test(path) || path === 'package.json') return false;
    if (!path.endsWith('/')) return tree.isFile(path) && !known.has(path);
    const below = tree.below(path.slice(0, -1)).filter((each) => !/\.(map|d\.[cm]?ts)$/.test(each));
    return below.some((each) => !known.has(each));
  });
}

export class PassedReporter {
  #units;
  #put = [];
  /** For the report: what was opened and is in no key. */
  problems = [];

  /** `units`: those of this run. `began`: when their keys were made. */
  constructor({ tree, stamps, units, began }) {
    this.tree = tree;
    this.stamps = stamps;
    this.began = began;
    this.#units = new Map(units.map((unit) => [`${unit.project} ${unit.path}`, unit]));
  }

  onTestModuleEnd(module) {
    const path = relative(this.tree.root, module.moduleId);
    const unit = this.#units.get(`${module.project.name} ${path}`);
    if (unit === undefined || unit.key === null) return;
    const missing = undeclared(this.tree, unit.files, module.meta().opened ?? []);
    if (missing.length > 0) {
      const where = 'its key does not have (test/support/projects.mjs)';
      this.problems.push(`${unit.project} ${path} opened what ${where}: ${missing.join(', ')}`);
      console.log(this.problems.at(-1));
    }
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      counts[state] = (counts[state] ?? 0) + 1;
    }
    const passed =
      module.ok() && counts.failed === 0 && !counts.pending && module.errors().length === 0;
    if (!passed || missing.length > 0) return;
    if (this.tree.changedSince(unit.files, this.began)) return;
    this.stamps.put(unit.key, { passed: counts.passed, skipped: counts.skipped });
    this.#put.push(unit.key);
  }

  /** An error outside of all tests may be any file's. */
  onTestRunEnd(_modules, errors, reason) {
    if (errors.length > 0 || reason === 'interrupted') {
      for (const key of this.#put) this.stamps.take(key);
    }
  }
}
