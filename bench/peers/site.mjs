// The page of these benchmarks and a folder for each system, with its adapter bundled as an application would bundle it.

import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { root } from '../../tools/lib/paths.mjs';
import { cityRows } from '../lib/data.mjs';

const kHere = join(root, 'bench', 'peers');
/** What the page loads of the package besides what is bundled with it: the rest is looked for beside the script. */
const kShipped = /^(worker\.js|package-.*\.js|skerry-image\.js|skerry(-sync|-image)?\.wasm)$/;
/** Brotli at its best takes minutes for what is larger. */
const kBestBelow = 3e6;
const kForNode = /^(node:.*|fs|fs\/promises|path|module|worker_threads|crypto|url|os|vm|ws)$/;

/** Packages that run in Node too import its modules in branches that a page never takes. */
const kWithoutNode = {
  name: 'without-node',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: kForNode }, ({ path }) => ({ path, namespace: 'empty' }));
    onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** Adapters import packages from where these benchmarks have them, not from this repository's own. */
function packagesOf(modules, here) {
  const adapters = join(here, 'adapters');
  return {
    name: 'packages',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) =>
        dirname(importer) === adapters && !path.startsWith('skerry')
          ? resolve(path, { kind, resolveDir: dirname(modules) })
          : undefined,
      );
    },
  };
}

/** `here`: the folder of the benchmark, with its `adapters`. */
export function bundle(entry, outfile, modules, define, here = kHere) {
  return build({
    absWorkingDir: here,
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    conditions: ['browser', 'module', 'import'],
    // Ours as it is shipped.
    alias: {
      skerry: join(root, 'dist', 'index.js'),
      'skerry/redux': join(root, 'dist', 'redux.js'),
    },
    define: { global: 'globalThis', 'process.env.NODE_ENV': '"production"', ...define },
    plugins: [kWithoutNode, packagesOf(modules, here)],
    logLevel: 'error',
  });
}

/** Bytes after brotli of each file of a folder. */
function weights(folder) {
  return Object.fromEntries(
    readdirSync(folder).map((file) => {
      const content = readFileSync(join(folder, file));
      const quality = content.length < kBestBelow ? constants.BROTLI_MAX_QUALITY : 9;
      const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
      return [file, brotliCompressSync(content, { params }).length];
    }),
  );
}

async function addSystem(folder, system, modules) {
  mkdirSync(folder);
  const define = { VARIANT: JSON.stringify(system.variant ?? '') };
  const bundled = (name, file) =>
    bundle(join('adapters', `${name}.js`), join(folder, file), modules, define);
  await bundled(system.adapter, 'adapter.js');
  if (system.worker) await bundled(system.worker, 'worker.js');
  for (const file of system.files ?? [])
    copyFileSync(join(modules, file), join(folder, basename(file)));
  if (system.kind === 'ours') addShipped(folder);
}

/** What the package loads from beside the script. */
export function addShipped(folder) {
  const dist = join(root, 'dist');
  for (const file of readdirSync(dist))
    if (kShipped.test(file)) copyFileSync(join(dist, file), join(folder, file));
}

/** Gives the folder, what each system weighs there, and a function that removes it. */
export async function makePeersSite(systems, modules) {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-peers-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    await bundle(join('page', 'main.ts'), join(folder, 'main.js'), modules, {});
    copyFileSync(join(kHere, 'page', 'index.html'), join(folder, 'index.html'));
    writeFileSync(join(folder, 'cities.json'), JSON.stringify(cityRows()));
    const weighed = new Map();
    for (const system of systems) {
      const own = join(folder, system.name);
      await addSystem(own, system, modules);
      weighed.set(system.name, weights(own));
    }
    return { folder, weighed, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
