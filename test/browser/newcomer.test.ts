// Goal: the demo with its 135,233 real cities does what a newcomer tries, step by step. Each test is one sentence of
// that story. Method: real Chromium, real server. Steps share one server and continue from the step before.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Profile, ready } from './support/browser.ts';
import { everything, filled, newCity, sees, settled } from './support/demo.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { root } from './support/paths.ts';
import { TestServer } from './support/server.ts';
import { until } from './support/until.ts';

const CITIES = 135_233;
const DAY_MS = 86_400_000;
const SNAPSHOT = /\/v1\/snapshot\//;

let server: TestServer;
let proxy: FaultProxy;
const anna = new Profile();
const bert = new Profile();
let one: Page;
let two: Page;
let other: Page;
let stockholm = '';

const shots = join(root, 'build', 'screenshots');
/** The README's picture; SKERRY_UPDATE_DOCS=1 renews the one that it shows. */
const picture = join(process.env['SKERRY_UPDATE_DOCS'] ? join(root, 'docs') : shots, 'demo.png');

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  server = await TestServer.start({ seed: true });
  proxy = await FaultProxy.start(server.url);
});

afterAll(async () => {
  await anna.remove();
  await bert.remove();
  await proxy?.close();
  await server?.stop();
});

/** Both of Anna's windows: a window that is not paused yet, or a running job, would push the other window's changes. */
async function goOffline(): Promise<void> {
  for (const page of [one, two]) {
    await settled(page);
    await until(page, () => demo.sync.status.phase === 'idle', []);
  }
  await switchedTo(true);
}

const comeBack = () => switchedTo(false);

async function switchedTo(offline: boolean): Promise<void> {
  await one.click('#switch-offline');
  for (const page of [one, two])
    await until(page, (wanted) => (demo.sync.status.phase === 'paused') === wanted, [offline]);
}

