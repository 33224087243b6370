// Builds the wasm modules, the package, the server and the demo. Unchanged parts are not built again: a
// second run takes about a second.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap } from './bootstrap.mjs';
import { chunkNames, kUnnamed } from './lib/chunk-names.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { pruneDeclarations } from './lib/declarations.mjs';
import { kEmscriptenVersion } from './lib/emscripten.mjs';
import { withLock } from './lib/lock.mjs';
import { bin, build, root } from './lib/paths.mjs';
import { main, note, run, SetupError, step } from './lib/run.mjs';
import { filesBelow, ifChanged } from './lib/stamps.mjs';

/** The modules whose glue is a file of the package. The authority is an entry of it, with declarations of its own. */
const kGlued = ['skerry-authority', 'skerry-image'];
const kGlueTypes = 'skerry-authority.d.ts';
/** That of windows and their workers: its glue is a part of what imports it. */
const kBrowserWasm = 'skerry.wasm';

// Each group is one run of esbuild: its entries share chunks with each other and with no other group.
// Entries are name: source, relative to the root. `node` chooses the platform.
const kGroups = [
  {
    name: 'package',
    out: 'dist',
    // The worker shares a chunk with the page: both need the codec, the storage and the loader of the
    // wasm module, and a page should load those once.
    entries: { index: 'js/index.ts', testing: 'js/testing.ts', worker: 'js/worker/main.ts' },
    // Chunks are named for the entries that load them, so that size-limit (package.json) can measure them apart. Code
    // of windows alone is in index.js itself.
    chunkName(entries, source) {
      if (entries.has('index')) return 'shared';
      if (source.endsWith('service-registration.ts')) return 'services';
      if (source.endsWith('account/account.ts')) return 'account';
      if (source.endsWith('api/verify.ts')) return 'verify';
      return 'worker';
    },
  },
  // Bindings import the package itself, so that an application has it once.
  {
    name: 'bindings',
    out: 'dist',
    entries: { redux: 'js/redux/index.ts', tanstack: 'js/tanstack/index.ts' },
    beside: { '../index.ts': './index.js' },
  },
  // For the server, which loads nothing else of the package but the authority.
  {
    name: 'rules',
    out: 'dist',
    node: true,
    entries: { rules: 'js/rules/index.ts' },
    sourcemap: false,
  },
  {
    name: 'elements',
    out: 'dist',
    entries: { elements: 'js/elements/index.ts' },
    beside: { './inspector/element.ts': './inspector-element.js' },
  },
  {
    name: 'inspector',
    out: 'dist',
    entries: {
      inspector: 'js/inspector/index.ts',
      // Loaded by the elements, when it is asked for.
      'inspector-element': 'js/elements/inspector/element.ts',
    },
    chunkName: () => 'feed',
    // They would make the tarball larger than the whole inspector does: three times its size.
    sourcemap: false,
  },
  {
    name: 'hooks',
    out: 'dist',
    entries: { react: 'js/react/index.ts' },
    beside: { '../index.ts': './index.js' },
    // Hooks are for the browser's side of frameworks that divide components between it and a server.
    banner: "'use client';",
  },
  // The code of a service worker is one file, because it must not import anything later. There are two: a module for an
  // application's own script, and the ready-made script, which is no module.
  {
    name: 'service',
    out: 'dist',
    entries: { 'service-worker': 'js/service-worker.ts' },
    define: wasmHashes,
  },
  {
    name: 'ready-made',
    out: 'dist',
    entries: { 'skerry-sw': 'js/worker/service/ready-made.ts' },
    classic: true,
    define: () => ({ ...wasmHashes(), 'import.meta.url': 'self.location.href' }),
  },
  {
    name: 'server',
    out: 'server/dist',
    node: true,
    entries: {
      index: 'server/src/index.ts',
      main: 'server/src/main.ts',
      // Entries of threads (server/src/base/threads.ts).
      'pglite-thread': 'server/src/db/pglite-thread.ts',
      'authority-thread': 'server/src/authority/authority-thread.ts',
      // And of the processes of the schema module.
      'module-process': 'server/src/stream/module-process.ts',
      'rules-process': 'server/src/rules/rules-process.ts',
    },
  },
  {
    name: 'demo',
    out: 'web-demo/dist',
    entries: { main: 'web-demo/src/main.ts' },
    // Loaded when somebody opens it.
    chunkName: (_, source) => (source.includes('inspector') ? 'inspector' : 'shared'),
  },
  {
    // The part of the demo that the server loads.
    name: 'demo-server',
    out: 'web-demo/dist',
    node: true,
    entries: { schema: 'web-demo/src/schema.ts', seed: 'web-demo/src/seed.ts' },
  },
];

// The demo's own service worker, which keeps the page's files for a reload without a network. The list
// of these files is compiled into it, so it is built last.
const kDemoOffline = {
  name: 'demo-offline',
  out: 'web-demo/dist',
  entries: { sw: 'web-demo/src/sw.ts' },
  classic: true,
};

