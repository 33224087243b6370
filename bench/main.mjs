// `npm run bench -- quick [--write]`: what users feel, each beside the least that the same work can cost, in one run on
// one machine: ratios mean something, times are that machine's. Nothing here passes or fails by a time.

import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../tools/lib/paths.mjs';
import { Browser } from './lib/browser.mjs';
import { kCities } from './lib/data.mjs';
import { median, table, writeSection } from './lib/report.mjs';
import { serve } from './lib/serve.mjs';
import { startServer } from './lib/server.mjs';
import { makeSite } from './lib/site.mjs';

const kReloads = 7;
const kRestarts = 5;
const kWrites = 300;
const kAtOnce = 1000;
const kChecksum = 3_357_872;

const note = (text) => console.error(text);
const call = (page, name, ...args) =>
  page.evaluate((method, list) => globalThis.bench[method](...list), name, args);
const cold = (page) => page.evaluate(() => globalThis.bench.cold);

function checked({ ms, sum, rows }) {
  if (sum !== kChecksum || rows !== kCities)
    throw new Error(`a cold start gave ${rows} rows and the sum ${sum}: wrong data`);
  return ms;
}

/** Script start to first answered query, ours and floor by turns: in a running browser, and after a restart of it. */
async function coldStarts(browser, address) {
  const times = { reload: { ours: [], floor: [] }, restart: { ours: [], floor: [] } };
  const one = async (page, run, list) => {
    await page.goto(address(run));
    const result = await cold(page);
    list.push(run === 'ours' ? checked(result) : result.ms);
  };
  const page = await browser.page(address('none'));
  for (let i = 0; i < kReloads; i++)
    for (const run of ['ours', 'floor']) await one(page, run, times.reload[run]);
  for (let i = 0; i < kRestarts; i++) {
    for (const run of ['ours', 'floor']) {
      await browser.close();
      await one(await browser.page(address('none')), run, times.restart[run]);
    }
  }
  const medians = ({ ours, floor }) => ({ ours: median(ours), floor: median(floor) });
  return { reload: medians(times.reload), restart: medians(times.restart) };
}

/** A database without a server: fill, cold starts, writes, reads, queries, tabs. */
async function localRows(site, facts) {
  const server = await serve(site.folder);
  const browser = new Browser();
  const address = (run, durability = 'strict') =>
    `${server.url}?kind=local&run=${run}&durability=${durability}`;
  const rows = [];
  try {
    let page = await browser.page(address('ours'));
    await cold(page);
    facts.calibrated.push(await call(page, 'calibrate'));
    note('filling a database without a server');
    const filled = await call(page, 'fill');
    rows.push({ name: `create ${kCities} cities, durable`, unit: 'ms', ours: filled.ms });
    const copied = await call(page, 'copyForFloor');
    facts.localBytes = copied.bytes;
    await page.close();
    note('cold starts of it');
    const { reload, restart } = await coldStarts(browser, address);
    const floorName = 'the same bytes as one value';
    rows.push({ name: 'cold start, no server: reload', unit: 'ms', ...reload, floorName });
    rows.push({ name: 'cold start, no server: restart', unit: 'ms', ...restart, floorName });
    // Before anything is written, so that both sides see the same cities.
    page = await browser.page(address('ours', 'relaxed'));
    await cold(page);
    note('reads and queries');
    const reads = await call(page, 'reads');
    rows.push({
      name: 'read by id, first time',
      unit: 'ns',
      ours: reads.first,
      floor: reads.floor,
      floorName: 'Map',
    });
    rows.push({
      name: 'read by id, again',
      unit: 'ns',
      ours: reads.again,
      floor: reads.floor,
      floorName: 'Map',
    });
    const top = await call(page, 'top');
    if (!top.same) throw new Error('the top 50 differ from those of the arrays');
    rows.push({
      name: 'top 50 of a country, new query',
      unit: 'ms',
      ours: top.oursMs,
      floor: top.floorMs,
      floorName: 'array of objects',
    });
    await page.close();
    note('writes');
    for (const durability of ['strict', 'relaxed']) {
      page = await browser.page(address('ours', durability));
      await cold(page);
      rows.push({
        name: `one durable write, ${durability}`,
        unit: 'ms',
        ours: await call(page, 'writes', kWrites),
        floor: await call(page, 'appends', kWrites, durability),
        floorName: 'bare append',
      });
      rows.push({
        name: `${kAtOnce} writes at once, ${durability}`,
        unit: 'ms',
        ours: await call(page, 'writesAtOnce', kAtOnce, 5),
        floor: await call(page, 'appendsAtOnce', kAtOnce, 5, durability),
        floorName: 'one bare transaction',
      });
      if (durability === 'strict') await page.close();
    }
    const live = await call(page, 'live', 200);
    rows.push({
      name: 'write to live query',
      unit: 'ms',
      ours: live.oursMs,
      floor: live.floorMs,
      floorName: 'query of the array again',
    });
    note('two tabs');
    const other = await browser.page(address('ours', 'relaxed'));
    await cold(other);
    await call(other, 'observe');
    const cross = await call(page, 'crossTab', 200);
    rows.push({
      name: 'write until seen in another tab, and back',
      unit: 'ms',
      ours: cross.oursMs,
      floor: cross.floorMs,
      floorName: 'BroadcastChannel, there and back',
    });
  } finally {
    await browser.remove();
    await server.close();
  }
  return rows;
}

