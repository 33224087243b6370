// Goal: what a result depends on is in its key, and nothing else is: else `npm test` counts a test as passed that would fail
// now, or runs all for a line in a document. Method: changes of a small tree, each with the units that have to run again.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CoreUnits } from '../../tools/lib/passed/core.mjs';
import { environment, packages } from '../../tools/lib/passed/facts.mjs';
import { Tree } from '../../tools/lib/passed/tree.mjs';
import { testsOf, Units } from '../../tools/lib/passed/units.mjs';
import { changed, SmallTree } from './support.ts';

const projects = ['unit', 'server', 'server-postgres', 'browser', 'engines', 'package'] as const;

const files = {
  'package.json': '{ "version": "1" }',
  'package-lock.json': '{}',
  'server/package.json': '{}',
  'vitest.config.ts': "export default './js/index.ts';",
  'test/support/patience.ts': '',
  'test/js/codec.test.ts': "import { helper } from './support.ts';",
  'test/js/support.ts': "import type { Row } from './types.ts';\nimport { open } from 'skerry';",
  'test/js/types.ts': '',
  'test/js/page.test.ts': "readFileSync(join(root, 'texts/page.txt'));\nconst name = 'skerry';",
  'js/index.ts': "import './core/codec.ts';\nimport glue from '../build/wasm/skerry.js';",
  'js/core/codec.ts': "new URL('./skerry.wasm', import.meta.url);",
  'build/wasm/skerry.js': '',
  'dist/skerry.wasm': 'wasm',
  'dist/index.js': "import('./chunk.js'); new URL('./skerry.wasm', import.meta.url)",
  'dist/index.js.map': '',
  'dist/chunk.js': '',
  'dist/skerry-authority.js': "new URL('skerry-authority.wasm', import.meta.url)",
  'dist/skerry-authority.wasm': 'wasm',
  'texts/page.txt': '',
  'texts/other.txt': '',
  'server/dist/main.js': '',
  'test/server/push.test.ts': '',
  'test/server/gate.test.ts': '',
  'test/server/pglite.test.ts': '',
  'test/server/nodes/two.test.ts': '',
  'test/server/support/postgres.ts': '',
  'test/browser/windows.test.ts': '',
  'test/browser/page/page.ts': "import './kit.ts';",
  'test/browser/page/kit.ts': '',
  'test/browser/support/site.ts': '',
  'test/engines/storm.test.ts': "import '../browser/support/site.ts';",
  'test/package/vite.test.ts': '',
  'test/package/projects/vite/main.js': '',
};

const push = ['server test/server/push.test.ts', 'server-postgres test/server/push.test.ts'];
const onServer = [
  ...push,
  'server test/server/pglite.test.ts',
  'server-postgres test/server/gate.test.ts',
  'server-postgres test/server/nodes/two.test.ts',
];
const windows = 'browser test/browser/windows.test.ts';
const storm = 'engines test/engines/storm.test.ts';
const vite = 'package test/package/vite.test.ts';
const codec = 'unit test/js/codec.test.ts';
const page = 'unit test/js/page.test.ts';
const all = [windows, storm, vite, ...onServer, codec, page];

let tree: SmallTree;
beforeAll(() => {
  tree = new SmallTree(files);
});
afterAll(() => tree.remove());

function keys(facts: (project: string) => unknown = () => ({})): Map<string, string> {
  const units = new Units(new Tree(tree.root), facts);
  return new Map(
    projects.flatMap((project) =>
      units.all(project).map(({ path, key }) => [`${project} ${path}`, key] as const),
    ),
  );
}

/** What has to run again after the file has changed. */
function after(path: string, text = '// changed'): string[] {
  const former = keys();
  tree.write(path, text);
  const found = changed(former, keys());
  tree.write(path, files[path as keyof typeof files] ?? '');
  return found;
}

test('each project has its files of tests, those that PostgreSQL alone runs too', () => {
  expect([...keys().keys()].sort()).toEqual([...all].sort());
  expect(testsOf(new Tree(tree.root), 'server')).not.toContain('test/server/gate.test.ts');
});

test.each<[string, string[]]>([
  ['test/js/codec.test.ts', [codec]],
  ['test/js/support.ts', [codec]],
  ['js/core/codec.ts', [codec]],
  ['build/wasm/skerry.js', [codec]],
  ['dist/skerry.wasm', [windows, storm, vite, codec]],
  ['dist/chunk.js', [windows, storm, vite]],
  ['dist/index.js.map', [vite]],
  ['texts/page.txt', [page]],
  ['test/server/push.test.ts', push],
  ['server/dist/main.js', [windows, storm, vite, ...onServer]],
  ['dist/skerry-authority.wasm', [windows, storm, vite, ...onServer]],
  ['test/server/support/postgres.ts', onServer.filter((name) => name.includes('-postgres'))],
  ['test/browser/page/kit.ts', [windows, storm, vite]],
  ['test/browser/support/site.ts', [storm]],
  ['test/package/projects/vite/main.js', [vite]],
  ['test/support/patience.ts', all],
  ['vitest.config.ts', all],
])('after a change of %s the tests that depend on it run again', (path, names) => {
  expect(after(path)).toEqual([...names].sort());
});

