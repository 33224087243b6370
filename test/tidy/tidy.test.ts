// Goal: the repository keeps its own rules. Method: rules.ts over every file that git tracks, or
// would track.

import { describe, expect, it } from 'vitest';
import { cppFolders, jsFolders, serverFolders, tableProblems } from './folders.ts';
import { longFiles } from './long-files.ts';
import {
  callProblems,
  importCircles,
  importProblems,
  includeProblems,
  kindProblems,
  listedIn,
  machineProblems,
  nameProblems,
  opProblems,
} from './rules.ts';
import { paths, texts } from './texts.ts';

const kMaxLines = 400;
/** By `npm run bench -- --write`; and the changelog, where each change is one item. */
const unwrapped = ['docs/performance.md', 'CHANGELOG.md'];
/** Pages without long rows of tables. */
const narrow = ['docs/internals.md', 'docs/sync-worker.md', 'docs/window.md'];

const over = (rule: (path: string, text: string) => string[]) =>
  [...texts].flatMap(([path, text]) => rule(path, text));

describe('the repository', () => {
  it('includes in one direction', () => expect(over(includeProblems)).toEqual([]));

  it('imports in one direction', () => expect(over(importProblems)).toEqual([]));

  it('shows in its tables what its folders may use', () => {
    const text = texts.get('ARCHITECTURE.md') ?? '';
    // The folders of the server have no prefix: their table is the second one.
    const [first = '', second = ''] = text.split('\nIn `server/src`');
    expect(tableProblems(first, 'src/', cppFolders, { isClosed: true })).toEqual([]);
    expect(tableProblems(first, 'js/', jsFolders, { isClosed: false })).toEqual([]);
    const server = second.split('\n## ')[0] ?? '';
    expect(tableProblems(server, '', serverFolders, { isClosed: true })).toEqual([]);
  });

  it('imports nothing in circles', () => {
    for (const area of ['server/src/', 'js/']) expect(importCircles(texts, area)).toEqual([]);
  });

  it('leaves clocks, randomness and I/O to the hosts', () =>
    expect(over(callProblems)).toEqual([]));

  it('does not compile before it knows a new kind of op', () =>
    expect(over(kindProblems)).toEqual([]));

  it('reads no op in the server', () => expect(over(opProblems)).toEqual([]));

  it('names no path of one machine', () => expect(over(machineProblems)).toEqual([]));

  it('has short names of tests', () => expect(over(nameProblems)).toEqual([]));

  it('has no file of more than 400 lines without a reason', () => {
    const tooLong = [...texts]
      .filter(([path]) => !(path in longFiles))
      .map(([path, text]) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > kMaxLines)
      .map(({ path, lines }) => `${path}: ${lines} lines`);
    expect(tooLong).toEqual([]);
    const gone = Object.keys(longFiles).filter((path) => !texts.has(path));
    expect(gone, 'listed, but not there').toEqual([]);
  });

  it('has no line of more than 200 characters in its documents, but for some tables', () => {
    const long = [...texts]
      .filter(([path]) => /^(docs\/.*|[A-Z]+)\.md$/.test(path) && !unwrapped.includes(path))
      .flatMap(([path, text]) =>
        text
          .split('\n')
          .map((line, i) => ({ line, place: `${path}:${i + 1}` }))
          .filter(({ line }) => narrow.includes(path) || !line.startsWith('|'))
          .filter(({ line }) => line.length > 200),
      );
    expect(long.map(({ place }) => place)).toEqual([]);
  });

  it('builds every C++ file that it has', () => {
    const listed = new Set(
      [...texts]
        .filter(([path]) => /(^|\/)(sources\.cmake|CMakeLists\.txt)$/.test(path))
        .flatMap(([, text]) => listedIn(text)),
    );
    // A list may name a file from the root, or from the folder of the list.
    const known = (path: string) =>
      listed.has(path) || listed.has(path.replace(/^(src|wasm|test\/(core|spec))\//, ''));
    const unlisted = paths.filter(
      (path) => /^(src|wasm|test\/(core|spec)|bench)\/.*\.cc$/.test(path) && !known(path),
    );
    expect(unlisted).toEqual([]);
  });

  it('lists the sources of a folder in the folder', () => {
    const misplaced = [...texts]
      .filter(([path]) => /^src\/[^/]+\/sources\.cmake$/.test(path))
      .flatMap(([path, text]) => {
        const folder = path.split('/')[1];
        return listedIn(text)
          .filter((name) => !new RegExp(`^(src/)?${folder}/`).test(name))
          .map((name) => `${path}: ${name}`);
      });
    expect(misplaced).toEqual([]);
  });
});
