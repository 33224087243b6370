// Compilers without root and without a download from anywhere but the machine's own Debian mirror.
//
// Debian 12's own Emscripten is far too old, but the newer suite below carries a good one. apt is
// run with state directories of its own, so that the machine's package state is neither read nor
// changed; the packages are unpacked into a prefix and their programs are pointed at the prefix's
// C library, because they were built for a newer one than the machine may have.

import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { note, run, SetupError, which } from './run.mjs';

const kSuite = 'forky';
const kKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const kArchitectures = {
  x64: { triple: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triple: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/** Whether this machine can use the recipe at all. */
export function debianAvailable() {
  return (
    process.platform === 'linux' &&
    process.arch in kArchitectures &&
    Boolean(which('apt-get') && which('dpkg')) &&
    existsSync(kKeyring)
  );
}

/** The Debian archive that this machine already uses, read from apt's own configuration. */
async function machineMirror() {
  const format = '$(CREATED_BY) $(REPO_URI) $(COMPONENT) $(ORIGIN)';
  const { output } = await run('apt-get', ['indextargets', '--format', format]);
  const mirrors = output
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([by, uri, component]) => by === 'Packages' && component === 'main' && uri)
    .filter(([, uri]) => /\/debian\/?$/.test(uri));
  if (mirrors.length === 0) {
    throw new SetupError("No Debian archive (a URI ending in /debian) is among apt's sources.");
  }
  return mirrors[0][1];
}

/** An apt with its own state, separate from the machine's. */
class Apt {
  #folder;
  #suite;
  #options;

  constructor(folder, suite = kSuite) {
    this.#folder = folder;
    this.#suite = suite;
    for (const name of ['lists/partial', 'cache/archives/partial', 'debs']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, 'status'), '');
    this.#options = [
      `Dir::Etc::sourcelist=${join(folder, 'sources.list')}`,
      'Dir::Etc::sourceparts=/dev/null',
      `Dir::State::lists=${join(folder, 'lists')}`,
      `Dir::Cache=${join(folder, 'cache')}`,
      `Dir::State::status=${join(folder, 'status')}`,
      'APT::Sandbox::User=root',
      'Acquire::Retries=3',
    ].flatMap((option) => ['-o', option]);
  }

  async update() {
    const mirror = await machineMirror();
    const source = `deb [signed-by=${kKeyring}] ${mirror} ${this.#suite} main\n`;
    writeFileSync(join(this.#folder, 'sources.list'), source);
    await run('apt-get', [...this.#options, 'update', '-q']);
  }

  /** The names of all packages that begin so. */
  async names(prefix) {
    const { output } = await run('apt-cache', [...this.#options, 'pkgnames', prefix]);
    return output.split('\n').filter(Boolean);
  }

  /** The names on which a package depends (first alternatives), or undefined without the package. */
  async depends(name) {
    const { code, output } = await run('apt-cache', [...this.#options, 'show', name], {
      allowFailure: true,
    });
    if (code !== 0) return undefined;
    const line = /^Depends: (.*)$/m.exec(output)?.[1] ?? '';
    return line
      .split(',')
      .map((item) => item.trim().split(/[\s|(:]/)[0])
      .filter(Boolean);
  }

  /** Downloads packages and returns the paths of their files. */
  async download(names) {
    const folder = join(this.#folder, 'debs');
    await run('apt-get', [...this.#options, 'download', '-q', ...names], { cwd: folder });
    return readdirSync(folder)
      .filter((name) => name.endsWith('.deb'))
      .map((name) => join(folder, name));
  }
}

// Run-time libraries only: nothing here is compiled against the prefix, and Emscripten brings its
// own headers. The three left out serve programs that are not used, and pull in dozens of others.
const kLibrary = /^(lib(?!.*-dev$).+|zlib1g)$/;
const kUnused = /^(libclang1-|libcurl|libpfm)/;

// What every Debian has, and must not have twice: these belong to the loader that starts the program.
const kOfTheMachine = /^(libc6|libgcc-s1|libstdc\+\+6)$/;

/** All the packages to unpack: the roots, and the libraries that they need, recursively. */
async function closure(apt, roots, unused = kUnused) {
  const wanted = new Set(roots);
  for (const name of wanted) {
    const depends = await apt.depends(name);
    if (!depends) {
      if (roots.includes(name)) throw new SetupError(`Debian's archive has no package ${name}.`);
      wanted.delete(name);
      continue;
    }
    for (const next of depends) if (kLibrary.test(next) && !unused.test(next)) wanted.add(next);
  }
  return [...wanted];
}

function isElf(path) {
  if (!lstatSync(path).isFile()) return false;
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(4);
    return readSync(file, magic, 0, 4, 0) === 4 && magic.toString('latin1') === '\x7fELF';
  } finally {
    closeSync(file);
  }
}

function elfFilesOf(folder, pattern = /./) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))
    .filter(isElf);
}

/** Makes the programs and libraries of the prefix use the prefix's own C library. */
async function relocate(prefix, llvm) {
  const { triple, loader } = kArchitectures[process.arch];
  const libraries = join(prefix, 'usr', 'lib', triple);
  const rpath = `${libraries}:${join(llvm, 'lib')}`;
  const interpreter = join(libraries, loader);
  // patchelf comes from the same suite, so it needs that suite's loader to start, and a copy of the
  // libraries: it crashes when it rewrites a library that it is running on.
  const own = `${prefix}.patchelf`;
  cpSync(libraries, own, { recursive: true, verbatimSymlinks: true });
  const patchelf = (args, files) =>
    run(join(own, loader), [
      '--library-path',
      own,
      join(prefix, 'usr/bin/patchelf'),
      ...args,
      ...files,
    ]);
  const programs = [
    ...elfFilesOf(join(llvm, 'bin')),
    ...elfFilesOf(join(prefix, 'usr', 'bin'), /^(wasm|ninja)/),
  ];
  for (const file of programs) {
    chmodSync(file, 0o755);
    await patchelf(
      ['--set-interpreter', interpreter, '--force-rpath', '--set-rpath', rpath],
      [file],
    );
  }
  const shared = [...elfFilesOf(libraries), ...elfFilesOf(join(llvm, 'lib'))].filter(
    (path) => !/\/(ld-linux|libc\.so|libm\.so|libpthread|libdl|librt)[^/]*$/.test(path),
  );
  for (const file of shared) await patchelf(['--force-rpath', '--set-rpath', rpath], [file]);
  rmSync(own, { recursive: true });
}

/** Makes the programs of a prefix that was copied or moved use its own libraries, and no longer those of the former place. */
export async function moveDebianPrefix(prefix) {
  await relocate(prefix, llvmOf(prefix));
}

/** The folder of the one LLVM in the prefix. */
export function llvmOf(prefix) {
  const folder = join(prefix, 'usr', 'lib');
  const name = existsSync(folder) && readdirSync(folder).find((item) => /^llvm-\d+$/.test(item));
  return name ? join(folder, name) : undefined;
}

/** What can be unpacked, and the packages of each. `version` is the LLVM on which the suite's Emscripten is built. */
export const kDebianParts = {
  emscripten: (version) => [
    ...['emscripten', 'binaryen', `clang-${version}`, `lld-${version}`, `llvm-${version}`],
    ...[`libclang-common-${version}-dev`, `llvm-${version}-runtime`],
    `llvm-${version}-linker-tools`,
  ],
  ninja: () => ['ninja-build'],
  nlohmann: () => ['nlohmann-json3-dev'],
  doctest: () => ['doctest-dev'],
  'clang-format': (version) => [`clang-format-${version}`],
  'clang-tidy': (version) => [`clang-tidy-${version}`, `libclang-common-${version}-dev`],
};

/** Replaces `prefix` by a new one with the named parts of kDebianParts. A failed attempt leaves nothing behind. */
export async function installDebianPrefix(prefix, parts) {
  const state = `${prefix}.apt`;
  // The programs carry the final path of the prefix, so it is built in place and marked when done.
  for (const folder of [prefix, state]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(prefix, { recursive: true });
  const apt = new Apt(state);
  note(`reading the package list of Debian ${kSuite}`);
  await apt.update();
  const clang = (await apt.depends('emscripten'))?.find((name) => /^clang-\d+$/.test(name));
  if (!clang) throw new SetupError(`The suite ${kSuite} has no Emscripten built on clang.`);
  const version = clang.slice('clang-'.length);
  const roots = parts.flatMap((part) => kDebianParts[part](version));
  const names = await closure(apt, ['patchelf', ...new Set(roots)]);
  note(`downloading ${names.length} packages`);
  const files = await apt.download(names);
  note('unpacking them');
  for (const file of files) await run('dpkg', ['-x', file, prefix]);
  note('pointing the programs at their own C library');
  await relocate(prefix, join(prefix, 'usr', 'lib', `llvm-${version}`));
  rmSync(state, { recursive: true, force: true });
  writeFileSync(join(prefix, 'packages.txt'), `${names.join('\n')}\n`);
}

/** The suite of Debian that this machine runs, by its code name. */
function machineSuite() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const suite = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1];
  if (!suite || !/^ID="?debian"?$/m.test(text)) {
    throw new SetupError('This machine runs no release of Debian.');
  }
  return suite;
}

/**
 * Replaces `prefix` by a new one with packages of the machine's own suite, and the libraries that they need. The
 * programs use the machine's own loader, with the prefix's libraries in LD_LIBRARY_PATH. `choose` picks from the names
 * that begin with `postgresql-`. Returns the unpacked packages.
 */
export async function unpackMachinePackages(prefix, choose) {
  const fresh = `${prefix}.new`;
  const state = `${prefix}.apt`;
  for (const folder of [fresh, state]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const apt = new Apt(state, machineSuite());
  await apt.update();
  const roots = choose(await apt.names('postgresql-'));
  if (roots.length === 0) throw new SetupError('The archive has no PostgreSQL that is new enough.');
  const names = await closure(apt, roots, kOfTheMachine);
  note(`downloading ${names.length} packages`);
  for (const file of await apt.download(names)) await run('dpkg', ['-x', file, fresh]);
  rmSync(prefix, { recursive: true, force: true });
  renameSync(fresh, prefix);
  rmSync(state, { recursive: true, force: true });
  return names;
}

/** Copies a header folder of the prefix, or of the system, to `include`. */
export function copyHeaders(name, prefix, include) {
  const sources = [join(prefix, 'usr', 'include', name), join('/usr', 'include', name)];
  const source = sources.find((path) => existsSync(path));
  if (!source) return false;
  mkdirSync(include, { recursive: true });
  const fresh = join(include, `${name}.new`);
  cpSync(source, fresh, { recursive: true });
  rmSync(join(include, name), { recursive: true, force: true });
  renameSync(fresh, join(include, name));
  return true;
}

/** The version in a header of C++, for stamps and messages. */
export function versionOf(path, pattern) {
  return existsSync(path) ? pattern.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
}