test.each(['texts/other.txt', 'test/js/types.ts', 'draft.txt'])(
  'after a change of %s nothing runs again',
  (path) => expect(after(path)).toEqual([]),
);

test('a file that is added to a folder that tests run on changes their keys', () => {
  const former = keys();
  tree.write('server/dist/added.js', '');
  const found = changed(former, keys());
  rmSync(join(tree.root, 'server/dist/added.js'));
  expect(found).toEqual([windows, storm, vite, ...onServer].sort());
});

test('another version of a program is another key, in the projects that use it', () => {
  const facts = (version: string) => (project: string) =>
    project === 'server-postgres' ? [version] : [];
  const found = changed(keys(facts('15')), keys(facts('16')));
  expect(found).toEqual(onServer.filter((name) => name.startsWith('server-postgres')).sort());
});

test('packages are those of the lock file; scripts and limits of size are none', () => {
  const former = packages(tree.root);
  tree.write('package.json', '{ "version": "1", "scripts": { "x": "y" }, "size-limit": [] }');
  expect(packages(tree.root)).toBe(former);
  tree.write('package-lock.json', '{ "a": "1" }');
  expect(packages(tree.root)).not.toBe(former);
  tree.write('package-lock.json', files['package-lock.json']);
});

test('variables that tests read are part of a key; those of a run or a place are not', () => {
  const read = environment({ SKERRY_MODEL_SEED: '7', SKERRY_ROUNDS: 'all', TZ: 'UTC' });
  expect(read).toEqual([
    ['SKERRY_MODEL_SEED', '7'],
    ['SKERRY_ROUNDS', 'all'],
    ['TZ', 'UTC'],
  ]);
  expect(environment({ SKERRY_TEST_PATIENCE: '2', SKERRY_TOOLCHAIN_DIR: '/t', HOME: '/' })).toEqual(
    [],
  );
});

const core = {
  'CMakeLists.txt': '',
  'src/base/text.h': '',
  'src/base/text.cc': '#include "base/text.h"',
  'src/log/op.h': '#include "base/text.h"',
  'src/log/op.cc': '#include "log/op.h"',
  'src/client/view.h': '#include "log/op.h"',
  'src/client/view.cc': '#include "client/view.h"',
  'src/sync/loop.h': '#include "log/op.h"',
  'test/core/main.cc': '',
  'test/core/base/text_test.cc': '#include "base/text.h"',
  'test/core/log/op_test.cc': '#include "test/core/log/fixture.h"\n#include "log/op.h"',
  'test/core/log/fixture.h': '',
  'test/core/log/fixture.cc': '#include "log_fixture.h"',
  'test/core/client/view_test.cc': '#include "client/view.h"',
  'test/core/sync/loop_test.cc': '#include "sync/loop.h"',
  'test/fuzz/fuzz_test.cc': '#include "base/text.h"\nopen(SKERRY_ROOT "/test/fuzz/corpus");',
  'test/fuzz/corpus/image/torn': '',
  'test/sim/main.cc': '#include "client/view.h"\n#include "test/sim/check/checks.h"',
  'test/sim/check/checks.h': '',
  'test/sim/check/rights.cc': '',
};
const [text, op, view, loop, fuzz, seeds] = ['base/text', 'log/op', 'client/view', 'sync/loop']
  .map((name) => `test/core/${name}_test.cc`)
  .concat('test/fuzz/fuzz_test.cc', 'seeds') as [string, string, string, string, string, string];

test.each<[string, string[]]>([
  ['src/base/text.h', [text, op, view, loop, fuzz, seeds]],
  ['src/base/text.cc', [text, op, view, loop, fuzz, seeds]],
  ['src/log/op.cc', [op, view, loop, seeds]],
  ['src/client/view.cc', [view, seeds]],
  ['src/sync/loop.h', [loop]],
  ['test/core/log/fixture.cc', [op]],
  ['test/core/log/op_test.cc', [op]],
  ['test/fuzz/corpus/image/torn', [fuzz]],
  ['test/sim/check/rights.cc', [seeds]],
  ['CMakeLists.txt', [text, op, view, loop, fuzz, seeds]],
  ['texts/core.txt', []],
])('after a change of %s the tests of the core below which it is run again', (path, names) => {
  const small = new SmallTree(core);
  const now = () => {
    const units = new CoreUnits(new Tree(small.root), {});
    const list = [...units.tests('debug'), { ...units.simulator('sim', []), path: 'seeds' }];
    return new Map(list.map((unit) => [unit.path, unit.key]));
  };
  const former = now();
  small.write(path, '// changed');
  expect(changed(former, now())).toEqual([...names].sort());
  small.remove();
});

test('another compiler, preset or number of seeds is another key', () => {
  const small = new SmallTree(core);
  const of = (compiler: string) => new CoreUnits(new Tree(small.root), { compiler });
  const keysOf = [
    of('gcc 13').tests('debug')[0]?.key,
    of('gcc 14').tests('debug')[0]?.key,
    of('gcc 13').tests('wasm-test')[0]?.key,
    of('gcc 13').simulator('sim', ['--seeds', '5']).key,
    of('gcc 13').simulator('sim', ['--seeds', '6']).key,
  ];
  expect(new Set(keysOf).size).toBe(5);
  small.remove();
});
