// The whole browser is killed a hundred times while three windows write, and started again on the same profile. What was
// acknowledged as durable is there, once; what was not may be there, once, or not at all; nothing is half there.
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { Profile } from '../browser/support/browser.ts';
import { caughtUp, inStep, opened } from '../browser/support/kit.ts';
import { Stage } from '../browser/support/served.ts';
import { until } from '../browser/support/until.ts';

const KILLS = 100;
const WINDOWS = 3;

const stage = new Stage();
const { profile } = stage;

/** Titles that the pages called durable, and all that they made. */
const acknowledged = new Set<string>();
const made = new Set<string>();
let counter = '';

/** Writes for ever: each mutation makes a note and counts it. Tells of each before it is made, and when it is durable. */
function write(page: Page, name: string): Promise<void> {
  return page.evaluate(
    (prefix, id) => {
      const report = globalThis as unknown as Record<string, (title: string) => Promise<void>>;
      void (async () => {
        for (let i = 0; ; i++) {
          const title = `${prefix}-${i}`;
          await report['skerryMakes']?.(title);
          const { durable } = db.transact((tx) => {
            tx.notes.create({ title });
            tx.notes.inc(id, { rank: 1 });
          });
          const told = durable.then(() => report['skerryKeeps']?.(title));
          // Often the next one is made while the last is on its way.
          if (i % 3 === 0) await told;
        }
      })();
    },
    name,
    counter,
  );
}

async function writing(round: number, windows: number): Promise<Page[]> {
  const pages: Page[] = [];
  for (let i = 0; i < windows; i++) {
    const page = await opened(profile, stage.url);
    await page.exposeFunction('skerryMakes', (title: string) => void made.add(title));
    await page.exposeFunction('skerryKeeps', (title: string) => void acknowledged.add(title));
    pages.push(page);
  }
  const [first] = pages as [Page, ...Page[]];
  await until(first, (id) => db.notes.get(id) !== undefined, [counter]);
  expect(await missing(first), `after kill ${round}: ${await about(first)}`).toEqual([]);
  for (const [i, page] of pages.entries()) {
    await until(page, (id) => db.notes.get(id) !== undefined, [counter]);
    await write(page, `${round}-${i}`);
  }
  return pages;
}

/** What was acknowledged and is not shown. */
async function missing(page: Page): Promise<string[]> {
  const shown = new Set(await page.evaluate(() => db.notes.all().map(({ title }) => title)));
  return [...acknowledged].filter((title) => !shown.has(title));
}

/** The state of the storage, for a failure to tell. */
function about(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const [sync, updates, mutations, outbox, conflicts] = await Promise.all(
      ['sync', 'updates', 'mutations', 'outbox', 'conflicts'].map((store) => kit.stored(store)),
    );
    const plain = (list: unknown[] | undefined) =>
      (list ?? []).map((item) => {
        const { body: _, ...rest } = item as Record<string, unknown>;
        return rest;
      });
    return JSON.stringify({
      happened: kit.happened,
      status: db.sync.status,
      sync,
      updates: plain(updates),
      mutations: plain(mutations),
      outbox: plain(outbox),
      conflicts: plain(conflicts),
    });
  });
}

test(`${KILLS} kills while ${WINDOWS} windows write: no write is lost or doubled`, {
  timeout: 3_600_000,
}, async () => {
  const first = await opened(profile, stage.url);
  counter = await first.evaluate(async () => {
    const mutation = db.transact((tx) => tx.notes.create({ title: 'counter' }));
    await mutation.confirmed;
    return mutation.result;
  });
  for (let round = 0; round < KILLS; round++) {
    const before = acknowledged.size;
    await writing(round, WINDOWS);
    const enough = before + 1 + ((round * 7) % 40);
    await expect
      .poll(() => acknowledged.size, { timeout: 60_000, interval: 1 })
      .toBeGreaterThanOrEqual(enough);
    await profile.kill();
  }
  const page = await opened(profile, stage.url);
  await inStep(page);
  await caughtUp(page);
  const found = await page.evaluate(() => db.notes.all().map(({ title }) => title));
  const counted = await page.evaluate((id) => db.notes.get(id)?.rank, counter);
  const notes = found.filter((title) => title !== 'counter');
  const times = new Map<string, number>();
  for (const title of notes) times.set(title, (times.get(title) ?? 0) + 1);
  const lost = [...acknowledged].filter((title) => !times.has(title));
  const doubled = [...times].filter(([, count]) => count > 1);
  const strange = [...times.keys()].filter((title) => !made.has(title));
  console.log(
    `${KILLS} kills: ${made.size} made, ${acknowledged.size} acknowledged, ${notes.length} found, ` +
      `${lost.length} lost, ${doubled.length} doubled; counted ${counted}`,
  );
  expect({ lost, doubled, strange }).toEqual({ lost: [], doubled: [], strange: [] });
  // Each mutation is there as a whole.
  expect(counted).toBe(notes.length);

  // The server has the same.
  const other = new Profile();
  try {
    const fresh = await opened(other, stage.url, { user: 'other' });
    await inStep(fresh);
    await caughtUp(fresh);
    const theirs = await fresh.evaluate(() => db.notes.all().map(({ title }) => title));
    expect(theirs.sort()).toEqual(found.sort());
  } finally {
    await other.remove();
  }
});
