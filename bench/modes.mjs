// `npm run bench -- modes`: the same steps where the windows push by the lease, and where a service worker pushes.

import { cpus } from 'node:os';
import { Browser } from './lib/browser.mjs';
import { kCities } from './lib/data.mjs';
import { processMemory } from './lib/memory.mjs';
import { digits, markdown, median } from './lib/report.mjs';
import { startServer } from './lib/server.mjs';
import { makeSite } from './lib/site.mjs';

const kReloads = 5;
const kRestarts = 3;
const kWrites = 100;
const kRounds = 100;
const kModes = ['lease', 'service-worker'];

/** By turns, so that a machine that slows down slows both. Each step adds to the lists of its mode. */
async function measured(server, mode, lists, note) {
  const add = (name, value) => {
    lists[name] ??= [];
    lists[name].push(value);
  };
  const address = `${server.url}?kind=synced&run=ours&push=${mode}`;
  const browser = new Browser();
  try {
    note(`${mode}: a first visit, and starts`);
    let page = await browser.page(address);
    const call = (name, ...args) => browser.call(page, name, ...args);
    add(`first visit: until ${kCities} cities are there, ms`, await call('filled', kCities));
    await call('pushedBy', mode);
    for (let i = 0; i < kReloads; i++) {
      await page.goto(address);
      add('reload: until the first query is answered, ms', (await call('cold')).ms);
    }
    for (let i = 0; i < kRestarts; i++) {
      await browser.close();
      page = await browser.page(address);
      add('restart: until the first query is answered, ms', (await call('cold')).ms);
    }
    note(`${mode}: writes, a second window, memory`);
    await call('pushedBy', mode);
    const durable = await call('singleWrites', kWrites, false);
    add('one write until it is durable, ms', durable.ours);
    add('one write until the server has confirmed it, ms', await call('confirmedWrites', kWrites));
    const second = await browser.page(address);
    await browser.call(second, 'cold');
    await browser.call(second, 'observe');
    const seen = await call('crossTab', kRounds);
    add('a write until seen in another window, and back, ms', seen.ours);
    await second.close();
    const memory = await processMemory(browser, page);
    add('private memory of the window with its Worker, MB', memory.renderer / 1e6);
    add('private memory of all processes of the browser, MB', memory.all / 1e6);
  } finally {
    await browser.remove();
  }
}

export async function modesBench({ rounds }, note) {
  const site = await makeSite();
  let server = null;
  try {
    server = await startServer(site.folder);
    const lists = Object.fromEntries(kModes.map((mode) => [mode, {}]));
    for (let i = 0; i < rounds; i++)
      for (const mode of kModes) await measured(server, mode, lists[mode], note);
    const rows = Object.keys(lists[kModes[0]]).map((name) => {
      const [lease, service] = kModes.map((mode) => median(lists[mode][name]));
      return [name, digits(lease), digits(service), `${digits(service / lease)}×`];
    });
    const text = [
      markdown(['workload', 'lease', 'service worker', 'ratio'], rows),
      '',
      `${kCities} cities by the image of a realm; Chromium; ${cpus().length} cores; medians of ${rounds} ${rounds === 1 ? 'profile' : 'profiles'} in each mode.`,
      'The first visit includes the installation of the service worker.',
    ].join('\n');
    return { text, failed: false };
  } finally {
    await server?.stop();
    site.remove();
  }
}
