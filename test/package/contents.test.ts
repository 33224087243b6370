// What is packed: everything that is needed, and nothing else. Sources, tests and what an earlier build has left in dist/
// must not travel.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { expect, inject, test } from 'vitest';

const installed = join(inject('plain'), 'node_modules', 'skerry');
const { files, size, unpackedSize } = inject('packed');
const packed = new Set(files.map(({ path }) => path));
const text = (path: string) => readFileSync(join(installed, path), 'utf8');

const references: Readonly<Record<string, readonly RegExp[]>> = {
  // As minifiers write them.
  '.js': [
    /(?:\bfrom|\bimport|\bimport\()\s*["'`](\.[^"'`]+)["'`]/g,
    /\bnew URL\(["'`]([\w./-]+\w)["'`],\s*import\.meta\.url/g,
    /sourceMappingURL=(\S+)/g,
  ],
  '.d.ts': [/(?:\bfrom|\bimport|\bimport\()\s*["'](\.[^"']+)["']/g],
};

/** What a file names beside itself. */
function referencesOf(path: string): string[] {
  const ending = Object.keys(references).find((each) => path.endsWith(each));
  const patterns = ending ? (references[ending] ?? []) : [];
  const content = patterns.length > 0 ? text(path) : '';
  return patterns
    .flatMap((pattern) => [...content.matchAll(pattern)].map((found) => found[1] ?? ''))
    .map((name) => posix.join(dirname(path), name).replace(/(?<!\.d)\.ts$/, '.d.ts'));
}

type Exports = Record<string, string | Record<string, string>>;

/** Every file that somebody can come to, from what package.json names. */
function reachable(): Set<string> {
  const { exports } = JSON.parse(text('package.json')) as { exports: Exports };
  const entries = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  );
  const found = new Set<string>();
  const waiting = entries.map((entry) => posix.normalize(entry));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    if (existsSync(join(installed, path))) waiting.push(...referencesOf(path));
  }
  return found;
}

test('every file that the package names is in it', () => {
  expect([...reachable()].filter((path) => !packed.has(path))).toEqual([]);
});

test('nothing is in it that nothing names, but what people read', () => {
  const found = reachable();
  const forPeople = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
  expect([...packed].filter((path) => !found.has(path) && !forPeople.includes(path))).toEqual([]);
});

test('it installs no other package and runs nothing', () => {
  const { dependencies, scripts, ...manifest } = JSON.parse(text('package.json'));
  expect(dependencies ?? {}).toEqual({});
  // A binding is used by who has its library, and by nobody else.
  const { peerDependencies, peerDependenciesMeta } = manifest;
  for (const name of Object.keys(peerDependencies))
    expect(peerDependenciesMeta[name]).toEqual({ optional: true });
  for (const name of ['preinstall', 'install', 'postinstall'])
    expect(scripts).not.toHaveProperty(name);
});

test('it is as large as it says', () => {
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
  const byEnding = new Map<string, number>();
  for (const file of files) {
    const ending = /\.(d\.ts|js\.map|js|wasm)$/.exec(file.path)?.[1] ?? 'other';
    byEnding.set(ending, (byEnding.get(ending) ?? 0) + file.size);
  }
  const parts = [...byEnding].map(([ending, bytes]) => `${ending} ${kilobytes(bytes)}`);
  console.log(
    `The tarball: ${kilobytes(size)}, unpacked ${kilobytes(unpackedSize)} (${parts.join(', ')})`,
  );
  // A quarter of it is the server’s module, which has the queries of rules.
  expect(size).toBeLessThan(1_356_500);
});
