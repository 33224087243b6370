// Installs everything that is missing for this checkout: `node tools/bootstrap.mjs [--test]`.
//
// If nothing is missing it takes a few milliseconds. It uses only Node's own modules, because it runs
// before anything is installed. Several processes may run it at once.
//
//   .toolchain/                 files of this checkout
//     include/                  the nlohmann and doctest headers
//     bin/                      ninja, clang-format, clang-tidy (links)
//     emscripten.cmake          which Emscripten CMake is to use
//   .toolchain/debian/          the compilers (or in SKERRY_TOOLCHAIN_DIR, shared by checkouts)
//   .toolchain/emscripten-cache/
//   .toolchain/postgresql/      for the server's tests, if the machine has none
//   .toolchain/database-clients/  for the same, likewise

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findChromium, findFirefox, hasWebKit } from './lib/browsers.mjs';
import { findFuzzer, fuzzerPackages } from './lib/clang.mjs';
import { installDatabaseClients } from './lib/database-clients.mjs';
import {
  copyHeaders,
  debianAvailable,
  installDebianPrefix,
  kDebianParts,
  llvmOf,
  moveDebianPrefix,
} from './lib/debian.mjs';
import {
  chooseEmscripten,
  configureDebianEmscripten,
  installedEmscripten,
  moveDebianEmscripten,
} from './lib/emscripten.mjs';
import { withLock } from './lib/lock.mjs';
import { debianPrefix, local, root, toolchain } from './lib/paths.mjs';
import { installPostgres } from './lib/postgres.mjs';
import { main, note, run, SetupError, step, which } from './lib/run.mjs';

/** Increment it if a change of this file must replace the compilers that machines have installed. */
const kRecipe = '3';
const kNodeMajor = 20;

const stampOf = (folder) => join(folder, 'skerry.stamp');
const readStamp = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

function checkNode() {
  if (Number.parseInt(process.versions.node, 10) < kNodeMajor) {
    throw new SetupError(`Node ${kNodeMajor} or newer is needed; this is ${process.version}.`);
  }
  for (const program of ['npm', 'cmake', 'git']) {
    if (!which(program)) throw new SetupError(`There is no ${program} on PATH. Please install it.`);
  }
  if (!which('c++')) throw new SetupError('There is no C++ compiler (c++) on PATH. Install g++.');
}

// --- npm packages ---------------------------------------------------------------------------------

async function installPackages() {
  const hash = createHash('sha256');
  for (const name of ['package-lock.json', 'package.json', 'server/package.json']) {
    hash.update(readFileSync(join(root, name)));
  }
  const wanted = hash.digest('hex');
  const stamp = join(root, 'node_modules', '.skerry-lock');
  if (readStamp(stamp) === wanted) return;
  await step('npm packages', async () => {
    // `npm ci` would empty node_modules while another process may be building here.
    await run('npm', ['install', '--no-audit', '--no-fund', '--no-save'], { cwd: root });
    await run(process.execPath, [join(root, 'tools', 'link-self.mjs')]);
    writeFileSync(stamp, wanted);
  });
}

// --- compilers, headers and tools -----------------------------------------------------------------

/** Headers of C++, and the packages of Debian that have them. */
const headersOf = ({ test }) => ({
  nlohmann: 'nlohmann-json3-dev',
  ...(test ? { doctest: 'doctest-dev' } : {}),
});
const kClangTools = ['clang-format', 'clang-tidy'];
/** A program of LLVM on PATH; Debian's names carry the version. */
const clangTool = (name) => which(`${name}-21`) ?? which(name);

/** The parts of kDebianParts that the machine lacks. Without an Emscripten it is all of them, unpacked at once. */
function missingParts({ test }) {
  if (!installedEmscripten()) return Object.keys(kDebianParts);
  const folders = [join(local, 'include'), '/usr/include'];
  const hasHeader = (name) => folders.some((folder) => existsSync(join(folder, name)));
  return [
    ...(which('ninja') ? [] : ['ninja']),
    ...Object.keys(headersOf({ test })).filter((name) => !hasHeader(name)),
    ...(test ? kClangTools.filter((name) => !clangTool(name)) : []),
  ];
}

