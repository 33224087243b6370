// Goal: a window knows whether the server can be reached, and says so, whoever pushes: with the lease, or with a service
// worker. Method: two windows behind a proxy that cuts them off in each of the ways in which networks do, and lets them
// back. Times are short, but in their usual order.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { caughtUp, inStep, opened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

const times = {
  ...{ ping: 1500, pong: 1000, hello: 1000, fetch: 2000, retry: 300, retryMax: 600 },
  // No poll brings what a poke should have announced.
  ...{ idle: 20_000, idleListening: 600_000, socketRetry: 200, socketRetryMax: 500 },
};

let served: Served;
let proxy: FaultProxy;
const [profile, others] = [new Profile(), new Profile()];
/** A window of another device, which nothing cuts off. */
let other: Page;

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
  other = await opened(others, served.server.url, { user: 'other' });
});
afterEach(() => {
  proxy.rules();
  proxy.setOffline(false);
  proxy.setBlackHole(false);
  proxy.refuseSockets(false);
});
afterAll(async () => {
  await profile.remove();
  await others.remove();
  await proxy?.close();
  await served?.stop();
});

const writes = (title: string) =>
  other.evaluate((wanted) => db.mutate.addNote({ title: wanted }).confirmed, title);
const shows = (page: Page, title: string, limitMs?: number) =>
  until(page, (wanted) => db.notes.where('title', '=', wanted).count() === 1, [title], limitMs);
const says = (page: Page, connected: boolean, phases: readonly string[], limitMs?: number) =>
  until(
    page,
    (wanted, allowed) => {
      const { status } = db.sync;
      return status.connected === wanted && allowed.includes(status.phase);
    },
    [connected, phases],
    limitMs,
  );

const modes: [string, boolean][] = [
  ['lease', false],
  ['service-worker', true],
];

describe.each(modes)('%s', (mode, serviceWorker) => {
  const windows: Page[] = [];
  beforeAll(async () => {
    const options = { user: mode, serviceWorker, times };
    for (let i = 0; i < 2; i++) {
      const page = await opened(profile, proxy.url, options, { serviceWorker });
      await inStep(page);
      windows.push(page);
    }
    for (const page of windows) await until(page, (it) => db.sync.status.mode === it, [mode]);
    await writes(`${mode}: first`);
    for (const page of windows) await shows(page, `${mode}: first`);
  });
  afterAll(async () => {
    for (const page of windows.splice(0)) await page.close();
  });

  test('a dead socket is replaced, and the missed changes arrive', async () => {
    for (const title of ['dead', 'dead again']) {
      const { upgrades } = proxy;
      proxy.silenceSockets();
      await writes(`${mode}: ${title}`);
      for (const page of windows) await shows(page, `${mode}: ${title}`, 10_000);
      expect(proxy.upgrades).toBeGreaterThan(upgrades);
      for (const page of windows) await says(page, true, ['idle']);
    }
  });

  test('a socket on which nothing happens is kept', async () => {
    await writes(`${mode}: quiet`);
    for (const page of windows) await shows(page, `${mode}: quiet`);
    const { upgrades } = proxy;
    const heard = () => windows[0]?.evaluate(() => db.sync.status.lastHeardAt?.getTime() ?? 0);
    const before = (await heard()) ?? 0;
    // Two pings and their answers.
    await expect.poll(heard, { timeout: 20_000 }).toBeGreaterThan(before + 3_000);
    expect(proxy.upgrades).toBe(upgrades);
  });

  const cuts: [string, string[], (isCut: boolean) => void | Promise<void>][] = [
    ['a server that refuses connections', ['waiting'], (isCut) => proxy.setOffline(isCut)],
    ['a network in which nothing passes', ['waiting'], (isCut) => proxy.setBlackHole(isCut)],
    [
      'a browser without a network',
      ['offline'],
      async (isCut) => {
        for (const page of windows) await page.setOfflineMode(isCut);
      },
    ],
    [
      'a proxy whose server is gone',
      ['waiting'],
      (isCut) => {
        proxy.refuseSockets(isCut);
        const answer = { status: 502, type: 'text/html', body: 'Bad gateway' };
        proxy.rules(...(isCut ? [{ path: /^\/v1\//, answer }] : []));
      },
    ],
    [
      'a captive portal',
      ['waiting'],
      (isCut) => {
        proxy.refuseSockets(isCut);
        proxy.rules(...(isCut ? [{ path: /^\/v1\//, fault: 'html' as const }] : []));
      },
    ],
  ];
  test.each(cuts)('%s shows in every window, and its end, too', async (name, phases, cut) => {
    for (const round of ['once', 'again']) {
      // Windows listen to a socket: no poll brings this note so soon.
      await writes(`${mode}: ${name} before, ${round}`);
      for (const page of windows) await shows(page, `${mode}: ${name} before, ${round}`, 10_000);
      await cut(true);
      // A request that is under way may still be.
      const allowed = [...phases, 'pulling', 'pushing'];
      for (const page of windows) await says(page, false, allowed, 15_000);
      for (const page of windows) await says(page, false, phases, 15_000);
      const shown = await Promise.all(
        windows.map((page) =>
          page.evaluate(() => {
            const { lastHeardAt, nextTryAt } = db.sync.status;
            return { heard: lastHeardAt?.getTime(), next: nextTryAt?.getTime() ?? null };
          }),
        ),
      );
      expect(shown[0]?.heard).toBe(shown[1]?.heard);
      if (phases.includes('waiting')) for (const { next } of shown) expect(next).not.toBeNull();
      const title = `${mode}: ${name} ${round}`;
      await writes(title);
      await cut(false);
      for (const page of windows) await shows(page, title);
      for (const page of windows) await says(page, true, ['idle']);
    }
  });

  test('without sockets the last request counts', async () => {
    proxy.refuseSockets(true);
    for (const page of windows) {
      await caughtUp(page);
      await says(page, true, ['idle']);
    }
  });
});
