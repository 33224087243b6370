// Goal: only what has passed, on the files of its key, is taken as passed later. Method: stamps in a folder, the reporter with
// what vitest would tell it, and a run of vitest over a small tree.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isFresh } from '../../tools/lib/passed/fresh.mjs';
import { PassedReporter } from '../../tools/lib/passed/reporter.mjs';
import { Stamps } from '../../tools/lib/passed/stamps.mjs';
import { Tree } from '../../tools/lib/passed/tree.mjs';
import { SmallTree } from './support.ts';

const root = join(import.meta.dirname, '../..');
let tree: SmallTree;
let stamps: Stamps;
beforeEach(() => {
  tree = new SmallTree({
    'a.test.ts': '',
    'support.ts': '',
    'texts/page.txt': '',
    'texts/more.txt': '',
  });
  stamps = new Stamps(join(tree.root, 'build', 'passed'));
});
afterEach(() => tree.remove());

describe('stamps', () => {
  test('hold what was counted, whole or not at all', () => {
    expect(stamps.get('k')).toBeUndefined();
    stamps.put('k', { passed: 3, skipped: 1 });
    expect(stamps.get('k')).toEqual({ passed: 3, skipped: 1 });
    expect(readdirSync(stamps.folder)).toEqual(['k']);
    writeFileSync(join(stamps.folder, 'torn'), '{"pas');
    expect(stamps.get('torn')).toBeUndefined();
    stamps.take('k');
    expect(stamps.get('k')).toBeUndefined();
  });

  test('are dropped when they are many, those first that were not used for longest', () => {
    for (const [i, key] of ['old', 'used', 'new'].entries()) {
      stamps.put(key, { passed: 1 });
      utimesSync(join(stamps.folder, key), 1000 + i, 1000 + i);
    }
    stamps.get('old');
    stamps.prune(2, 1_000_000);
    expect(readdirSync(stamps.folder).sort()).toEqual(['new', 'old']);
  });

  test('are dropped when they were not used for two months', () => {
    stamps.put('old', { passed: 1 });
    utimesSync(join(stamps.folder, 'old'), 1000, 1000);
    stamps.put('new', { passed: 1 });
    stamps.prune();
    expect(readdirSync(stamps.folder)).toEqual(['new']);
  });
});

test.each<[string[], Record<string, string>, boolean]>([
  [[], {}, false],
  [['--fresh'], {}, true],
  [[], { CI: 'true' }, true],
  [[], { CI: '1' }, true],
  [[], { CI: 'false' }, false],
  [[], { CI: '' }, false],
])('%j in the environment %j runs what has passed before: %s', (given, env, fresh) => {
  expect(isFresh(given, env)).toBe(fresh);
});

type State = 'passed' | 'failed' | 'skipped' | 'pending';

/** A file of tests as vitest reports it. */
const moduleOf = (states: readonly State[], opened: readonly string[] = [], errors = 0) => ({
  moduleId: join(tree.root, 'a.test.ts'),
  project: { name: 'unit' },
  meta: () => ({ opened }),
  ok: () => !states.includes('failed'),
  errors: () => Array(errors).fill({ message: 'outside of tests' }),
  children: { allTests: () => states.map((state) => ({ result: () => ({ state }) })) },
});

