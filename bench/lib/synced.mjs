// A database filled by the image of a server's realm: first fill, cold starts, writes while the worker pushes them.

import { Browser } from './browser.mjs';
import { coldStarts } from './cold.mjs';
import { kCities } from './data.mjs';
import { windowRow } from './local.mjs';
import { startServer } from './server.mjs';

const kWrites = 300;
const kAtOnce = 1000;
const kRepetitions = 3;

export async function syncedRows(site, facts, note) {
  note('starting a server and filling it');
  const server = await startServer(site.folder);
  const browser = new Browser();
  const address = (run) => `${server.url}?kind=synced&run=${run}`;
  try {
    const page = await browser.page(address('ours'));
    const call = (name, ...args) => browser.call(page, name, ...args);
    const name = `first fill of ${kCities} cities from the server`;
    const rows = [{ name, unit: 'ms', ours: await call('filled', kCities) }];
    facts.syncedBytes = await call('copyForFloor');
    await page.close();
    note('cold starts of a filled database');
    rows.push(...(await coldStarts('filled by image', browser, address, facts.syncedBytes)));
    note('writes, with a server');
    const again = await browser.page(address('ours'));
    const write = (method, ...args) => browser.call(again, method, ...args);
    await write('cold');
    facts.memoryPerRow = (await write('memory')) / kCities;
    const floorName = 'its record appended bare';
    for (const offline of [true, false]) {
      const single = await write('singleWrites', kWrites, offline);
      const how = offline ? 'while offline' : 'while pushed';
      rows.push({ name: `one durable write, strict, ${how}`, unit: 'ms', ...single, floorName });
    }
    const { records, ...many } = await write('writesAtOnce', kAtOnce, kRepetitions);
    rows.push({
      name: `${kAtOnce} durable writes at once, strict, while offline`,
      unit: 'ms',
      ...many,
      floorName: `${records} records of them appended bare`,
    });
    const second = await browser.page(address('ours'));
    const other = (method, ...args) => browser.call(second, method, ...args);
    await other('cold');
    rows.push(await windowRow(write, other, 'strict, while pushed'));
    facts.calibrated.push(await write('calibrate'));
    return rows;
  } finally {
    await browser.remove();
    await server.stop();
  }
}
