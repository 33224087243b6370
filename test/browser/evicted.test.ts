// Goal: windows survive when the browser deletes an open database, as it does for lack of room or when its user clears
// the site's data. Method: real Chromium, real server.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { bare, inStep, opened, reopened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

let served: Served;

beforeAll(async () => {
  served = await serveSite();
});

afterAll(() => served?.stop());

async function evict(page: Page): Promise<void> {
  const session = await page.createCDPSession();
  await session.send('Storage.clearDataForOrigin', {
    origin: served.server.url,
    storageTypes: 'indexeddb',
  });
}

const databases = async () =>
  (await indexedDB.databases()).map(({ name }) => name).filter((name) => name?.includes('skerry'));

test.each([
  ['lease', false],
  ['service-worker', true],
])(
  '%s: notifies every window, creates no database, and the next start fetches all',
  async (mode, serviceWorker) => {
    const profile = new Profile();
    try {
      const options = { user: mode, serviceWorker };
      const pages: Page[] = [];
      for (let i = 0; i < 2; i++) pages.push(await opened(profile, served.server.url, options));
      const [first, second] = pages as [Page, Page];
      await until(first, (wanted) => db.sync.status.mode === wanted, [mode]);
      const id = await first.evaluate(async () => {
        const made = db.mutate.addNote({ title: 'on the server' });
        await made.confirmed;
        return made.result;
      });
      await until(second, (key) => db.notes.get(key) !== undefined, [id]);
      await evict(first);
      for (const page of pages) {
        await until(page, () => kit.happened.closed.length > 0, []);
        expect(await page.evaluate(() => kit.happened)).toMatchObject({
          closed: ['evicted'],
          dataLost: ['The browser has deleted what it had stored.'],
        });
        expect(
          await page.evaluate(() =>
            kit.outcome(() => db.mutate.addNote({ title: 'late' }).durable),
          ),
        ).toMatchObject({ ok: false, code: 'closed' });
      }
      expect(await first.evaluate(databases)).toEqual([]);
      await reopened(first, options);
      await inStep(first);
      expect(await first.evaluate((key) => db.notes.get(key)?.title, id)).toBe('on the server');
      await first.evaluate((key) => db.mutate.bump({ id: key }).confirmed, id);
    } finally {
      await profile.remove();
    }
  },
);

test('does not adopt a database that another window created after the eviction', async () => {
  const profile = new Profile();
  try {
    const options = { user: 'anew' };
    const first = await opened(profile, served.server.url, options);
    const note = await first.evaluate(() => db.mutate.addNote({ title: 'of the first' }).result);
    await first.evaluate(() => db.sync.now());
    const second = await bare(profile, served.server.url);
    const debug = await first.createCDPSession();
    await debug.send('Debugger.enable');
    const paused = new Promise((resolve) => debug.once('Debugger.paused', resolve));
    await debug.send('Debugger.pause');
    const moved = first.evaluate(() => 1);
    await paused;
    await evict(second);
    await second.evaluate((how) => kit.start(how), options);
    await debug.send('Debugger.resume');
    await moved;
    await until(first, () => kit.happened.closed.length > 0, []);
    expect(await first.evaluate(() => kit.happened.closed)).toEqual(['evicted']);
    await inStep(second);
    expect(await second.evaluate((key) => db.notes.get(key)?.title, note)).toBe('of the first');
    await second.evaluate((key) => db.mutate.bump({ id: key }).confirmed, note);
  } finally {
    await profile.remove();
  }
});
