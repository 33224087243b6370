// Goal: the keys of this repository's own tests (tools/lib/passed) have what their layers are made of, and no more, so that a
// line in a document runs nothing and one in the server none of the core. Method: the keys as `npm test` makes them.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CoreUnits } from '../../tools/lib/passed/core.mjs';
import { Tree } from '../../tools/lib/passed/tree.mjs';
import { Units } from '../../tools/lib/passed/units.mjs';
import { projects } from '../support/projects.mjs';

const tree = new Tree(join(import.meta.dirname, '../..'));
const units = new Units(tree, () => ({}));
const all = Object.entries(projects)
  .filter(([, { always }]) => !always)
  .flatMap(([name]) => units.all(name));
const core = new CoreUnits(tree, {}).tests('debug');

const foldersOf = (files: readonly string[], above: string) => [
  ...new Set(files.filter((path) => path.startsWith(above)).map((path) => path.split('/')[1])),
];

test('each file of tests is in its own key, and what runs every file is in all keys', () => {
  expect(all.length).toBeGreaterThan(200);
  for (const { path, files } of all) {
    expect(files).toContain(path);
    expect(files, path).toContain('test/support/patience.ts');
  }
});

test('a document is in the keys of those tests only that read it', () => {
  const readers = (path: string) => all.filter(({ files }) => files.includes(path));
  expect(readers('docs/design.md')).toEqual([]);
  expect(readers('docs/performance.md')).toEqual([]);
  expect(readers('README.md').map(({ path }) => path)).toContain('test/js/readme.test.ts');
  const documents = all.filter(
    ({ project, files }) => project !== 'package' && files.some((path) => path.startsWith('docs/')),
  );
  expect(documents.length).toBeLessThan(all.length / 10);
});

test('what a bundler reads, which nothing notes, is named by those that call one', () => {
  const bundling = tree
    .below('test')
    .filter((path) => path.endsWith('.ts') && tree.text(path).includes("from 'esbuild'"));
  // Of another: see what it bundles, and name it in projects.mjs (`on`, `reads`) unless the file has it as a text.
  expect(bundling).toEqual([
    'test/browser/support/next-release.ts',
    'test/browser/support/site.ts',
    'test/js/bare-import.test.ts',
    'test/server/directory-lock.test.ts',
    'test/server/pglite.test.ts',
    'test/tidy/keys.test.ts',
  ]);
  const lock = all.find(({ path }) => path === 'test/server/directory-lock.test.ts');
  expect(lock?.files).toContain('server/src/db/directory-lock.ts');
});

test('a source of the core is in no key of vitest, which runs what is built of it', () => {
  const naming = all.filter(({ files }) => files.some((path) => /^src\/.*\.cc$/.test(path)));
  // Its small tree has sources of such names.
  expect(naming.map(({ path }) => path)).toEqual(['test/tools/keys.test.ts']);
});

test.each([
  ['base', ['base']],
  ['model', ['base', 'model']],
  ['log', ['base', 'log', 'model']],
  ['client', ['base', 'client', 'log', 'model']],
])('tests of %s have the layers below it in their keys, and no other', (layer, layers) => {
  const own = core.filter(({ path }) => path.startsWith(`test/core/${layer}/`));
  expect(own.length).toBeGreaterThan(2);
  for (const { path, files } of own) expect(foldersOf(files, 'src/').sort(), path).toEqual(layers);
});

test('the simulator and the scripts have all of the core in their keys', () => {
  const replayed = core.find(({ path }) => path === 'test/sim/replay_test.cc');
  const layers = ['authority', 'base', 'client', 'log', 'model', 'sync'];
  expect(foldersOf(replayed?.files ?? [], 'src/').sort()).toEqual(layers);
  expect(replayed?.files.some((path) => /^test\/spec\/.*\.json$/.test(path))).toBe(true);
});
