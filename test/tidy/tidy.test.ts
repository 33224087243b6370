// Goal: the repository keeps its own rules. Method: rules.ts over every file that git tracks, or
// would track.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { longFiles } from './long-files.ts';
import {
  callProblems,
  importProblems,
  includeProblems,
  kindProblems,
  listedIn,
  machineProblems,
} from './rules.ts';

const kMaxLines = 400;
const root = fileURLToPath(new URL('../../', import.meta.url));

const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
})
  .split('\n')
  .filter((path) => path && existsSync(root + path) && statSync(root + path).isFile());

const texts = new Map<string, string>();
for (const path of paths) {
  const bytes = readFileSync(root + path);
  if (!bytes.includes(0)) texts.set(path, bytes.toString('utf8'));
}

const over = (rule: (path: string, text: string) => string[]) =>
  [...texts].flatMap(([path, text]) => rule(path, text));

describe('the repository', () => {
  it('includes in one direction', () => expect(over(includeProblems)).toEqual([]));

  it('imports in one direction', () => expect(over(importProblems)).toEqual([]));

  it('leaves clocks, randomness and I/O to the hosts', () =>
    expect(over(callProblems)).toEqual([]));

  it('does not compile before it knows a new kind of op', () =>
    expect(over(kindProblems)).toEqual([]));

  it('names no path of one machine', () => expect(over(machineProblems)).toEqual([]));

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

  it('builds every C++ file that it has', () => {
    const listed = new Set(
      [...texts]
        .filter(([path]) => /(^|\/)(sources\.cmake|CMakeLists\.txt)$/.test(path))
        .flatMap(([, text]) => listedIn(text)),
    );
    // A list may name a file from the root, or from the folder that its room is in.
    const known = (path: string) =>
      listed.has(path) || listed.has(path.replace(/^(src|wasm|test\/core)\//, ''));
    const unlisted = paths.filter(
      (path) => /^(src|wasm|test\/core|bench)\/.*\.cc$/.test(path) && !known(path),
    );
    expect(unlisted).toEqual([]);
  });

  it('lists the sources of a room in the room', () => {
    const misplaced = [...texts]
      .filter(([path]) => /^src\/[^/]+\/sources\.cmake$/.test(path))
      .flatMap(([path, text]) => {
        const room = path.split('/')[1];
        return listedIn(text)
          .filter((name) => !new RegExp(`^(src/)?${room}/`).test(name))
          .map((name) => `${path}: ${name}`);
      });
    expect(misplaced).toEqual([]);
  });
});
