// `npm run bench -- quick`: ours beside the least that the same work can cost.

import { cpus } from 'node:os';
import { kCities } from './lib/data.mjs';
import { localRows } from './lib/local.mjs';
import { table } from './lib/report.mjs';
import { makeSite } from './lib/site.mjs';
import { syncedRows } from './lib/synced.mjs';

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

export async function quickBench(note) {
  const site = await makeSite();
  try {
    const facts = { calibrated: [], localBytes: 0, syncedBytes: 0, memoryPerRow: 0 };
    const rows = await localRows(site, facts, note);
    // Shown already, in case that the second half fails.
    note(`\n${table(rows)}\n`);
    rows.push(...(await syncedRows(site, facts, note)));
    const ratios = rows
      .filter(({ floorName }) => floorName)
      .map(({ name, ours, floor }) => ({ name, ratio: ours / floor }));
    return { text: summary(rows, facts), failed: false, speeds: facts.calibrated, ratios };
  } finally {
    site.remove();
  }
}