/** The folder of the demo whose files are served as they are. */
const kDemoPublic = 'web-demo/public';

/** The hash by which a service worker checks its wasm file, which the browser's check for updates does not cover. */
function wasmHashes() {
  const bytes = readFileSync(join(root, 'dist', kBrowserWasm));
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { __SKERRY_WASM__: JSON.stringify({ [kBrowserWasm]: hash }) };
}

/** Copies a file unless the target has the same size and is not older. Returns whether it was copied. */
function copyIfNewer(source, target) {
  const from = statSync(source);
  const to = statSync(target, { throwIfNoEntry: false });
  if (to && to.size === from.size && to.mtimeMs >= from.mtimeMs) return false;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
  return true;
}

/** An import by URL: an application's bundler copies the file as it is, and must not change the import. */
const kByAddress = /\bimport\((?=new URL\()/g;
const kLeaveAlone = '/*webpackIgnore:true*//*@vite-ignore*/';

/** Inserts the comments that esbuild's minifier has removed, and corrects the source map. */
async function leftAlone(outputFiles) {
  const { default: MagicString } = await import('magic-string');
  const { default: remapping } = await import('@jridgewell/remapping');
  const texts = new Map(outputFiles.map(({ path, text }) => [path, text]));
  for (const [path, code] of texts) {
    if (!path.endsWith('.js') || code.search(kByAddress) < 0) continue;
    const changed = new MagicString(code);
    changed.replace(kByAddress, (found) => found + kLeaveAlone);
    const maps = [changed.generateMap({ hires: true }), JSON.parse(texts.get(`${path}.map`))];
    texts.set(path, changed.toString());
    texts.set(`${path}.map`, JSON.stringify(remapping(maps, () => null)));
  }
  return [...texts].map(([path, text]) => ({ path, text }));
}

/** Writes esbuild's output. If there is a `choose`, it names the chunks. Returns the names of the files. */
function writeOutputs(outputFiles, metafile, choose) {
  const renamed = choose ? chunkNames(metafile, choose) : [];
  const rename = (text) => renamed.reduce((all, [from, to]) => all.replaceAll(from, to), text);
  const written = outputFiles.map(({ path, text }) => [rename(path), rename(text)]);
  for (const [path, text] of written) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return new Set(written.map(([path]) => basename(path)));
}

/** Modules that are files of their own beside the output: what an import names, and where it is then. */
function besidePlugin(files) {
  return {
    name: 'beside',
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ path }) =>
        Object.hasOwn(files, path) ? { path: files[path], external: true } : undefined,
      );
    },
  };
}

async function bundle(group) {
  const { name, out, entries, node, classic, define, chunkName, beside, banner } = group;
  const present = Object.entries(entries).filter(([entry, source]) => {
    const exists = existsSync(join(root, source));
    if (!exists) note(`${source} does not exist yet: ${out}/${entry}.js is not built`);
    return exists;
  });
  if (present.length === 0) return;
  const { build: esbuild } = await import('esbuild');
  const result = await esbuild({
    absWorkingDir: root,
    entryPoints: present.map(([entry, source]) => ({ in: source, out: entry })),
    outdir: out,
    bundle: true,
    splitting: !classic,
    chunkNames: `${name}-${chunkName ? kUnnamed : '[name]'}-[hash]`,
    format: classic ? 'iife' : 'esm',
    platform: node ? 'node' : 'browser',
    // Lowers `using`; every browser with module workers has all other features natively.
    target: node ? 'node20' : 'es2022',
    ...(node || beside ? { packages: 'external' } : {}),
    minify: !node,
    ...(banner ? { banner: { js: banner } } : {}),
    plugins: beside ? [besidePlugin(beside)] : [],
    define: define?.() ?? {},
    legalComments: 'none',
    sourcemap: group.sourcemap ?? true,
    metafile: true,
    write: false,
    logLevel: 'silent',
  }).catch((error) => {
    const lines = (error.errors ?? []).map(({ text, location }) =>
      location ? `${location.file}:${location.line}:${location.column}: ${text}` : text,
    );
    throw new SetupError(lines.length > 0 ? lines.join('\n') : String(error));
  });
  const written = writeOutputs(await leftAlone(result.outputFiles), result.metafile, chunkName);
  const ours = new RegExp(`^${name}-[a-z-]+-[A-Z0-9]{8}\\.js`);
  for (const file of readdirSync(join(root, out))) {
    if (ours.test(file) && !written.has(file)) rmSync(join(root, out, file));
  }
}

/** Emits declarations. Types are checked by `npm test`; a mistake in one must not stop a build. */
async function declarations(name, project, sources, output) {
  if (!existsSync(join(root, sources))) return;
  const inputs = [sources, project, 'tsconfig.base.json'];
  await ifChanged(
    `declarations-${name}`,
    inputs.map((path) => join(root, path)),
    [join(root, output)],
    () => run(join(bin, 'tsc'), ['-p', project, '--noCheck'], { cwd: root }),
  );
}