describe('a newcomer', () => {
  test('sees 135,233 cities in a list that keeps only the visible rows in the DOM', async () => {
    let release: () => void = () => {};
    const hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    proxy.rules({ path: SNAPSHOT, hold, times: 1 });
    const start = performance.now();
    one = await anna.window({ serviceWorker: true, url: proxy.url });
    // Until the first of them are there the page says how far it has come.
    await one.waitForFunction(() => {
      const place = document.querySelector('#cities-first');
      return place?.checkVisibility() && /\d of [\d.]+ MB/.test(place.textContent ?? '');
    });
    release();
    await filled(one, CITIES);
    await one.waitForSelector('#cities-first', { hidden: true });
    const requests = (path: RegExp) => proxy.seen.filter((seen) => path.test(seen.path)).length;
    expect(requests(SNAPSHOT)).toBe(1);
    expect(requests(/\/v1\/pull/)).toBeLessThan(10);
    console.log(
      `first fill of ${CITIES} cities: ${Math.round(performance.now() - start)} ms from opening the window`,
    );
    await one.waitForSelector('#cities-sizer .row');
    const rows = await one.$$eval('#cities-sizer .row', (list) => list.length);
    expect(rows).toBeGreaterThan(10);
    expect(rows).toBeLessThan(80);
  });

  test('searches and sorts', async () => {
    await one.type('#search', 'stockholm');
    await one.waitForFunction(
      () => document.querySelector('#cities-sizer .row span')?.textContent === 'Stockholm',
    );
    stockholm = (await one.$eval('#cities-sizer .row', (row) => row.getAttribute('data-id'))) ?? '';
    await one.evaluate(() => {
      const search = document.querySelector<HTMLInputElement>('#search');
      if (!search) throw new Error('no search field');
      search.value = '';
      search.dispatchEvent(new Event('input'));
    });
    await one.click('[data-sort=name]');
    await one.waitForFunction(() => {
      const names = [...document.querySelectorAll('#cities-sizer .row span:first-child')].map(
        (cell) => cell.textContent ?? '',
      );
      return (
        names.length > 10 &&
        document.querySelector('[data-sort=name]')?.getAttribute('data-direction') === 'up'
      );
    });
    const [first] = await one.evaluate(() => demo.cities.orderBy('name').limit(1).all());
    await one.waitForFunction(
      (name) => document.querySelector('#cities-sizer .row span')?.textContent === name,
      {},
      first?.name,
    );
    await one.click('[data-sort=population]');
  });

  test('scrolls to the end, and the window of rows follows', async () => {
    await one.$eval('#cities-scroller', (scroller) => {
      scroller.scrollTop = scroller.scrollHeight;
    });
    await one.waitForFunction(
      (count) =>
        [...document.querySelectorAll('#cities-sizer .row')].some(
          (row) => row.getAttribute('aria-posinset') === String(count),
        ),
      {},
      CITIES,
    );
    await one.$eval('#cities-scroller', (scroller) => {
      scroller.scrollTop = 0;
    });
  });

  test('edits in window 1, and window 2 shows it at once', async () => {
    two = await anna.window({ serviceWorker: true, url: proxy.url });
    const wait = sees(two, stockholm, 'Stockholm by the water');
    await one.evaluate(
      (id) => void demo.mutate.editCity({ id, patch: { name: 'Stockholm by the water' } }),
      stockholm,
    );
    await wait;
    await settled(one);
    await settled(two);
  });

  test('edits in the form of the detail, by keyboard alone', async () => {
    await one.bringToFront();
    await one.click('#search', { count: 3 });
    await one.keyboard.type('Stockholm');
    await one.waitForFunction(
      (id) => document.querySelector('#cities-sizer .row')?.getAttribute('data-id') === id,
      {},
      stockholm,
    );
    await one.focus('#cities-scroller');
    await one.keyboard.press('ArrowDown');
    await one.waitForSelector('#city-detail[data-state=city]');
    await one.focus('#city-name');
    await one.$eval('#city-name', (input) => (input as HTMLInputElement).select());
    await one.keyboard.type('Stockholm');
    await one.keyboard.press('Enter');
    await sees(two, stockholm, 'Stockholm');
    await settled(one);
    await one.setViewport({ width: 1200, height: 760 });
    await one.screenshot({ path: picture as `${string}.png` });
  });

  test('is seen by another browser profile within a second, by a poke and a pull', async () => {
    other = await bert.window({ serviceWorker: true, url: proxy.url, user: 'bert' });
    await filled(other, CITIES);
    await settled(other);
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const name = `Stockholm ${i}`;
      const wait = sees(other, stockholm, name);
      await one.evaluate(
        (id, text) => void demo.mutate.editCity({ id, patch: { name: text } }),
        stockholm,
        name,
      );
      times.push(Math.round(await wait));
    }
    console.log(`seen by another profile after ${times.join(', ')} ms`);
    // By a poke: a poll would be a minute.
    expect(Math.max(...times)).toBeLessThan(20_000);
  });

  test('counts likes from two windows at once: inc adds up', async () => {
    const before = await one.evaluate((id) => demo.cities.get(id)?.likes ?? 0, stockholm);
    const like = (page: Page) =>
      page.evaluate((id) => {
        for (let i = 0; i < 10; i++) demo.mutate.likeCity({ id });
      }, stockholm);
    await Promise.all([like(one), like(two), like(other)]);
    for (const page of [one, two, other]) {
      await until(page, (id, count) => demo.cities.get(id)?.likes === count, [
        stockholm,
        before + 30,
      ]);
    }
  });

  test('goes offline in one, edits in both, comes back: both equal, nothing lost', async () => {
    await goOffline();
    const mine = await one.evaluate(
      (city) => demo.transact((tx) => tx.cities.create(city)).result,
      newCity('Made offline'),
    );
    await one.evaluate(
      (id) => void demo.mutate.editCity({ id, patch: { population: 1_000_001 } }),
      stockholm,
    );
    const theirs = await other.evaluate(
      (city) => demo.transact((tx) => tx.cities.create(city)).result,
      newCity('Made online'),
    );
    await other.evaluate(
      (id) => void demo.mutate.editCity({ id, patch: { name: 'Stockholm again' } }),
      stockholm,
    );
    await settled(other);
    expect(await one.evaluate(() => demo.sync.status.pending)).toBeGreaterThan(0);
    await comeBack();
    for (const page of [one, two, other]) {
      await sees(page, mine, 'Made offline');
      await sees(page, theirs, 'Made online');
      await sees(page, stockholm, 'Stockholm again');
      await settled(page);
    }
    for (const page of [one, two, other])
      expect(await page.evaluate((id) => demo.cities.get(id)?.population, stockholm)).toBe(
        1_000_001,
      );
    expect(await everything(one)).toBe(await everything(other));
    expect(await everything(two)).toBe(await everything(other));
  });

  test('deletes a group offline; its memberships, also unseen ones, disappear elsewhere', async () => {
    const group = await one.evaluate(() => demo.mutate.addGroup({ name: 'Short-lived' }).result);
    await settled(one);
    await until(other, (id) => demo.groups.get(id) !== undefined, [group]);
    await goOffline();
    const unseen = await other.evaluate((id) => {
      const person = demo.people.first();
      if (!person) throw new Error('no people');
      return demo.mutate.addMember({ group: id, person: person.id }).result;
    }, group);
    await settled(other);
    await one.evaluate((id) => void demo.mutate.deleteGroup({ id }), group);
    expect(await one.evaluate((id) => demo.groups.get(id), group)).toBeUndefined();
    await comeBack();
    for (const page of [one, two, other]) {
      await until(
        page,
        (id, membership) =>
          !demo.groups.get(id) &&
          !demo.memberships.get(membership) &&
          demo.sync.status.pending === 0,
        [group, unseen],
      );
    }
    expect(await everything(one)).toBe(await everything(other));
  });

  test('reloads while offline, and everything is there at once', async () => {
    await one.waitForFunction(() => navigator.serviceWorker.controller !== null, {
      timeout: 30_000,
    });
    proxy.setOffline(true);
    try {
      const start = performance.now();
      await one.reload({ waitUntil: 'domcontentloaded' });
      await ready(one);
      await filled(one, CITIES + 2);
      console.log(
        `reload offline: ${Math.round(performance.now() - start)} ms until all cities are there`,
      );
      await one.evaluate(
        (id) => void demo.mutate.editCity({ id, patch: { name: 'Edited on an island' } }),
        stockholm,
      );
      await sees(two, stockholm, 'Edited on an island');
    } finally {
      proxy.setOffline(false);
    }
    await one.evaluate(() => void demo.sync.now().catch(() => undefined));
    await sees(other, stockholm, 'Edited on an island', 90_000);
  });

  test('closes the browser with pending edits; they are pushed a day later', async () => {
    proxy.setOffline(true);
    await one.evaluate(async (id) => {
      await demo.mutate.editCity({ id, patch: { name: 'From yesterday' } }).durable;
    }, stockholm);
    await anna.close();
    proxy.setOffline(false);
    one = await anna.window({ serviceWorker: true, url: proxy.url, clockShiftMs: DAY_MS });
    await sees(other, stockholm, 'From yesterday', 60_000);
    await settled(one);
    expect(await everything(one)).toBe(await everything(other));
  });

  test('reads it on a phone: nothing is wider than the screen', async () => {
    await other.setViewport({
      width: 360,
      height: 740,
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
    });
    // Emulating a phone reloads the page.
    await ready(other);
    await settled(other);
    await other.waitForSelector('#cities-sizer .row');
    const overflow = await other.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBeLessThanOrEqual(0);
    await other.screenshot({ path: join(shots, 'demo-phone.png') as `${string}.png` });
  });

  test('saw no error in any window', () => {
    expect(anna.problems).toEqual([]);
    expect(bert.problems).toEqual([]);
  });
});
