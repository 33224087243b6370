// The test pages as a folder of static files, bundled once for each run, beside the package as it is shipped.
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './paths.ts';

const pages = join(root, 'test', 'browser', 'page');

/** The files that a page loads from its own folder: the worker with its chunks, and the wasm modules. */
export const shipped = /^(?!skerry-authority).*\.(js|wasm)$/;

export interface Site {
  /** The folder to serve. */
  readonly files: string;
  /** Schema modules for the server. */
  readonly schema: string;
  readonly newerSchema: string;
  /** The newer one, for a server that takes clients of the older as well. */
  readonly bothSchema: string;
  /** One with other tables and props, for a server that takes clients of the older as well. */
  readonly changedSchema: string;
  /** One with other names of a table and props, for the same. */
  readonly renamedSchema: string;
  /** One with a table whose ids are the application's own. */
  readonly sharedSchema: string;
  remove(): void;
}

async function bundle(
  entries: readonly string[],
  outdir: string,
  platform: 'browser' | 'node',
): Promise<void> {
  await build({
    absWorkingDir: pages,
    entryPoints: [...entries],
    outdir,
    bundle: true,
    format: 'esm',
    platform,
    target: platform === 'node' ? 'node20' : 'es2022',
    // The package as it was built here.
    alias: {
      'skerry/tanstack': join(root, 'dist', 'tanstack.js'),
      'skerry/elements': join(root, 'dist', 'elements.js'),
      'skerry/inspector': join(root, 'dist', 'inspector.js'),
      'skerry/service-worker': join(root, 'dist', 'service-worker.js'),
      skerry: join(root, 'dist', 'index.js'),
    },
    logLevel: 'silent',
  });
}

function temporary(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-site-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The page of the contract suites. It has nothing of the package but what the suites import. */
export async function buildContracts(): Promise<{ folder: string; remove(): void }> {
  const site = temporary();
  await bundle(['contracts-page.ts', 'contracts-worker.ts'], site.folder, 'browser');
  copyFileSync(join(pages, 'contracts.html'), join(site.folder, 'index.html'));
  return site;
}

const schemas = {
  schema: 'schema.js',
  newerSchema: 'newer-schema.js',
  bothSchema: 'both-schema.js',
  changedSchema: 'changed-schema.js',
  renamedSchema: 'renamed-schema.js',
  sharedSchema: 'shared-schema.js',
};

/** Bundles the page with `globalThis.kit` into `files`, and the schemas that it has for the server into `schemas`. */
export async function bundleSite(folder: string): Promise<void> {
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  const dist = join(root, 'dist');
  for (const file of readdirSync(dist))
    if (shipped.test(file)) copyFileSync(join(dist, file), join(files, file));
  const entries = [
    'page.ts',
    'collections.ts',
    'elements.ts',
    'inspecting.ts',
    'own-sw.ts',
    'silent-sw.ts',
    'shift-worker.ts',
  ];
  await bundle(entries, files, 'browser');
  // Modules run in the order in which they are imported.
  writeFileSync(
    join(files, 'shifted-worker.js'),
    "import './shift-worker.js';\nimport './worker.js';\n",
  );
  copyFileSync(join(pages, 'index.html'), join(files, 'index.html'));
  // One that finds no wasm of its own version.
  const readyMade = readFileSync(join(dist, 'skerry-sw.js'), 'utf8');
  writeFileSync(join(files, 'no-wasm-sw.js'), readyMade.replace(/[0-9a-f]{64}/g, '0'.repeat(64)));
  const names = Object.values(schemas).map((name) => name.replace(/js$/, 'ts'));
  await bundle(names, join(folder, 'schemas'), 'node');
}

/** Processes of a run find the site by it that the run has built (built-site.ts). */
export const BUILT_SITE = 'SKERRY_TEST_SITE';

/** The page and its schemas, as a copy of the run's, which a test may change. */
export async function buildSite(): Promise<Site> {
  const { folder, remove } = temporary();
  const built = process.env[BUILT_SITE];
  if (built) cpSync(built, folder, { recursive: true });
  else await bundleSite(folder);
  const schema = (name: keyof typeof schemas) => join(folder, 'schemas', schemas[name]);
  return {
    files: join(folder, 'files'),
    schema: schema('schema'),
    newerSchema: schema('newerSchema'),
    bothSchema: schema('bothSchema'),
    changedSchema: schema('changedSchema'),
    renamedSchema: schema('renamedSchema'),
    sharedSchema: schema('sharedSchema'),
    remove,
  };
}
