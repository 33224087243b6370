// Cold starts: from the start of the page's script to the answer of its first query, beside reading the same bytes.

import { kCities } from './data.mjs';
import { median } from './report.mjs';

const kReloads = 9;
const kRestarts = 5;
/** Of the population of the 50 largest cities of Portugal. */
const kChecksum = 3_357_872;

function checked({ ms, sum, rows }) {
  if (sum !== kChecksum || rows !== kCities)
    throw new Error(`a cold start gave ${rows} rows and the sum ${sum}: wrong data`);
  return ms;
}

/** Ours and floor by turns, in a running browser and as the first page of a new one: two rows of the table. */
export async function coldStarts(name, browser, address, bytes) {
  const times = { reload: { ours: [], floor: [] }, restart: { ours: [], floor: [] } };
  const measure = async (page, run, list) => {
    const result = await browser.call(page, 'cold');
    if (run === 'floor' && result.bytes !== bytes)
      throw new Error(`the floor read ${result.bytes} bytes instead of ${bytes}`);
    list.push(run === 'ours' ? checked(result) : result.ms);
  };
  const page = await browser.page(address('none'));
  for (let i = 0; i < kReloads; i++) {
    for (const run of ['ours', 'floor']) {
      // What the page before leaves behind (a worker that ends) is over when the browser has nothing to do.
      await page.goto(address('none'));
      await page.evaluate(() => new Promise((resolve) => requestIdleCallback(() => resolve())));
      await page.goto(address(run));
      await measure(page, run, times.reload[run]);
    }
  }
  for (let i = 0; i < kRestarts; i++) {
    for (const run of ['ours', 'floor']) {
      await browser.close();
      await measure(await browser.page(address(run)), run, times.restart[run]);
    }
  }
  return Object.entries(times).map(([how, { ours, floor }]) => ({
    name: `cold start, ${name}: ${how}`,
    unit: 'ms',
    ours: median(ours),
    floor: median(floor),
    floorName: 'the same bytes as one value',
  }));
}
