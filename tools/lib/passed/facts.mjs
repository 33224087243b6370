// What a result depends on beside files: versions of programs and packages, and the environment.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projects, published } from '../../../test/support/projects.mjs';
import { findChromium, findFirefox } from '../browsers.mjs';
import { local, root } from '../paths.mjs';
import { findPostgres } from '../postgres.mjs';
import { run } from '../run.mjs';

/** Variables that tests, servers and Node read. Those that name places are left out: what lies there has a version. */
const kRead =
  /^(SKERRY_.*|DATABASE_URL|PORT|NODE_OPTIONS|TZ|LANG|LC_.*|UBSAN_OPTIONS|ASAN_OPTIONS|CXX|CXXFLAGS)$/;
const kPlaces = /^(SKERRY_TOOLCHAIN_DIR|SKERRY_POSTGRES_BIN|SKERRY_TEST_.*)$/;

/** The variables that a result may depend on, sorted. */
export function environment(env = process.env) {
  return Object.entries(env)
    .filter(([name]) => kRead.test(name) && !kPlaces.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The packages that are installed: what bootstrap.mjs has installed by, the lock file and what asks for it. */
export function packages(root) {
  const hash = createHash('sha256');
  for (const name of ['package-lock.json', 'package.json', 'server/package.json']) {
    const path = join(root, name);
    if (existsSync(path)) hash.update(lockedPart(name, readFileSync(path, 'utf8')));
  }
  return hash.digest('hex');
}

/** Of a package.json, what is installed and how it is resolved; limits of size and commands change no test. */
function lockedPart(name, text) {
  if (!name.endsWith('package.json')) return text;
  const { scripts: _scripts, 'size-limit': _limits, ...rest } = JSON.parse(text);
  return JSON.stringify(rest);
}

const printed = async (command, args, env) => {
  const { code, output } = await run(command, args, { env, allowFailure: true });
  // Scripts that start a program may say more.
  const line = output.split('\n').findLast((each) => /\d[.,]\d/.test(each));
  return code === 0 && line ? line.trim() : `none (${code})`;
};
const kWebKit =
  'imports.gi.versions.WebKit2 = "4.1"; const w = imports.gi.WebKit2; print([w.get_major_version(), w.get_minor_version(), w.get_micro_version()]);';

/** How a program says its version. */
const kVersions = {
  PostgreSQL: () => {
    const found = findPostgres();
    return found ? printed(join(found.bin, 'postgres'), ['--version'], found.env) : 'none';
  },
  Chromium: () => printed(findChromium() ?? 'chromium', ['--version', '--no-sandbox']),
  Firefox: () => printed(findFirefox() ?? 'firefox', ['--version']),
  WebKitGTK: () => printed('gjs', ['-c', kWebKit]),
  npm: () => printed('npm', ['--version']),
};

/** The versions of these programs, by name. */
export async function versions(names) {
  const wanted = [...new Set(names)].sort();
  return Object.fromEntries(
    await Promise.all(wanted.map(async (name) => [name, await kVersions[name]()])),
  );
}

const common = (root) => ({
  node: process.version,
  platform: [process.platform, process.arch],
  packages: packages(root),
  environment: environment(),
});

/** What the core is compiled by, natively or as WebAssembly: its compiler, and the headers of others. */
export async function compilerFacts(wasm) {
  const include = join(local, 'include');
  const names = existsSync(include) ? readdirSync(include, { recursive: true }).sort() : [];
  const headers = createHash('sha256');
  for (const name of names) {
    const path = join(include, name);
    if (statSync(path).isFile()) headers.update(`${name}\0`).update(readFileSync(path));
  }
  return {
    ...common(root),
    headers: headers.digest('hex'),
    compiler: wasm ? await emscripten() : await printed(process.env.CXX ?? 'c++', ['--version']),
  };
}

/** The versions of Emscripten, and of the clang that it has. */
async function emscripten() {
  const file = join(local, 'emscripten.cmake');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const folder = /"(.*)"/.exec(text)?.[1];
  return folder ? printed(join(folder, 'emcc'), ['--version']) : 'none';
}

/** Asks the programs of these projects for their versions. Returns what the keys of a project have beside files. */
export async function projectFacts(names) {
  const found = await versions(names.flatMap((name) => projects[name].programs ?? []));
  const all = { ...common(root), published };
  return (name) => ({
    ...all,
    programs: (projects[name].programs ?? []).map((program) => [program, found[program]]),
  });
}
