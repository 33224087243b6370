// The checks of style. Each returns the text of the problems, or an empty string.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { bin, build, root, toolPath } from './paths.mjs';
import { note, run } from './run.mjs';

const kParallel = 2;

/** The C++ files that git tracks, or does not ignore. */
export async function cppFiles() {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.cc', '*.h'];
  const { output } = await run('git', list, { cwd: root });
  const files = output.split('\n').filter(Boolean);
  return files.map((file) => join(root, file)).filter((file) => existsSync(file));
}

async function textOf(command, args) {
  const { code, output } = await run(command, args, { cwd: root, allowFailure: true });
  return code === 0 ? '' : output.trim() || `${command} ended with ${code}`;
}

export const biome = () => textOf(join(bin, 'biome'), ['check', '--colors=off']);

/** Service workers apart, because their globals are not a page's. */
const kTypeProjects = ['tsconfig.json', 'tsconfig.worker.json'];

export async function types() {
  const check = (project) => textOf(join(bin, 'tsc'), ['-p', project, '--pretty', 'false']);
  return (await Promise.all(kTypeProjects.map(check))).filter(Boolean).join('\n');
}

export async function clangFormat() {
  const files = await cppFiles();
  if (files.length === 0) return '';
  const text = await textOf(toolPath('clang-format'), ['--dry-run', '-Werror', ...files]);
  // The tool itself shows the lines best, when it corrects them.
  const named = new Set([...text.matchAll(/^(.+?):\d+:\d+: error/gm)].map(([, file]) => file));
  if (named.size === 0) return text;
  const list = [...named].map((file) => `  ${relative(root, file)}`).sort();
  return `Not as clang-format has it (npm run format mends it):\n${list.join('\n')}`;
}

export async function sizes() {
  // size-limit skips a file that does not exist, as if its size were zero.
  const config = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))['size-limit'];
  const missing = config
    .flatMap(({ path }) => path)
    .filter((path) => !path.includes('*') && !existsSync(join(root, path)));
  if (missing.length > 0) return `Not built, so not weighed: ${missing.join(', ')}`;
  const { code, output } = await run(join(bin, 'size-limit'), [], {
    cwd: root,
    allowFailure: true,
  });
  console.log(output.trimEnd());
  return code === 0 ? '' : 'Over a limit of size-limit (package.json).';
}

/** Runs publint and are-the-types-wrong on the packed package. */
export async function published() {
  const folder = join(build, 'packed');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const [name] = readdirSync(folder);
  const tarball = join(folder, name);
  // The package is ESM only: how CommonJS and the resolution of Node 10 see it does not matter. And skerry-sw.js is a
  // script to be served, which nobody imports, so it has no types.
  const attw = ['--profile', 'esm-only', '--exclude-entrypoints', 'skerry-sw.js', '--no-emoji'];
  const found = [
    await textOf(join(bin, 'publint'), [tarball, '--strict']),
    await textOf(join(bin, 'attw'), [tarball, ...attw]),
  ];
  return found.filter(Boolean).join('\n');
}

/** A file and all files of the core that it includes, directly or not. A unity file includes sources by full path. */
function withIncludes(source) {
  const found = new Set([source]);
  for (const file of found) {
    for (const [, header] of readFileSync(file, 'utf8').matchAll(/^#include "([^"]+)"/gm)) {
      const path = resolve(root, 'src', header);
      if (existsSync(path)) found.add(path);
    }
  }
  return [...found].sort();
}

function contentHash(files, salt) {
  const hash = createHash('sha256').update(salt);
  for (const file of files) {
    hash.update(`${relative(root, file)}\0`);
    hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** The only check that does not look into headers, and the declarations that it checks. */
const kUsingCheck = '--checks=-*,misc-unused-using-decls';
const kUsing = /^\s*using [\w:]+::\w+;/m;

/**
 * Runs clang-tidy over the core's sources, a dozen together, because most of the time goes into headers. Skips a dozen
 * if neither its sources nor the headers that they include have changed since it was last found clean, but with `fresh`.
 */
export async function clangTidy({ fresh = false } = {}) {
  await run('cmake', ['--preset', 'tidy'], { cwd: root });
  const folder = join(build, 'tidy');
  const commands = JSON.parse(readFileSync(join(folder, 'compile_commands.json'), 'utf8'));
  const sources = commands
    .map(({ file }) => file)
    .filter((file) => file.includes('/skerry_core.dir/') && existsSync(file));
  if (sources.length === 0) return 'There is nothing to check: no unity file of skerry_core.';
  const { output: version } = await run(toolPath('clang-tidy'), ['--version']);
  const salt = version + readFileSync(join(root, '.clang-tidy'), 'utf8');
  const cache = join(build, 'clang-tidy');
  mkdirSync(cache, { recursive: true });
  const stale = sources
    .map((source) => ({
      source,
      clean: join(cache, contentHash(withIncludes(source), salt)),
    }))
    .filter(({ clean }) => fresh || !existsSync(clean));
  if (stale.length > 0)
    note(`${stale.length} of ${sources.length} dozens of files are to be checked`);
  // A problem in a header is reported by each dozen that includes it.
  const problems = new Set();
  const tidy = (...args) => {
    const options = ['-p', folder, '--quiet', '--extra-arg=-Wno-unknown-warning-option'];
    return textOf(toolPath('clang-tidy'), [...options, ...args]);
  };
  const worker = async () => {
    for (let item = stale.pop(); item; item = stale.pop()) {
      const alone = withIncludes(item.source).filter(
        (file) => file.endsWith('.cc') && kUsing.test(readFileSync(file, 'utf8')),
      );
      const texts = [await tidy(item.source)];
      for (const file of alone) texts.push(await tidy(kUsingCheck, file));
      for (const text of texts.filter(Boolean)) {
        for (const problem of text.split(/^(?=\/.*?:\d+:\d+: (?:error|warning): )/m)) {
          problems.add(problem.replace(/^\d+ warnings?.* generated\.$/gm, '').trim());
        }
      }
      if (texts.every((text) => !text)) writeFileSync(item.clean, '');
    }
  };
  await Promise.all(Array.from({ length: kParallel }, worker));
  return [...problems].filter(Boolean).join('\n');
}
