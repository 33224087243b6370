// Goal: nothing acknowledged is lost and nothing is doubled when windows race, crash and are killed. Method: real
// Chromium, real server.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { crash, Profile } from './support/browser.ts';
import { everything, newCity, settled } from './support/demo.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { TestServer } from './support/server.ts';
import { until } from './support/until.ts';

const WINDOWS = 5;
const INCS = 200;
const KILLS = rounds(20, 8);

let server: TestServer;
let proxy: FaultProxy;
let profile: Profile;
let counter: string;

beforeAll(async () => {
  server = await TestServer.start();
  proxy = await FaultProxy.start(server.url);
});

afterAll(async () => {
  await profile?.remove();
  await proxy?.close();
  await server?.stop();
});

const likes = (page: Page) => page.evaluate((id) => demo.cities.get(id)?.likes, counter);

/** Resolves when a window has so many likes, by default all confirmed. */
async function counted(
  page: Page,
  total: number,
  { confirmed = true, limitMs = 60_000 } = {},
): Promise<void> {
  const all = (id: string, wanted: number, pendingToo: boolean) =>
    demo.cities.get(id)?.likes === wanted && (pendingToo || demo.sync.status.pending === 0);
  await until(page, all, [counter, total, !confirmed], limitMs).catch(async (error) => {
    const log = profile.logOfDatabases();
    throw new Error(`${await likes(page)} likes of ${total}, ${log}`, { cause: error });
  });
}

/** The server's rows, as a new profile gets them. */
async function fresh<T>(read: (page: Page) => Promise<T>): Promise<T> {
  const other = new Profile();
  try {
    const page = await other.window({ url: server.url, user: 'fresh' });
    await page.evaluate(() => demo.sync.now());
    await settled(page);
    return await read(page);
  } finally {
    await other.remove();
  }
}