/** A database filled by the image of a server's realm: the same cold starts, and the memory that it takes. */
async function syncedRows(site, facts) {
  note('starting a server and filling it');
  const server = await startServer(site.folder);
  const browser = new Browser();
  const address = (run) => `${server.url}?kind=synced&run=${run}`;
  const rows = [];
  try {
    const page = await browser.page(address('ours'));
    await page.evaluate(() => globalThis.bench.cold.catch(() => undefined));
    const start = performance.now();
    await call(page, 'filled', kCities);
    rows.push({
      name: `first fill of ${kCities} cities from the server`,
      unit: 'ms',
      ours: performance.now() - start,
    });
    facts.syncedBytes = (await call(page, 'copyForFloor')).bytes;
    await page.close();
    note('cold starts of a filled database');
    const { reload, restart } = await coldStarts(browser, address);
    const floorName = 'the same bytes as one value';
    rows.push({ name: 'cold start, filled by image: reload', unit: 'ms', ...reload, floorName });
    rows.push({ name: 'cold start, filled by image: restart', unit: 'ms', ...restart, floorName });
    const again = await browser.page(address('ours'));
    await cold(again);
    facts.memoryPerRow = (await call(again, 'memory')) / kCities;
    facts.calibrated.push(await call(again, 'calibrate'));
  } finally {
    await browser.remove();
    await server.stop();
  }
  return rows;
}

function summary(rows, facts) {
  const [before, after] = facts.calibrated.map((ms) => ms.toFixed(0));
  const kb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    table(rows),
    '',
    `${kCities} cities; ${cpus().length} cores; medians. The machine's own speed (a loop of 1e8 steps): ${before} ms before, ${after} ms after.`,
    `Cold start: from the page's script running to the answer of the first query (top 50 of Portugal).`,
    `Read at a cold start: ${kb(facts.syncedBytes)} (image), ${kb(facts.localBytes)} (without a server). WebAssembly memory: ${facts.memoryPerRow.toFixed(0)} bytes a city.`,
  ].join('\n');
}

async function quick(write) {
  const site = await makeSite();
  try {
    const facts = { calibrated: [], localBytes: 0, syncedBytes: 0, memoryPerRow: 0 };
    const rows = await localRows(site, facts);
    // Shown already, in case that the second half fails.
    note(`\n${table(rows)}\n`);
    rows.push(...(await syncedRows(site, facts)));
    const text = summary(rows, facts);
    console.log(`\n${text}\n`);
    if (write) writeSection(join(root, 'docs', 'performance.md'), text);
  } finally {
    site.remove();
  }
}

const [what, ...flags] = process.argv.slice(2);
const unknown = flags.filter((flag) => flag !== '--write');
if (what !== 'quick' || unknown.length > 0) {
  console.error('usage: npm run bench -- quick [--write]');
  process.exitCode = 2;
} else if (!process.env.CHROMIUM_PATH) {
  console.error('CHROMIUM_PATH names no Chromium: run it by `npm run bench -- quick`');
  process.exitCode = 2;
} else await quick(flags.includes('--write'));
