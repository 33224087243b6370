// Mistakes in what `npm test` keeps of earlier runs (tools/lib/passed): a test that would fail now is taken as passed.

const keys = 'test/tools/keys.test.ts';
const runs = 'test/tools/stamps.test.ts';

export const stamps = [
  {
    name: 'what is implemented below a header is no part of a key',
    test: keys,
    file: 'tools/lib/passed/core.mjs',
    from: 'for (const each of this.#beside(path)) found.add(each);',
    to: 'void path;',
  },
  {
    name: 'what a source of the core reads when it runs is no part of a key',
    test: keys,
    file: 'tools/lib/passed/core.mjs',
    from: 'return [...includes, ...data].filter(Boolean);',
    to: 'return includes.filter(Boolean);',
  },
  {
    name: 'the wasm that a source of the package loads is no part of a key',
    test: keys,
    file: 'tools/lib/passed/references.mjs',
    from: "path.startsWith('js/') ? [normalize(join('dist', text))] : [];",
    to: '[];',
  },
  {
    name: 'a file that a test names by its path is no part of a key',
    test: keys,
    file: 'tools/lib/passed/references.mjs',
    from: '[beside, normalize(text)];',
    to: '[beside];',
  },
  {
    name: 'versions, packages and variables are no part of a key',
    test: keys,
    file: 'tools/lib/passed/tree.mjs',
    from: 'JSON.stringify([name, facts])',
    to: 'JSON.stringify([name])',
  },
  {
    name: 'variables of tests are no part of a key',
    test: keys,
    file: 'tools/lib/passed/facts.mjs',
    from: 'kRead.test(name) && !kPlaces.test(name)',
    to: "name === 'TZ'",
  },
  {
    name: 'what a project runs on is no part of a key',
    test: keys,
    file: 'tools/lib/passed/units.mjs',
    from: 'projects[project].on ?? []',
    to: '[]',
  },
  {
    name: 'a file with a test that fails is stamped',
    test: runs,
    file: 'tools/lib/passed/reporter.mjs',
    from: 'if (!passed || missing.length > 0) return;',
    to: 'if (missing.length > 0) return;',
  },
  {
    name: 'a file that opens what its key does not have is stamped',
    test: runs,
    file: 'tools/lib/passed/reporter.mjs',
    from: 'if (!passed || missing.length > 0) return;',
    to: 'if (!passed) return;',
  },
  {
    name: 'a file is stamped although it changed while it ran',
    test: runs,
    file: 'tools/lib/passed/reporter.mjs',
    from: 'if (this.tree.changedSince(unit.files, this.began)) return;',
    to: '',
  },
  {
    name: 'stamps stay when an error came outside of all tests',
    test: runs,
    file: 'tools/lib/passed/reporter.mjs',
    from: 'errors.length > 0 ||',
    to: '',
  },
  {
    name: 'a file of tests runs in all projects that have it',
    test: runs,
    file: 'tools/lib/passed/run-vitest.mjs',
    from: 'found.filter((each) => wanted.has(nameOf(each)));',
    to: 'found;',
  },
  {
    name: 'what is read by promises, as modules are, is not noted',
    test: runs,
    file: 'test/support/opened.mjs',
    from: 'watch(fs.promises, files, false);',
    to: '',
  },
  {
    name: 'stamps that are used are dropped as those that are not',
    test: runs,
    file: 'tools/lib/passed/stamps.mjs',
    from: 'utimesSync(path, new Date(), new Date());',
    to: '',
  },
  {
    name: 'continuous integration trusts what an earlier run has left',
    test: runs,
    file: 'tools/lib/passed/fresh.mjs',
    from: "given.includes('--fresh') || !['', '0', 'false', undefined].includes(env.CI);",
    to: "given.includes('--fresh');",
  },
];
