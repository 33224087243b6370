// The test page with the package of a release to come, whose databases have a version more: page, Worker and service worker,
// bundled from the sources, in a folder of a site. It is one origin with the release that is shipped, so both have the same
// databases.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { root } from './paths.ts';
import { type Site, shipped } from './site.ts';

const versions = join(root, 'test/browser/page/next-idb-schema.ts');

const nextVersions: Plugin = {
  name: 'next-versions',
  setup({ onResolve }) {
    onResolve({ filter: /\/idb-schema\.ts$/ }, ({ path, importer }) =>
      importer !== versions && basename(path) === 'idb-schema.ts' ? { path: versions } : undefined,
    );
  },
};

/** Of the windows at `<url>/next`. */
export async function addNextRelease({ files }: Site): Promise<void> {
  const folder = join(files, 'next');
  mkdirSync(folder);
  const dist = join(root, 'dist');
  for (const file of readdirSync(dist))
    if (shipped.test(file) && /wasm$|^skerry-image/.test(file))
      copyFileSync(join(dist, file), join(folder, file));
  const wasm = readFileSync(join(dist, 'skerry.wasm'));
  const hashes = { 'skerry.wasm': createHash('sha256').update(wasm).digest('hex') };
  const shared: BuildOptions = {
    absWorkingDir: root,
    outdir: folder,
    bundle: true,
    target: 'es2022',
    alias: {
      'skerry/service-worker': join(root, 'js/service-worker.ts'),
      skerry: join(root, 'js/index.ts'),
    },
    define: { __SKERRY_WASM__: JSON.stringify(hashes) },
    plugins: [nextVersions],
    logLevel: 'silent',
  };
  const modules = { page: 'test/browser/page/page.ts', worker: 'js/worker/main.ts' };
  await build({ ...shared, format: 'esm', entryPoints: modules });
  await build({
    ...shared,
    format: 'iife',
    entryPoints: { 'skerry-sw': 'js/worker/service/ready-made.ts' },
    define: { ...shared.define, 'import.meta.url': 'self.location.href' },
  });
  const page = readFileSync(join(files, 'index.html'), 'utf8');
  writeFileSync(join(folder, 'index.html'), page.replace('"/page.js"', '"/next/page.js"'));
}