describe('several windows and sudden ends', () => {
  test('keep the exact total when five windows make 200 inc each', async () => {
    profile = new Profile();
    const pages = [];
    for (let i = 0; i < WINDOWS; i++) pages.push(await profile.window({ url: proxy.url }));
    const [first] = pages;
    if (!first) throw new Error('no window');
    counter = await first.evaluate(
      (city) => demo.transact((tx) => tx.cities.create(city)).result,
      newCity('Counter'),
    );
    for (const page of pages)
      await until(page, (id) => demo.cities.get(id) !== undefined, [counter]);
    await Promise.all(
      pages.map((page) =>
        page.evaluate(
          async (id, count) => {
            const all = [];
            for (let i = 0; i < count; i++) {
              all.push(demo.mutate.likeCity({ id }).durable);
              if (i % 20 === 0) await all.at(-1);
            }
            await Promise.all(all);
          },
          counter,
          INCS,
        ),
      ),
    );
    for (const page of pages) {
      await counted(page, WINDOWS * INCS);
    }
    expect(await fresh(likes)).toBe(WINDOWS * INCS);
  });

  test('confirm all of 1,000 quick edits, all durable', async () => {
    const page = await profile.window({ url: proxy.url });
    const counts = await page.evaluate(async (id) => {
      const made = [];
      for (let i = 1; i <= 1000; i++)
        made.push(demo.mutate.editCity({ id, patch: { population: i } }));
      const durable = await Promise.allSettled(made.map((m) => m.durable));
      const confirmed = await Promise.allSettled(made.map((m) => m.confirmed));
      const count = (list: PromiseSettledResult<void>[]) =>
        list.filter((x) => x.status === 'fulfilled').length;
      return [count(durable), count(confirmed), demo.cities.get(id)?.population];
    }, counter);
    expect(counts).toEqual([1000, 1000, 1000]);
  });

  test('push once when the lease holder crashes in the middle of a push', async () => {
    const pages = await (await profile.browser()).pages();
    const before = (await fresh(likes)) ?? 0;
    let letGo: () => void = () => undefined;
    const hold = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    // The push reaches the proxy and waits there; its answer then has no receiver.
    proxy.rules({ path: /\/v1\/push/, hold, times: 1 });
    const windows = pages.filter((page) => page.url().startsWith(proxy.url));
    const writer = windows[0];
    if (!writer) throw new Error('no window');
    const arrived = proxy.held(/\/v1\/push/);
    await writer.evaluate((id) => demo.mutate.likeCity({ id }).durable, counter);
    await arrived;
    // A window that held the lease a moment ago may still say so: wait until only one does.
    const holders = async () => {
      const roles = await Promise.all(
        windows.map((page) => page.evaluate(() => demo.sync.status.role)),
      );
      return windows.filter((_, i) => roles[i] === 'holder');
    };
    await expect.poll(async () => (await holders()).length, { timeout: 20_000 }).toBe(1);
    const [holder] = await holders();
    if (!holder) throw new Error('the holder is gone');
    const survivors = windows.filter((page) => page !== holder);
    const pushed = proxy.next(/\/v1\/push/, 30_000);
    await crash(holder);
    // Of tabs in one browser window only the one in front is visible, and only a visible window's
    // worker starts a job: a user who sees the crashed tab goes to another.
    const start = performance.now();
    await survivors[0]?.bringToFront();
    await pushed;
    console.log(
      `holder crashed: another window pushed ${Math.round(performance.now() - start)} ms after it was shown`,
    );
    letGo();
    proxy.rules();
    for (const page of survivors) {
      await counted(page, before + 1);
    }
    expect(await fresh(likes)).toBe(before + 1);
  });

  test('apply a push once when its answer is lost after the commit', async () => {
    const page = await profile.window({ url: proxy.url });
    const before = (await likes(page)) ?? 0;
    proxy.rules({ path: /\/v1\/push/, fault: 'cut-after', times: 1 });
    await page.evaluate((id) => demo.mutate.likeCity({ id }).durable, counter);
    await page.evaluate((id) => void demo.mutate.likeCity({ id }), counter);
    await counted(page, before + 2, { limitMs: 90_000 });
    proxy.rules();
    expect(await fresh(likes)).toBe(before + 2);
  });

  test('lose and double nothing under repeated SIGKILLs with pending edits', async () => {
    await profile.remove();
    profile = new Profile();
    let expected = (await fresh(likes)) ?? 0;
    for (let round = 0; round < KILLS; round++) {
      const page = await profile.window({ url: proxy.url });
      // All of them are shown at once, from storage or from the server.
      await counted(page, expected, { confirmed: false });
      // Odd rounds: nothing can be pushed before the kill. Even ones: pushes are under way when it comes.
      if (round % 2) proxy.rules({ path: /\/v1\//, fault: 'refuse' });
      const acknowledged = await page.evaluate(
        async (id, count) => {
          const all = [];
          for (let i = 0; i < count; i++) all.push(demo.mutate.likeCity({ id }).durable);
          await Promise.all(all);
          return all.length;
        },
        counter,
        round + 1,
      );
      await profile.kill();
      expected += acknowledged;
      proxy.rules();
    }
    const page = await profile.window({ url: proxy.url });
    await counted(page, expected);
    expect(await fresh(likes)).toBe(expected);
  });

  test('converge byte for byte in two profiles, and after a cold start', async () => {
    const second = new Profile();
    try {
      const a = await profile.window({ url: proxy.url });
      const b = await second.window({ url: proxy.url, user: 'second' });
      const churn = (page: Page, seed: number) =>
        page.evaluate(async (start) => {
          let state = start;
          const random = (below: number) => {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            return state % below;
          };
          const made = [];
          for (let i = 0; i < 150; i++) {
            const ids = demo.cities.ids();
            const id = ids[random(ids.length)];
            const what = random(10);
            if (what < 3 || !id)
              made.push(demo.mutate.addCity({ name: `City ${start}-${i}`, country: 'NO' }));
            else if (what < 6)
              made.push(
                demo.mutate.editCity({
                  id,
                  patch: { name: `Named ${start}-${i}`, population: random(1000) },
                }),
              );
            else if (what < 9) made.push(demo.mutate.likeCity({ id }));
            else made.push(demo.mutate.deleteCity({ id }));
            if (i % 25 === 0) await made.at(-1)?.durable;
          }
          await Promise.all(made.map((m) => m.durable));
        }, seed);
      await Promise.all([churn(a, 1), churn(b, 2)]);
      for (const page of [a, b, a, b]) {
        await page.evaluate(() => demo.sync.now());
        await settled(page);
      }
      const seen = await everything(a);
      expect(await everything(b)).toBe(seen);
      await profile.close();
      await second.close();
      // Without the network, the rows on the screen come from storage alone.
      proxy.rules({ path: /\/v1\//, fault: 'refuse' });
      const again = await profile.window({ url: proxy.url });
      expect(await everything(again)).toBe(seen);
      proxy.rules();
    } finally {
      await second.remove();
    }
  });
});
