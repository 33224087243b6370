// What vitest.config.ts does once for the projects with browsers: builds the site of their pages (site.ts).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILT_SITE, bundleSite } from './site.ts';

/** Several projects of a run share the site. */
export default async function setup(): Promise<(() => void) | undefined> {
  if (process.env[BUILT_SITE]) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'skerry-site-'));
  process.env[BUILT_SITE] = folder;
  await bundleSite(folder);
  return () => {
    delete process.env[BUILT_SITE];
    rmSync(folder, { recursive: true, force: true });
  };
}
