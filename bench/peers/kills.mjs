// `npm run bench -- kills [names] [--kills 30] [--first-only] [--keep]`: the browser is killed right after the last of some
// updates was acknowledged, and started again at once on the same profile, again and again. What was acknowledged must be
// there, once. `--first-only` kills the first process alone, as a crash would, and not all of them, as a power cut would.

import { Browser } from '../lib/browser.mjs';
import { markdown } from '../lib/report.mjs';
import { serve } from '../lib/serve.mjs';
import { installPeers } from './install.mjs';
import { makePeersSite } from './site.mjs';
import { chosenSystems } from './systems.mjs';

const kWrites = 50;
const kOurs = ['skerry', 'skerry-relaxed'];

class Killed {
  acknowledged = 0;
  found = 0;
  doubled = 0;
  missingRows = 0;
  kills = 0;
  /** In words, what was not as it should be. */
  losses = [];

  get lost() {
    return this.acknowledged - this.found;
  }
}

/** The database with its first rows, on a page. */
async function prepared(browser, address) {
  const page = await browser.page(address);
  await browser.call(page, 'start');
  await browser.call(page, 'prepare');
  return page;
}

/** Gives whether all of it was there. */
async function killOnce(state, { browser, address, round, firstOnly, counted }) {
  const page = state.page;
  const { updates, increments } = await browser.call(page, 'acknowledge', round, kWrites);
  const at = new Date().toISOString();
  await browser.kill({ firstOnly });
  state.page = await browser.page(address);
  await browser.call(state.page, 'start');
  const found = await browser.call(state.page, 'found', round, kWrites);
  counted.kills++;
  counted.acknowledged += updates + (increments ?? 0);
  const expected = state.counter + (increments ?? 0);
  const counter = found.counter ?? expected;
  const lostIncrements = Math.max(0, expected - counter);
  counted.found += found.updates + (increments ?? 0) - lostIncrements;
  counted.doubled += Math.max(0, counter - expected);
  counted.missingRows += found.missingRows;
  state.counter = counter;
  const whole = found.updates === updates && counter === expected && found.missingRows === 0;
  if (!whole)
    counted.losses.push(
      `kill ${round} at ${at}: ${found.updates} of ${updates} updates, ${counter} of ${expected} increments, ${found.missingRows} rows missing`,
    );
  return whole;
}

async function killSystem(system, url, { kills, firstOnly, keep }, note) {
  const address = `${url}?system=${system.name}`;
  const counted = new Killed();
  let browser = new Browser();
  try {
    let state = { page: await prepared(browser, address), counter: 0 };
    for (let round = 1; round <= kills; round++) {
      const whole = await killOnce(state, { browser, address, round, firstOnly, counted });
      if (whole || round === kills) continue;
      note(`  ${system.name}, ${counted.losses.at(-1)}`);
      if (keep) {
        await browser.close();
        note(`  its profile stays: ${browser.folder}`);
      } else await browser.remove();
      browser = new Browser();
      state = { page: await prepared(browser, address), counter: 0 };
    }
  } finally {
    if (keep && counted.losses.length > 0) await browser.close();
    else await browser.remove();
  }
  return counted;
}

/** Gives the text, and whether one of ours lost or doubled something. */
export async function killsBench({ names, kills, firstOnly, keep }, note) {
  const systems = chosenSystems(names.length > 0 ? names : kOurs);
  const site = await makePeersSite(systems, await installPeers());
  const rows = [];
  const losses = [];
  let failed = false;
  try {
    const server = await serve(site.folder);
    try {
      for (const system of systems) {
        note(`killing ${system.name}`);
        const counted = await killSystem(system, server.url, { kills, firstOnly, keep }, note);
        const { acknowledged, found, lost, doubled, missingRows } = counted;
        rows.push(
          [system.name, counted.kills, acknowledged, found, lost, doubled, missingRows].map(String),
        );
        losses.push(...counted.losses.map((loss) => `- ${system.name}, ${loss}`));
        if (system.kind === 'ours' && (lost > 0 || doubled > 0 || missingRows > 0)) failed = true;
      }
    } finally {
      await server.close();
    }
  } finally {
    site.remove();
  }
  const what = firstOnly ? 'Its first process alone is killed' : 'All its processes are killed';
  const head = ['system', 'kills', 'acknowledged', 'found', 'lost', 'doubled', 'rows missing'];
  const text = [
    markdown(head, rows),
    '',
    `${what} right after the last of ${kWrites} updates, and for ours ${kWrites} increments, was acknowledged; the browser is started again at once on the same profile. Increments tell what was applied twice.`,
    ...(losses.length > 0 ? ['', ...losses] : []),
  ].join('\n');
  return { text, failed };
}
