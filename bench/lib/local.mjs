// A database without a server: fill, cold starts, reads, queries, writes, windows.

import { Browser } from './browser.mjs';
import { coldStarts } from './cold.mjs';
import { kCities } from './data.mjs';
import { serve } from './serve.mjs';

const kWrites = 300;
const kAtOnce = 1000;
const kRepetitions = 5;
const kRounds = 200;

export async function localRows(site, facts, note) {
  const server = await serve(site.folder);
  const browser = new Browser();
  const address = (run, durability = 'strict') =>
    `${server.url}?kind=local&run=${run}&durability=${durability}`;
  /** A page of its own for some workloads, with its database open. */
  const onPage = async (durability, use) => {
    const page = await browser.page(address('ours', durability));
    await browser.call(page, 'cold');
    const result = await use((name, ...args) => browser.call(page, name, ...args));
    await page.close();
    return result;
  };
  try {
    note('filling a database without a server');
    const rows = await onPage('strict', async (call) => {
      facts.calibrated.push(await call('calibrate'));
      const filled = await call('fill');
      if (filled.rows !== kCities) throw new Error(`${filled.rows} cities are there`);
      facts.localBytes = await call('copyForFloor');
      const floor = await call('appendBytes', filled.bytes, filled.batches);
      const floorName = 'as many bytes appended bare';
      return [
        {
          name: `create ${kCities} cities, durable`,
          unit: 'ms',
          ours: filled.ms,
          floor,
          floorName,
        },
      ];
    });
    note('cold starts of it');
    rows.push(...(await coldStarts('no server', browser, address, facts.localBytes)));
    // Before anything is written, so that both sides see the same cities; on pages of their own, because rows that were
    // read once are remembered.
    note('queries and reads');
    const top = await onPage('strict', (call) => call('top'));
    const reads = await onPage('strict', (call) => call('reads'));
    const { first, again, floor } = reads;
    const map = { unit: 'ns', floor, floorName: 'Map' };
    rows.push(
      { name: 'read by id, first time', ours: first, ...map },
      { name: 'read by id, again', ours: again, ...map },
      { name: 'top 50 of a country, new query', unit: 'ms', ...top, floorName: 'array of objects' },
    );
    for (const durability of ['strict', 'relaxed']) {
      note(`writes, ${durability}`);
      rows.push(...(await onPage(durability, (call) => writeRows(call, durability))));
    }
    note('two windows');
    const live = await onPage('strict', (call) => call('live', kRounds));
    rows.push({
      name: 'write to live query',
      unit: 'ms',
      ...live,
      floorName: 'array queried again',
    });
    for (const durability of ['strict', 'relaxed'])
      rows.push(
        await onPage(durability, (call) =>
          onPage(durability, (other) => windowRow(call, other, durability)),
        ),
      );
    return rows;
  } finally {
    await browser.remove();
    await server.close();
  }
}

async function writeRows(call, durability) {
  const single = await call('singleWrites', kWrites, false);
  const { records, ...many } = await call('writesAtOnce', kAtOnce, kRepetitions);
  return [
    {
      name: `one durable write, ${durability}`,
      unit: 'ms',
      ...single,
      floorName: 'its record appended bare',
    },
    {
      name: `${kAtOnce} durable writes at once, ${durability}`,
      unit: 'ms',
      ...many,
      floorName: `${records === 1 ? 'the record' : `${records} records`} of them appended bare`,
    },
  ];
}

export async function windowRow(call, other, how) {
  await other('observe');
  return {
    name: `write until seen in another window, and back, ${how}`,
    unit: 'ms',
    ...(await call('crossTab', kRounds)),
    floorName: 'BroadcastChannel, there and back',
  };
}
