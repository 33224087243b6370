// Before each file of tests (vitest.config.ts): where `npm test` asks for it, the files that the tests open are noted, those of
// the processes that they start included.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Files, and with a slash at their end folders, of the repository. */
    opened?: readonly string[];
  }
}

if (process.env['SKERRY_TEST_WATCH'] === 'yes') {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-opened-'));
  const sink = join(folder, 'opened.txt');
  writeFileSync(sink, '');
  process.env['SKERRY_TEST_OPENED'] = sink;
  const watcher = pathToFileURL(join(import.meta.dirname, 'opened.mjs')).href;
  process.env['NODE_OPTIONS'] =
    `${process.env['NODE_OPTIONS'] ?? ''} --import=${watcher}`.trimStart();
  await import('./opened.mjs');
  // Hooks that come first end last: what tests do when they end is noted, too. vitest wants a pattern for what is not used.
  // biome-ignore lint/correctness/noEmptyPattern: vitest accepts nothing else.
  afterAll(({}, suite) => {
    suite.meta.opened = [...new Set(readFileSync(sink, 'utf8').split('\n').filter(Boolean))];
    rmSync(folder, { recursive: true, force: true });
  });
}
