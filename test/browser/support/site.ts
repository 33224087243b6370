// The test pages as a folder of static files, bundled for each run, beside the package as it is shipped.
import {
  copyFileSync,
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

/** The page with `globalThis.kit`, and the schemas that it has for the server. */
export async function buildSite(): Promise<Site> {
  const site = temporary();
  const server = temporary();
  const dist = join(root, 'dist');
  for (const file of readdirSync(dist))
    if (shipped.test(file)) copyFileSync(join(dist, file), join(site.folder, file));
  const entries = ['page.ts', 'collections.ts', 'own-sw.ts', 'silent-sw.ts', 'shift-worker.ts'];
  await bundle(entries, site.folder, 'browser');
  // Modules run in the order in which they are imported.
  writeFileSync(
    join(site.folder, 'shifted-worker.js'),
    "import './shift-worker.js';\nimport './worker.js';\n",
  );
  copyFileSync(join(pages, 'index.html'), join(site.folder, 'index.html'));
  // One that finds no wasm of its own version.
  const readyMade = readFileSync(join(dist, 'skerry-sw.js'), 'utf8');
  writeFileSync(
    join(site.folder, 'no-wasm-sw.js'),
    readyMade.replace(/[0-9a-f]{64}/g, '0'.repeat(64)),
  );
  const schemas = ['schema', 'newer-schema', 'both-schema', 'changed-schema', 'shared-schema'];
  await bundle(
    schemas.map((name) => `${name}.ts`),
    server.folder,
    'node',
  );
  return {
    files: site.folder,
    schema: join(server.folder, 'schema.js'),
    newerSchema: join(server.folder, 'newer-schema.js'),
    bothSchema: join(server.folder, 'both-schema.js'),
    changedSchema: join(server.folder, 'changed-schema.js'),
    sharedSchema: join(server.folder, 'shared-schema.js'),
    remove() {
      site.remove();
      server.remove();
    },
  };
}