/** Writes the glue of a module as a file of the package. What is bundled is made small with its bundle, and this here. */
async function writeGlue(file) {
  const { transform } = await import('esbuild');
  const source = readFileSync(join(build, 'wasm', file), 'utf8');
  const { code } = await transform(source, { minify: true, legalComments: 'none' });
  const target = join(root, 'dist', file);
  if (existsSync(target) && readFileSync(target, 'utf8') === code) return;
  writeFileSync(target, code);
}

/** Copies the modules beside the package's bundles, which load the wasm files from there. */
async function copyWasm() {
  mkdirSync(join(root, 'dist'), { recursive: true });
  for (const file of [...kGlued.map((name) => `${name}.wasm`), kGlueTypes, kBrowserWasm])
    copyIfNewer(join(build, 'wasm', file), join(root, 'dist', file));
  for (const name of kGlued) await writeGlue(`${name}.js`);
}

/** Copies the demo's page, and the files that the package loads from its own folder. */
function copyDemo() {
  const target = join(root, 'web-demo', 'dist');
  if (!existsSync(target)) return;
  for (const file of filesBelow(join(root, kDemoPublic))) {
    copyIfNewer(file, join(target, relative(join(root, kDemoPublic), file)));
  }
  const wanted = /^(worker\.js|package-.*\.js|skerry-image\.js|skerry(-image)?\.wasm)$/;
  const shipped = readdirSync(join(root, 'dist')).filter((file) => wanted.test(file));
  for (const file of shipped) copyIfNewer(join(root, 'dist', file), join(target, file));
  // The service worker would also keep a chunk of an earlier build.
  for (const file of readdirSync(target)) {
    if (wanted.test(file) && !shipped.includes(file)) rmSync(join(target, file));
  }
}

/** The files that the demo's service worker keeps: all that a page loads; and a digest of them. */
function demoAssets() {
  const folder = join(root, 'web-demo', 'dist');
  const server = new Set(['sw.js', 'schema.js', 'seed.js']);
  const files = filesBelow(folder)
    .map((file) => relative(folder, file))
    .filter(
      (file) => !server.has(file) && !file.startsWith('demo-server-') && !file.endsWith('.map'),
    )
    .sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(folder, file)));
  return {
    ...wasmHashes(),
    __ASSETS__: JSON.stringify(files.map((file) => `/${file}`)),
    __DIGEST__: JSON.stringify(hash.digest('hex').slice(0, 16)),
    'import.meta.url': 'self.location.href',
  };
}

/** Runs a step under a lock, so that no other build of this checkout runs it at the same time. */
async function locked(name, work) {
  mkdirSync(build, { recursive: true });
  await step(name, () => withLock(join(build, 'bundles.lock'), work));
}

/** What the wasm modules are made of. Ninja would build all of them again in a checkout that was copied or moved. */
const kWasmInputs = ['src', 'wasm', 'CMakeLists.txt', 'CMakePresets.json'];

export async function buildWasm() {
  const modules = [...kGlued, 'skerry'].flatMap((name) => [`${name}.js`, `${name}.wasm`]);
  await step('wasm modules', () =>
    ifChanged(
      'wasm',
      [...kWasmInputs.map((path) => join(root, path)), kEmscriptenVersion],
      [...modules, kGlueTypes].map((file) => join(build, 'wasm', file)),
      () => buildPreset('wasm'),
    ),
  );
  await copyWasm();
}

export async function buildPackage() {
  await locked('package skerry', async () => {
    for (const group of kGroups.filter(({ out }) => out === 'dist')) await bundle(group);
    await declarations('js', 'tsconfig.build.json', 'js', 'dist/index.d.ts');
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const entries = Object.values(exports).flatMap(({ types }) => types ?? []);
    pruneDeclarations(
      entries.map((path) => join(root, path)),
      join(root, 'dist'),
    );
  });
}

export async function buildServer() {
  await locked('server', async () => {
    for (const group of kGroups.filter(({ out }) => out === 'server/dist')) await bundle(group);
    await declarations(
      'server',
      'server/tsconfig.build.json',
      'server/src',
      'server/dist/index.d.ts',
    );
  });
}

export async function buildDemo() {
  await locked('web-demo', async () => {
    for (const group of kGroups.filter(({ out }) => out === 'web-demo/dist')) await bundle(group);
    copyDemo();
    await bundle({ ...kDemoOffline, define: demoAssets });
  });
}

/** Builds all parts, each after the parts that it needs. */
export async function buildAll() {
  await buildWasm();
  await buildPackage();
  await buildServer();
  await buildDemo();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    await bootstrap();
    await buildAll();
  });
}
