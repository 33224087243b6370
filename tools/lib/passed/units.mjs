// The units of work of vitest: each file of tests in each project, with the files that its result depends on, and its key.

import { everyProject, projects, published, reads } from '../../../test/support/projects.mjs';
import { References } from './references.mjs';

/** Nothing that runs reads them; the packed package has them. */
const kBesideCode = /\.(map|d\.[cm]?ts)$/;

/** The files of tests of a project. vitest finds them by patterns; run-vitest.mjs compares the two. */
export function testsOf(tree, name) {
  const { folders, deep, except } = projects[name];
  return folders
    .flatMap((folder) =>
      tree.below(folder).filter((path) => deep || !path.slice(folder.length + 1).includes('/')),
    )
    .filter((path) => path.endsWith('.test.ts') && !except.includes(path));
}

/** `facts(name)`: of the project's programs, the environment and the packages (facts.mjs). */
export class Units {
  #bases = new Map();

  constructor(tree, facts) {
    this.tree = tree;
    this.facts = facts;
    this.references = new References(tree, published);
  }

  /** The files below, without what only the packed package has. */
  #below(project, paths) {
    const files = paths.flatMap((path) => this.tree.below(path));
    return files.filter((path) => project === 'package' || !kBesideCode.test(path));
  }

  /** What all files of tests of a project run on. */
  #base(project) {
    if (!this.#bases.has(project)) {
      // The configuration names files of all projects, so what it names is not followed.
      const common = everyProject.filter((path) => this.tree.isFile(path));
      const closure = this.references.closure(this.#below(project, projects[project].on ?? []));
      this.#bases.set(project, [...common, ...closure]);
    }
    return this.#bases.get(project);
  }

  /** Of a file of tests in a project: `{ project, path, files, key }`. */
  of(project, path) {
    const own = this.references.closure([path, ...this.#below(project, reads[path] ?? [])]);
    const files = [...new Set([...this.#base(project), ...own])].sort();
    const key = this.tree.key(`${project} ${path}`, this.facts(project), files);
    return { project, path, files, key };
  }

  all(project) {
    return testsOf(this.tree, project).map((path) => this.of(project, path));
  }
}