/** Unpacks from the Debian suite what the machine lacks, where it can. */
async function installCompilers({ test }) {
  if (!debianAvailable()) return;
  const missing = missingParts({ test });
  const stamp = stampOf(debianPrefix);
  // The stamp holds the folder, because the programs contain its path.
  const [recipe, folder, ...unpacked] = readStamp(stamp).split('\n');
  const present = recipe === kRecipe ? unpacked : [];
  const mark = (parts) => writeFileSync(stamp, [kRecipe, debianPrefix, ...parts].join('\n'));
  if (missing.every((part) => present.includes(part))) {
    if (present.length === 0 || folder === debianPrefix) return;
    await step('compilers of a checkout that was moved', async () => {
      await moveDebianPrefix(debianPrefix);
      if (present.includes('emscripten')) moveDebianEmscripten();
      mark(present);
    });
    return;
  }
  const wanted = [...new Set([...present, ...missing])];
  await step(`${wanted.join(', ')} (up to 100 MB, once)`, async () => {
    await installDebianPrefix(debianPrefix, wanted);
    if (wanted.includes('emscripten')) {
      note('adding what Emscripten wants from npm');
      await configureDebianEmscripten();
    }
    mark(wanted);
  });
}

/** Makes .toolchain/bin/<name> point at `target`. */
function link(name, target) {
  const path = join(local, 'bin', name);
  try {
    if (readlinkSync(path) === target) return;
  } catch {
    // There is no link yet.
  }
  mkdirSync(join(local, 'bin'), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  symlinkSync(target, fresh);
  renameSync(fresh, path);
}

function linkTools({ test }) {
  const llvm = llvmOf(debianPrefix);
  const ninja = [join(debianPrefix, 'usr', 'bin', 'ninja'), which('ninja')].find(
    (path) => path && existsSync(path),
  );
  if (!ninja) throw new SetupError('There is no ninja on PATH. Install ninja-build.');
  link('ninja', ninja);
  for (const name of kClangTools) {
    const path = [llvm && join(llvm, 'bin', name), clangTool(name)].find(
      (candidate) => candidate && existsSync(candidate),
    );
    if (path) link(name, path);
    else if (test) throw new SetupError(`There is no ${name} on PATH. Version 21 is wanted.`);
  }
}

function installHeaders({ test }) {
  const include = join(local, 'include');
  for (const [name, title] of Object.entries(headersOf({ test }))) {
    if (existsSync(join(include, name))) continue;
    if (copyHeaders(name, debianPrefix, include)) continue;
    throw new SetupError(
      `No ${name} headers. Install ${title}, or put the folder ${name} into .toolchain/include.`,
    );
  }
}

// --- the browsers ---------------------------------------------------------------------------------

/** The browsers of the tests, and the Debian packages that install them. */
const kBrowsers = {
  Chromium: { found: findChromium, packages: ['chromium'] },
  Firefox: { found: findFirefox, packages: ['firefox-esr'] },
  WebKitGTK: { found: hasWebKit, packages: ['gjs', 'gir1.2-webkit2-4.1', 'xvfb'] },
};

async function installBrowsers(names) {
  const missing = names.filter((name) => !kBrowsers[name].found());
  if (missing.length === 0) return;
  const packages = missing.flatMap((name) => kBrowsers[name].packages);
  const root = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !root || !which('apt-get')) {
    throw new SetupError(
      `The browser tests need ${missing.join(', ')}. Install what is missing (on Debian: ` +
        `apt-get install ${packages.join(' ')}), or set CHROMIUM_PATH and FIREFOX_PATH to programs.`,
    );
  }
  await step(missing.join(', '), () => installPackagesOf(packages));
}

async function installPackagesOf(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  if ((await run('apt-get', install, { env, allowFailure: true })).code === 0) return;
  note("reading apt's package lists first");
  await run('apt-get', ['update', '-q'], { env });
  await run('apt-get', install, { env });
}

// --- libFuzzer, for the nightly run ---------------------------------------------------------------

/** A clang++ with libFuzzer: installed already, or from Debian if we are root. Undefined if neither is possible. */
export async function fuzzer() {
  const there = await findFuzzer();
  if (there) return there;
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !which('apt-get'))
    return undefined;
  const packages = await fuzzerPackages();
  if (packages.length === 0) return undefined;
  await step(packages.join(', '), () => installPackagesOf(packages));
  return findFuzzer();
}

// --- all of it ------------------------------------------------------------------------------------

/** Installs everything that a build needs, and with `test` also what the tests need. `browsers`: names of kBrowsers. */
export async function bootstrap({
  test = false,
  browsers = test ? Object.keys(kBrowsers) : [],
  postgres = test,
} = {}) {
  checkNode();
  mkdirSync(local, { recursive: true });
  mkdirSync(toolchain, { recursive: true });
  await withLock(join(toolchain, 'lock'), async () => {
    await installPackages();
    await installCompilers({ test });
    chooseEmscripten();
    installHeaders({ test });
    linkTools({ test });
    if (postgres) {
      await installPostgres();
      await installDatabaseClients();
    }
  });
  await installBrowsers(browsers);
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  await main(() => step('set-up', () => bootstrap({ test: process.argv.includes('--test') })));
}
