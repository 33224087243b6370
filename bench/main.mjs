// `npm run bench -- quick [--write]`: what users feel, each beside the least that the same work can cost, in one run on
// one machine: ratios mean something, times are that machine's. Nothing here passes or fails by a time; it fails when
// an answer is wrong, when something durable is not in storage, or when something does not come.

import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../tools/lib/paths.mjs';
import { kCities } from './lib/data.mjs';
import { localRows } from './lib/local.mjs';
import { table, writeSection } from './lib/report.mjs';
import { makeSite } from './lib/site.mjs';
import { syncedRows } from './lib/synced.mjs';
import { serverBench } from './server/main.mjs';

const note = (text) => console.error(text);

function summary(rows, { calibrated, syncedBytes, localBytes, memoryPerRow }) {
  const [before, after] = calibrated.map((ms) => ms.toFixed(0));
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    table(rows),
    '',
    `${kCities} cities; Chromium; ${cpus().length} cores; medians. The machine's own speed (a loop of 1e8 steps): ${before} ms before, ${after} ms after.`,
    'Cold start: from the page’s script running to the answer of the first query (top 50 of Portugal); restart: as the first page of a new browser.',
    `Read at a cold start: ${mb(syncedBytes)} (filled by image), ${mb(localBytes)} (no server). WebAssembly memory of a window: ${memoryPerRow.toFixed(0)} bytes a city.`,
  ].join('\n');
}

async function quick(write) {
  const site = await makeSite();
  try {
    const facts = { calibrated: [], localBytes: 0, syncedBytes: 0, memoryPerRow: 0 };
    const rows = await localRows(site, facts, note);
    // Shown already, in case that the second half fails.
    note(`\n${table(rows)}\n`);
    rows.push(...(await syncedRows(site, facts, note)));
    const text = summary(rows, facts);
    console.log(`\n${text}\n`);
    if (write) writeSection(join(root, 'docs', 'performance.md'), text);
  } finally {
    site.remove();
  }
}

const [what, ...flags] = process.argv.slice(2);
// The server alone: no browser is wanted.
const unknown = flags.filter((flag) => flag !== '--write');
const serverOnly = what === 'server' && unknown.length === 0;
if (serverOnly) await serverBench(flags.includes('--write'));
else if (what !== 'quick' || unknown.length > 0) {
  console.error('usage: npm run bench -- quick [--write] | server [--write]');
  process.exitCode = 2;
} else if (!process.env.CHROMIUM_PATH) {
  console.error('CHROMIUM_PATH names no Chromium: run it by `npm run bench -- quick`');
  process.exitCode = 2;
} else await quick(flags.includes('--write'));