describe('a file of tests', () => {
  const unit = {
    project: 'unit',
    path: 'a.test.ts',
    files: ['a.test.ts', 'support.ts', 'texts/page.txt'],
    key: 'k',
  };
  const reporter = (began = Date.now() + 1000) =>
    new PassedReporter({ tree: new Tree(tree.root), stamps, units: [unit], began });

  test('that passes is stamped at once, with its counts', () => {
    reporter().onTestModuleEnd(moduleOf(['passed', 'passed', 'skipped'], ['texts/page.txt']));
    expect(stamps.get('k')).toEqual({ passed: 2, skipped: 1 });
  });

  test.each<[string, State[], number]>([
    ['a test of which fails', ['passed', 'failed'], 0],
    ['that is cut off', ['passed', 'pending'], 0],
    ['that fails outside of its tests', ['passed'], 1],
  ])('%s gets no stamp', (_, states, errors) => {
    reporter().onTestModuleEnd(moduleOf(states, [], errors));
    expect(stamps.get('k')).toBeUndefined();
  });

  test.each(['texts/more.txt', 'texts/'])(
    'that opens %s, not in its key, fails the run',
    (path) => {
      const own = reporter();
      own.onTestModuleEnd(moduleOf(['passed'], [path]));
      expect(stamps.get('k')).toBeUndefined();
      expect(own.problems.join()).toContain(path);
    },
  );

  test('gets no stamp when a file of its key changes while it runs', () => {
    reporter(Date.now() - 60_000).onTestModuleEnd(moduleOf(['passed']));
    expect(stamps.get('k')).toBeUndefined();
  });

  test('loses its stamp when an error comes outside of all files', () => {
    const own = reporter();
    own.onTestModuleEnd(moduleOf(['passed']));
    own.onTestRunEnd([], [{ message: 'unhandled' }], 'failed');
    expect(stamps.get('k')).toBeUndefined();
  });
});

test('what a process and its modules open is noted, and nothing outside of the tree', () => {
  const sink = join(tree.root, 'opened.txt');
  tree.write('opened.txt', '');
  const script = `
    import { readFileSync, readdirSync } from 'node:fs';
    import { readFile } from 'node:fs/promises';
    readFileSync(${JSON.stringify(join(root, 'package.json'))});
    await readFile(${JSON.stringify(join(root, 'tsconfig.json'))});
    readdirSync(${JSON.stringify(join(root, 'test/support'))});
    readFileSync(${JSON.stringify(sink)});
    await import(${JSON.stringify(pathToFileURL(join(root, 'tools/lib/paths.mjs')).href)});`;
  const watcher = pathToFileURL(join(root, 'test/support/opened.mjs')).href;
  const args = [`--import=${watcher}`, '--input-type=module', '-e', script];
  const { NODE_OPTIONS: _none, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { ...env, SKERRY_TEST_OPENED: sink },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const opened = readFileSync(sink, 'utf8').trim().split('\n').sort();
  expect(opened).toEqual(['package.json', 'test/support/', 'tools/lib/paths.mjs', 'tsconfig.json']);
});

test('a run of vitest stamps the files that pass, each in its project', () => {
  const config = (name: string) => ({ test: { name, include: ['*.test.ts'] } });
  const projects = JSON.stringify(['one', 'two'].map(config));
  tree.write('vitest.config.mjs', `export default { test: { projects: ${projects} } };`);
  const text = (body: string) => `import { test } from 'vitest';\ntest('a', () => { ${body} });\n`;
  tree.write('a.test.ts', text(''));
  tree.write('b.test.ts', text('throw new Error("no")'));
  symlinkSync(join(root, 'node_modules'), join(tree.root, 'node_modules'));
  const unit = (project: string, path: string) => ({ project, path, files: [path] });
  const units = [unit('one', 'a.test.ts'), unit('two', 'a.test.ts'), unit('two', 'b.test.ts')];
  const all = [...units, unit('one', 'b.test.ts')].map(({ project, path }) => `${project} ${path}`);
  const work = {
    ...{ root: tree.root, all, began: Date.now() + 1000, stamps: stamps.folder },
    units: units.map((each) => ({ ...each, key: `${each.project}-${each.path}` })),
    report: join(tree.root, 'report.json'),
    problems: join(tree.root, 'problems.json'),
  };
  tree.write('work.json', JSON.stringify(work));
  const program = join(root, 'tools/lib/passed/run-vitest.mjs');
  const { NODE_OPTIONS: _none, ...env } = process.env;
  const { status } = spawnSync(process.execPath, [program, join(tree.root, 'work.json')], { env });
  expect(status).toBe(1);
  expect(readdirSync(stamps.folder).sort()).toEqual(['one-a.test.ts', 'two-a.test.ts']);
  const { numTotalTests } = JSON.parse(readFileSync(work.report, 'utf8'));
  expect(numTotalTests).toBe(3);
  expect(JSON.parse(readFileSync(work.problems, 'utf8'))).toEqual([]);
});
