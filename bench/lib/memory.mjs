// What processes of a browser have in memory that no other process has.

import { readFileSync } from 'node:fs';

function privateBytes(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].reduce(
    (sum, [, kilobytes]) => sum + 1024 * Number(kilobytes),
    0,
  );
}

/** Chromium renders its own tab strip in such a process, which is larger than that of many a page. */
const drawsBrowser = (pid) =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--top-chrome-webui');

/** Of a page's own process, once garbage is collected: the largest of the renderers; and of all processes. */
export async function processMemory(browser, page) {
  const session = await page.createCDPSession();
  for (let i = 0; i < 2; i++) await session.send('HeapProfiler.collectGarbage');
  await session.detach();
  const sizes = (await browser.processes()).map(({ type, id }) => [type, privateBytes(id), id]);
  const renderers = sizes
    .filter(([type, , id]) => type === 'renderer' && !drawsBrowser(id))
    .map(([, bytes]) => bytes);
  return {
    renderer: Math.max(...renderers),
    all: sizes.reduce((sum, [, bytes]) => sum + bytes, 0),
  };
}
