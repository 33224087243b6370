// One system, once, on a fresh profile: fill, reload, restart, memory, queries, reads, writes, live queries, two windows.
// A step that fails leaves its cell empty and its reason below the table; what comes after it is tried all the same.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser } from '../lib/browser.mjs';
import { processMemory } from '../lib/memory.mjs';

/** After the bulk, before the reload: what a system still does by itself is over. */
const kAfterBulkMs = 3000;
const kBeforeMemoryMs = 1500;
/** Without it the page's memory is measured at the next collection, whenever that is. */
const kArguments = ['--enable-blink-features=ForceEagerMeasureMemory'];
/** In Portugal, and the people of its 50 largest cities. */
const kRows = 813;
const kChecksum = 3_357_872;

function bytesBelow(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    // Chromium removes files of its own meanwhile.
    const info = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    bytes += info?.size ?? 0;
  }
  return bytes;
}

/** What the profile stores for pages. */
function storedBytes(profile) {
  const folders = ['IndexedDB', 'File System'].map((name) => join(profile, 'Default', name));
  return folders
    .filter((folder) => statSync(folder, { throwIfNoEntry: false }))
    .reduce((sum, folder) => sum + bytesBelow(folder), 0);
}

function checkedRows(step, { rows }) {
  if (rows !== kRows) throw new Error(`${rows} rows instead of ${kRows} after ${step}`);
}

async function fill(system, browser, address, step) {
  const page = await browser.page(address);
  const call = (name, ...args) => browser.call(page, name, ...args);
  await step('calibrated', () => call('calibrate'));
  await step('created', () => call('start'));
  if (system.kind === 'empty') return page;
  await step('bulk', async () => {
    const result = await call('bulk');
    checkedRows('the bulk', result);
    return result;
  });
  await sleep(kAfterBulkMs);
  await page.goto(address);
  await step('reload', async () => {
    const result = await call('start');
    checkedRows('the reload', result);
    return result;
  });
  await browser.close();
  await step('storedBytes', () => storedBytes(browser.folder));
  const again = await browser.page(address);
  await step('restart', async () => {
    const result = await browser.call(again, 'start');
    checkedRows('the restart', result);
    return result;
  });
  return again;
}

async function memory(browser, page, step) {
  await sleep(kBeforeMemoryMs);
  await step('processes', () => processMemory(browser, page));
  await step('pageMemory', () => browser.call(page, 'memory'));
}

async function work(system, browser, page, { address, capMs }, step) {
  const call = (name, ...args) => browser.call(page, name, ...args);
  await step('top', async () => {
    const result = await call('top');
    if (result.sum !== kChecksum) throw new Error(`the top 50 sum up to ${result.sum}`);
    return result;
  });
  await step('reads', () => call('reads', capMs));
  await step('writes', () => call('writes', capMs));
  await step('live', () => call('live', capMs));
  if (!system.windows) return;
  await step('windows', async () => {
    const second = await browser.page(address);
    await browser.call(second, 'start');
    await browser.call(second, 'observe');
    const ms = await call('cross', capMs);
    await second.close();
    return ms;
  });
}

/** Gives what was measured, by step, and `failures`: [step, message]. */
export async function repetition(system, url, capMs) {
  const results = {};
  const failures = [];
  // Others may fail in the background, as some do, and be measured all the same.
  const stray = (error) => failures.push(['in the background', error.message]);
  const browser = new Browser({
    more: kArguments,
    ...(system.kind === 'peer' ? { stray } : {}),
  });
  const address = `${url}?system=${system.name}`;
  const step = async (name, measure) => {
    try {
      results[name] = await measure();
    } catch (error) {
      failures.push([name, error.message]);
    }
  };
  try {
    const page = await fill(system, browser, address, step);
    await memory(browser, page, step);
    if (system.kind !== 'empty' && results.bulk)
      await work(system, browser, page, { address, capMs }, step);
  } catch (error) {
    // Between steps: the browser itself failed.
    failures.push(['browser', error.message]);
  } finally {
    await browser.remove();
  }
  return { results, failures };
}
