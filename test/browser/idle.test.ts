// Goal: an idle window writes nothing to IndexedDB: neither the window, nor its Worker, nor a service worker. Method:
// the writes of a minute are counted.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { inStep, opened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

const MINUTE_MS = 60_000;

let served: Served;
const profiles: Profile[] = [];

beforeAll(async () => {
  served = await serveSite();
});

afterAll(async () => {
  for (const profile of profiles) await profile.remove();
  await served?.stop();
});

/** Counts transactions that may write, in a page and in each of its workers. */
const counting = `{
  const begin = IDBDatabase.prototype.transaction;
  globalThis.writes = [];
  IDBDatabase.prototype.transaction = function (stores, mode, options) {
    if (mode === 'readwrite') globalThis.writes.push(String(stores));
    return begin.call(this, stores, mode, options);
  };
}`;

const writesOf = (): string[] => (globalThis as unknown as { writes: string[] }).writes;

/** All writes of the page and its workers since their start. */
async function writes(page: Page): Promise<string[]> {
  const ofWorkers = await Promise.all(page.workers().map((worker) => worker.evaluate(writesOf)));
  return [...(await page.evaluate(writesOf)), ...ofWorkers.flat()];
}

async function windows(user: string, serviceWorker: boolean): Promise<Page[]> {
  const profile = new Profile();
  profiles.push(profile);
  const pages: Page[] = [];
  for (let i = 0; i < 2; i++)
    pages.push(
      await opened(profile, served.server.url, { user, serviceWorker }, { script: counting }),
    );
  for (const page of pages) {
    await inStep(page);
    await until(page, () => db.sync.status.phase === 'idle', []);
  }
  return pages;
}

test('writes nothing in an idle minute, with the lease and with a service worker', async () => {
  const [first] = await windows('lease', false);
  const pages = [...(await windows('service', true)), first as Page];
  // A change shows that the writes are counted.
  for (const page of pages) {
    const before = (await writes(page)).length;
    await page.evaluate(() => db.mutate.addNote({ title: 'counted' }).confirmed);
    expect((await writes(page)).length).toBeGreaterThan(before);
  }
  for (const page of pages) await inStep(page);
  await Promise.all(pages.map((page) => page.evaluate(() => db.sync.now())));
  const before = await Promise.all(pages.map(writes));
  const pulls = await Promise.all(
    pages.map((page) => page.evaluate(() => Number(db.sync.status.lastSyncedAt))),
  );
  await new Promise((resolve) => setTimeout(resolve, MINUTE_MS));
  const after = await Promise.all(pages.map(writes));
  expect(after).toEqual(before);
  expect(
    await Promise.all(
      pages.map((page) => page.evaluate(() => Number(db.sync.status.lastSyncedAt))),
    ),
  ).toEqual(pulls);
});
