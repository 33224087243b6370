// Goal: each button of the demo that causes a fault does so, and the demo recovers.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { newCity, settled } from './support/demo.ts';
import { TestServer } from './support/server.ts';
import { rowsOnServer } from './support/table.ts';

let server: TestServer;
let profile: Profile;
let page: Page;
let city: string;

beforeAll(async () => {
  server = await TestServer.start();
  profile = new Profile();
  page = await profile.window({ url: server.url, serviceWorker: true });
  await mode('service-worker');
  // Its windows' requests pass through it from the next load on.
  await page.reload();
  await page.waitForFunction(() => 'ready' in document.documentElement.dataset);
  city = await page.evaluate(
    (made) => demo.transact((tx) => tx.cities.create(made)).result,
    newCity('Broken'),
  );
  await settled(page);
  await page.click('#faults summary');
});

afterAll(async () => {
  await profile?.remove();
  await server?.stop();
});

const mode = (wanted: string) =>
  page.waitForFunction((name) => demo.sync.status.mode === name, { polling: 50 }, wanted);
const like = () => page.evaluate((id) => demo.mutate.likeCity({ id }).durable, city);
const likes = () => page.evaluate((id) => demo.cities.get(id)?.likes, city);

/** The server's value. */
async function onServer(): Promise<number | undefined> {
  const rows = await rowsOnServer<{ likes: number }>(server.url, 'cities');
  return rows.find(({ id }) => id === city)?.props.likes;
}

test('counts a like once when its push is cut, or its answer is lost', async () => {
  for (const [i, button] of ['#fault-cut', '#fault-lose'].entries()) {
    await page.click(button);
    await like();
    await page.waitForFunction(() => demo.sync.status.error !== null, { polling: 20 });
    if (button === '#fault-lose') expect(await onServer()).toBe(i + 1);
    await page.waitForFunction(
      () => demo.sync.status.pending === 0 && demo.sync.status.error === null,
      { polling: 50 },
    );
    expect(await onServer()).toBe(i + 1);
  }
  expect(await likes()).toBe(2);
});

test('rejects a change with an error when storage is full, and accepts later ones', async () => {
  await page.click('#fault-full');
  const code = await page.evaluate(
    (id) =>
      demo.mutate.likeCity({ id }).durable.then(
        () => '',
        (error: { code: string }) => error.code,
      ),
    city,
  );
  expect(code).toBe('quota');
  expect(await likes()).toBe(2);
  await page.click('#fault-full');
  await like();
  await settled(page);
  expect(await onServer()).toBe(3);
});

test('syncs with a clock a day ahead, and with a frozen worker', async () => {
  await page.click('#fault-clock');
  await like();
  await settled(page);
  expect(await onServer()).toBe(4);
  await page.click('#fault-clock');
  await page.click('#fault-freeze');
  // The service worker pushes all the same.
  await like();
  await expect.poll(onServer, { timeout: 30_000 }).toBe(5);
  await page.click('#fault-freeze');
  await settled(page);
});

test('reports that the site’s data were cleared, and fetches all again', async () => {
  await settled(page);
  const known = await likes();
  const session = await page.createCDPSession();
  await session.send('Storage.clearDataForOrigin', {
    origin: server.url,
    storageTypes: 'indexeddb',
  });
  await page.waitForSelector('#reload');
  expect(await page.$eval('#sync-error', ({ textContent }) => textContent)).toContain(
    'The browser has deleted what it had stored. The database is closed (evicted).',
  );
  await page.click('#reload');
  await page.waitForFunction(
    (id) => 'demo' in globalThis && demo.cities.get(id) !== undefined,
    { polling: 50 },
    city,
  );
  expect(await likes()).toBe(known);
  await page.click('#faults summary');
});

test('pushes from the windows when the service worker is silenced', async () => {
  await page.click('#fault-silence');
  await like();
  await mode('lease');
  await settled(page);
  expect(await onServer()).toBe(6);
  expect(await page.$eval('#sync-facts', (list) => list.textContent)).toContain('the windows');
  // A fault of this way of pushing is the page's own Worker's, which passes through the service worker.
  await page.click('#fault-lose');
  await like();
  await settled(page);
  expect(await onServer()).toBe(7);
});
