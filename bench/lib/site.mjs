// The benchmark page and the package as it is shipped, in one folder.

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
import { root } from '../../tools/lib/paths.mjs';
import { cityRows } from './data.mjs';

const kShipped = /^(?!skerry-authority).*\.(js|wasm)$/;

/** Gives the folder, and a function that removes it. `script`: the page's, one of bench/page. */
export async function makeSite(script = 'quick') {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-'));
  const dist = join(root, 'dist');
  for (const file of readdirSync(dist))
    if (kShipped.test(file)) copyFileSync(join(dist, file), join(folder, file));
  const page = join(root, 'bench', 'page');
  await build({
    absWorkingDir: page,
    entryPoints: [`${script}.ts`],
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    // Before anything else of the script: the package itself is evaluated within the time of a cold start.
    banner: { js: 'globalThis.scriptStart = performance.now();' },
    alias: { skerry: join(root, 'dist', 'index.js') },
    logLevel: 'warning',
  });
  const html = readFileSync(join(page, 'index.html'), 'utf8');
  writeFileSync(join(folder, 'index.html'), html.replace('quick.js', `${script}.js`));
  writeFileSync(join(folder, 'cities.json'), JSON.stringify(cityRows()));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
