// Choosing an Emscripten, and telling CMake which: .toolchain/emscripten.cmake names its folder.

import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianAvailable, llvmOf } from './debian.mjs';
import { build, debianPrefix, root, toolchain } from './paths.mjs';
import { note, run, SetupError, which } from './run.mjs';

/** The oldest version whose flags are all that wasm/CMakeLists.txt uses. */
const kOldest = 4;

/** The folder of the emcc on PATH, or of the emsdk, if it is new enough. */
export function installedEmscripten() {
  const candidates = [
    which('emcc'),
    process.env.EMSDK && join(process.env.EMSDK, 'upstream', 'emscripten', 'emcc'),
  ].filter((path) => path && existsSync(path));
  for (const path of candidates) {
    const folder = dirname(realpathSync(path));
    const file = join(folder, 'emscripten-version.txt');
    const version = existsSync(file) ? readFileSync(file, 'utf8').replaceAll('"', '').trim() : '0';
    if (Number.parseInt(version, 10) >= kOldest) return { folder, version };
    note(`${path} is version ${version}: too old, ${kOldest} or newer is needed`);
  }
  return undefined;
}

/** Which Emscripten there is, wherever it is: what was built by another is built again. */
export const kEmscriptenVersion = join(root, '.toolchain', 'emscripten.version');

/** Where the Emscripten of the Debian prefix finds its programs. */
function writeConfig() {
  const folder = join(debianPrefix, 'usr', 'share', 'emscripten');
  const cache = join(toolchain, 'emscripten-cache');
  mkdirSync(cache, { recursive: true });
  const config = {
    LLVM_ROOT: join(llvmOf(debianPrefix), 'bin'),
    BINARYEN_ROOT: join(debianPrefix, 'usr'),
    NODE_JS: process.execPath,
    CACHE: cache,
    LLVM_ADD_VERSION: '',
    CLANG_ADD_VERSION: '',
  };
  // The file beside emcc is found without any variable in the environment.
  const lines = Object.entries(config).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  writeFileSync(join(folder, '.emscripten'), lines.join(''));
  return { folder, cache, llvm: config.LLVM_ROOT };
}

/** After the prefix was moved. Emscripten clears its cache, whose libraries take minutes, if LLVM is elsewhere than in `sanity.txt`. */
export function moveDebianEmscripten() {
  const { cache, llvm } = writeConfig();
  const sanity = join(cache, 'sanity.txt');
  if (!existsSync(sanity)) return;
  const [version] = readFileSync(sanity, 'utf8').split('|');
  writeFileSync(sanity, `${version}|${llvm}\n`);
}

/** Completes the Emscripten of the Debian prefix: its configuration, and one package that it needs. */
export async function configureDebianEmscripten() {
  const { folder, cache } = writeConfig();
  // Without a package.json here, npm and Node would use that of the project around the toolchain: npm
  // would install there, and Node would treat Emscripten's scripts as ES modules.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const packages = ['acorn@8.19.0', 'acorn-import-phases@1.0.4'];
  await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', ...packages], {
    cwd: folder,
  });
  // The first compilation installs the system's headers. Do it now, or the next build would find that they are newer
  // than the first objects, and build these again.
  const empty = join(cache, 'empty.c');
  writeFileSync(empty, '');
  await run(join(folder, 'emcc'), ['-c', empty, '-o', join(cache, 'empty.o')]);
}

const versionThere = () =>
  existsSync(kEmscriptenVersion) ? readFileSync(kEmscriptenVersion, 'utf8') : null;

/** Whether `former`, the text of emscripten.cmake, names the same Emscripten, where the checkout was before. */
function isMoved(former, { folder, version }) {
  const place = '/.toolchain/debian/usr/share/emscripten';
  const isDebian = folder.endsWith(place) && former.includes(`${place}"`);
  return isDebian && [version, null].includes(versionThere());
}

/** Stores which Emscripten CMake must use, and returns its version. */
export function chooseEmscripten() {
  const own = join(debianPrefix, 'usr', 'share', 'emscripten');
  const choice =
    installedEmscripten() ?? (existsSync(own) ? { folder: own, version: 'Debian' } : undefined);
  if (!choice) {
    const hint = debianAvailable() ? 'Remove .toolchain and run this again.' : '';
    throw new SetupError(
      `No Emscripten ${kOldest} or newer. Install the emsdk and put emcc on PATH (or set EMSDK). ${hint}`,
    );
  }
  const text = `set(SKERRY_EMSCRIPTEN_ROOT ${JSON.stringify(choice.folder)})\n`;
  const file = join(root, '.toolchain', 'emscripten.cmake');
  const former = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // CMake keeps the compiler that it found first, so the folder of another compiler is configured from scratch.
  if (former !== text && !isMoved(former, choice)) {
    for (const preset of ['wasm', 'wasm-debug', 'wasm-test']) {
      rmSync(join(build, preset), { recursive: true, force: true });
    }
  }
  mkdirSync(dirname(file), { recursive: true });
  if (former !== text) writeFileSync(file, text);
  if (versionThere() !== choice.version) writeFileSync(kEmscriptenVersion, choice.version);
  return choice;
}
