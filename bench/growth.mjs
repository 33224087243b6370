// `npm run bench -- growth`: what a start, a write, a query and a live change cost as there is more: rows, changes that no
// server has heard of, live queries. What a query finds has the same size throughout, so that what grows is only the rest.

import { cpus } from 'node:os';
import { Browser } from './lib/browser.mjs';
import { kCities } from './lib/data.mjs';
import { processMemory } from './lib/memory.mjs';
import { digits, markdown, median } from './lib/report.mjs';
import { serve } from './lib/serve.mjs';
import { startServer } from './lib/server.mjs';
import { makeSite } from './lib/site.mjs';

const kRows = [10_000, 100_000, 1_000_000];
const kPending = [10, 1000, 10_000];
const kLiveQueries = 100;
const kStarts = 3;
const kWrites = 200;
const kQueries = 20;
const kChanges = 100;

/** Starts, as the first page of a new browser and as another one of it: medians. */
async function starts(browser, address, expected) {
  const restart = [];
  const reload = [];
  let page;
  const start = async (list) => {
    const { ms, ...there } = await browser.call(page, 'cold');
    for (const [name, count] of Object.entries(expected))
      if (there[name] !== count) throw new Error(`${there[name]} ${name} instead of ${count}`);
    list.push(ms);
  };
  for (let i = 0; i < kStarts; i++) {
    await browser.close();
    page = await browser.page(address);
    await start(restart);
    await page.goto(address);
    await start(reload);
  }
  return { page, reload: median(reload), restart: median(restart) };
}

/** What each row of the table has; what is read first, since writes change it. `expected`: what a start has to find. */
async function costs(browser, address, expected, others) {
  const { page, reload, restart } = await starts(browser, address, expected);
  const call = (name, ...args) => browser.call(page, name, ...args);
  const memory = await processMemory(browser, page);
  const wasm = await call('wasmBytes');
  const query = await call('query', kQueries);
  const live = await call('live', kChanges, others);
  const write = await call('write', kWrites);
  await page.close();
  return {
    reload,
    restart,
    query,
    told: live.told,
    transact: live.written,
    write,
    memory: memory.renderer,
    wasm,
  };
}

async function rowsGrow(site, note) {
  const server = await serve(site.folder);
  const results = [];
  const address = `${server.url}?kind=local&run=ours&first=B3`;
  const browser = new Browser();
  try {
    for (const rows of kRows) {
      note(`${rows} rows`);
      const page = await browser.page(address);
      await browser.call(page, 'cold');
      const fill = await browser.call(page, 'fill', rows);
      await browser.call(page, 'compact');
      await page.close();
      note(`  created in ${(fill / 1000).toFixed(1)} s`);
      results.push([`${rows} rows`, await costs(browser, address, { rows, pending: 0 }, 0)]);
      if (rows !== kCities) continue;
      const what = `${rows} rows, ${kLiveQueries} live queries`;
      note(what);
      results.push([what, await costs(browser, address, { rows, pending: 0 }, kLiveQueries - 1)]);
    }
  } finally {
    await browser.remove();
    await server.close();
  }
  return results;
}

async function pendingGrows(site, note) {
  const skerry = await startServer(site.folder);
  let reachable = true;
  const server = await serve(site.folder, () => (reachable ? skerry.url : null));
  const browser = new Browser();
  const address = `${server.url}?kind=synced&run=ours`;
  const results = [];
  try {
    const page = await browser.page(address);
    await browser.call(page, 'filled', kCities);
    reachable = false;
    await page.close();
    for (const pending of kPending) {
      note(`${pending} pending changes`);
      const writing = await browser.page(address);
      await browser.call(writing, 'cold');
      const made = await browser.call(writing, 'pend', pending);
      note(`  made in ${(made / 1000).toFixed(1)} s`);
      await writing.close();
      const expected = { rows: kCities, pending };
      results.push([
        `${kCities} rows, ${pending} pending`,
        await costs(browser, address, expected, 0),
      ]);
    }
  } finally {
    await browser.remove();
    await server.close();
    await skerry.stop();
  }
  return results;
}

const kColumns = [
  ['reload, ms', ({ reload }) => reload],
  ['restart, ms', ({ restart }) => restart],
  ['new query, ms', ({ query }) => query],
  ['write, ms', ({ transact }) => transact],
  ['until a live query tells, ms', ({ told }) => told],
  ['until durable, ms', ({ write }) => write],
  ['private memory, MB', ({ memory }) => memory / 1e6],
  ['of it WebAssembly, MB', ({ wasm }) => wasm / 1e6],
];

export async function growthBench(note) {
  const site = await makeSite('growth');
  try {
    const results = [...(await rowsGrow(site, note)), ...(await pendingGrows(site, note))];
    const head = ['there are', ...kColumns.map(([name]) => name)];
    const rows = results.map(([what, result]) => [
      what,
      ...kColumns.map(([, value]) => digits(value(result))),
    ]);
    const text = [
      markdown(head, rows),
      '',
      `Medians; strict durability; Chromium; ${cpus().length} cores. Starts: from the page's script running to the rows of the first query. A query finds 100 rows and gives 50 of them; with pending changes, those of a country.`,
    ].join('\n');
    return { text, failed: false };
  } finally {
    site.remove();
  }
}
