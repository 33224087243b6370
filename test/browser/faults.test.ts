// Goal: each button of the demo that causes a fault says what it will do, does so, and says what has happened; and the demo recovers.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { newCity, settled } from './support/demo.ts';
import { TestServer } from './support/server.ts';
import { rowsOnServer } from './support/table.ts';
import { until } from './support/until.ts';

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

/** What the page says has happened, once it says so. */
const says = (fault: string, text: string) =>
  until(page, (id, wanted) => document.getElementById(id)?.textContent?.includes(wanted), [
    `${fault}-did`,
    text,
  ]);

/** The server's value. */
async function onServer(): Promise<number | undefined> {
  const rows = await rowsOnServer<{ likes: number }>(server.url, 'cities');
  return rows.find(({ id }) => id === city)?.props.likes;
}

test('each says before it is pressed what will happen, and nothing of what has not', async () => {
  const controls = await page.$$eval('.fault', (faults) =>
    faults.map((fault) => {
      const control = fault.querySelector('button, input');
      const will = document.getElementById(control?.getAttribute('aria-describedby') ?? '');
      return [will?.textContent?.length, fault.querySelector('[role=status]')?.textContent];
    }),
  );
  expect(controls).toHaveLength(7);
  for (const [length, did] of controls) {
    expect(length).toBeGreaterThan(60);
    expect(did).toBe('');
  }
});

test('counts a like once when its push is cut, or its answer is lost', async () => {
  for (const [i, button] of ['#fault-cut', '#fault-lose'].entries()) {
    await page.click(button);
    await says(button.slice(1), 'Waits for the next push');
    await like();
    await page.waitForFunction(() => demo.sync.status.error !== null, { polling: 20 });
    await says(button.slice(1), i === 0 ? 'has seen nothing of it' : 'its answer was lost');
    if (button === '#fault-lose') expect(await onServer()).toBe(i + 1);
    await page.waitForFunction(
      () => demo.sync.status.pending === 0 && demo.sync.status.error === null,
      { polling: 50 },
    );
    expect(await onServer()).toBe(i + 1);
    await says(button.slice(1), 'once.');
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
  await says('fault-full', 'was taken back');
  expect(await likes()).toBe(2);
  await page.click('#fault-full');
  await like();
  await says('fault-full', 'there is room again');
  await settled(page);
  expect(await onServer()).toBe(3);
});

test('syncs with a clock a day ahead, and with a frozen worker', async () => {
  await page.click('#fault-clock');
  await says('fault-clock', 'For this window it is');
  await like();
  await settled(page);
  expect(await onServer()).toBe(4);
  await page.click('#fault-clock');
  await page.click('#fault-freeze');
  // The service worker pushes all the same.
  await like();
  await expect.poll(onServer, { timeout: 30_000 }).toBe(5);
  await says('fault-freeze', 'the service worker pushes');
  await page.click('#fault-freeze');
  await says('fault-freeze', 'it goes on where it stood');
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
  await says('fault-silence', 'the windows push now');
  await settled(page);
  expect(await onServer()).toBe(6);
  await page.click('#inspect summary');
  const shown = () =>
    page.$eval('skerry-inspector', ({ shadowRoot }) => shadowRoot?.querySelector('ul')?.innerText);
  await expect.poll(shown).toMatch(/^By\s+(this-window|nobody)$/m);
  expect(await shown()).toMatch(/^Mode\s+lease$/m);
  await page.click('#inspect summary');
  // A fault of this way of pushing is the page's own Worker's, which passes through the service worker.
  await page.click('#fault-lose');
  await like();
  await settled(page);
  expect(await onServer()).toBe(7);
});

test('says that there is no service worker once it is unregistered', async () => {
  await page.click('#fault-unregister');
  await says('fault-unregister', 'it was unregistered. The windows push here, as before.');
  await page.click('#fault-unregister');
  await says('fault-unregister', 'there was none.');
});
