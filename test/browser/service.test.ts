// Goal: in service-worker mode (docs/design.md, "With a service worker") the service worker pushes and pulls for all
// windows, is stopped in the middle, pushes after the last window was closed, and is replaced by the windows when it
// does not answer. Method: real Chromium, real server.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, inStep, opened, writeNotes } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { ServiceControl } from './support/service.ts';
import { rowsOnServer } from './support/table.ts';
import { until } from './support/until.ts';

let served: Served;
let proxy: FaultProxy;
let profile: Profile;
let round = 0;

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
});

afterEach(async () => {
  proxy.rules();
  proxy.setOffline(false);
  await profile?.remove();
});

afterAll(async () => {
  await proxy?.close();
  await served?.stop();
});

/** A window of a fresh profile, in step, with a service worker that pushes. */
async function window(more: object = {}): Promise<Page> {
  profile = new Profile();
  round++;
  return another(more);
}

async function another(more: object = {}): Promise<Page> {
  const page = await opened(profile, proxy.url, {
    user: `user-${round}`,
    serviceWorker: true,
    ...more,
  });
  await until(page, () => db.sync.status.mode === 'service-worker', []);
  await inStep(page);
  return page;
}

const add = (page: Page, title: string) =>
  page.evaluate((wanted) => db.mutate.addNote({ title: wanted }).durable, title);

/** How many notes of this title the server has. */
async function onServer(title: string): Promise<number> {
  const rows = await rowsOnServer<{ title: string }>(served.server.url, 'notes');
  return rows.filter(({ props }) => props.title === title).length;
}

const arrives = (title: string) =>
  expect.poll(() => onServer(title), { timeout: 30_000, interval: 50 }).toBe(1);

test('pushes and pulls in the service worker; windows hold no lease', async () => {
  const page = await window();
  const second = await another();
  const confirmed = page.evaluate(() => db.mutate.addNote({ title: 'served' }).confirmed);
  await confirmed;
  expect(await onServer('served')).toBe(1);
  await until(second, () => db.notes.where('title', '=', 'served').count() === 1, []);
  const { lease, modeReason, role } = await second.evaluate(() => db.sync.status);
  expect(modeReason).toBe('the service worker pushes');
  expect(role).toBe('none');
  expect(lease?.owner).toBeNull();
  expect(lease?.epoch).toBeGreaterThan(0);
});

test('continues when it is woken after a stop in the middle of a push, exactly once', async () => {
  const page = await window();
  const control = await ServiceControl.of(page);
  for (const fault of ['cut-before', 'cut-after'] as const) {
    let release: () => void = () => {};
    const hold = new Promise<void>((resolve) => {
      release = resolve;
    });
    proxy.rules({ path: /\/push/, hold, fault, times: 1 });
    const held = proxy.held(/\/push/);
    await add(page, fault);
    await held;
    await control.stop();
    release();
    await add(page, `after ${fault}`);
    await inStep(page);
    expect(await onServer(fault)).toBe(1);
    expect(await onServer(`after ${fault}`)).toBe(1);
  }
});

test('pushes a change of a window that is closed at once', async () => {
  const page = await window();
  await bare(profile, proxy.url);
  await add(page, 'closed at once');
  await page.close();
  await arrives('closed at once');
});

test('pushes offline changes by a sync event, without a window, from a stopped worker', async () => {
  const page = await window();
  const looker = await bare(profile, proxy.url);
  const control = await ServiceControl.of(looker);
  proxy.setOffline(true);
  await add(page, 'offline');
  await until(page, () => db.sync.status.phase === 'waiting', []);
  // The browser has been asked for the event that DevTools fires below.
  const asked = () =>
    page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration()) as unknown as {
        sync: { getTags(): Promise<string[]> };
      };
      return registration.sync.getTags();
    });
  await expect.poll(asked, { timeout: 10_000 }).toContain(`skerry-sync:skerry/test/user-${round}`);
  await page.close();
  await control.stop();
  proxy.setOffline(false);
  await control.syncEvent(`skerry-sync:skerry/test/user-${round}`);
  await arrives('offline');
});

test('registers periodic sync where it is granted, and syncs by its event', async () => {
  profile = new Profile();
  const session = await (await profile.browser()).target().createCDPSession();
  await session.send('Browser.grantPermissions', {
    origin: proxy.url,
    permissions: ['periodicBackgroundSync', 'backgroundSync'],
  });
  round++;
  const page = await another();
  const looker = await bare(profile, proxy.url);
  const control = await ServiceControl.of(looker);
  const tag = `skerry-sync:skerry/test/user-${round}`;
  const asked = () =>
    page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration()) as unknown as {
        periodicSync: { getTags(): Promise<string[]> };
      };
      return registration.periodicSync.getTags();
    });
  await expect.poll(asked, { timeout: 10_000 }).toEqual([tag]);
  proxy.setOffline(true);
  await add(page, 'by and by');
  await page.close();
  await control.stop();
  proxy.setOffline(false);
  const pulled = proxy.next(/\/pull/);
  await control.periodicSyncEvent(tag);
  await arrives('by and by');
  await pulled;
});

test("leaves a slow, paused window's changes alone in a sync event until it resumes", async () => {
  const page = await window();
  const control = await ServiceControl.of(page);
  await page.evaluate(() => db.sync.pause());
  await until(page, () => db.sync.status.phase === 'paused', []);
  await add(page, 'made in a pause');
  const requests = proxy.seen.length;
  // For longer than the service worker waits for answers.
  await page.evaluate(() => {
    setTimeout(() => {
      const end = performance.now() + 8_000;
      while (performance.now() < end);
    });
  });
  await control.syncEvent(`skerry-sync:skerry/test/user-${round}`);
  await page.evaluate(() => {});
  // It has been through with the event when it answers to the next message.
  await control.stop();
  await control.syncEvent(`skerry-sync:skerry/test/user-${round}`);
  await control.started();
  expect(await onServer('made in a pause')).toBe(0);
  expect(proxy.seen.slice(requests).filter(({ path }) => path.endsWith('/push'))).toEqual([]);
  await page.evaluate(() => db.sync.resume());
  await arrives('made in a pause');
});

test('does not keep a token that must not be kept, and pushes only with a window', async () => {
  const page = await window({ keepToken: false });
  const looker = await bare(profile, proxy.url);
  const control = await ServiceControl.of(looker);
  const tokens = await page.evaluate(
    async (user) => (await kit.stored('sync', { user })).filter((r) => 'token' in (r as object)),
    `user-${round}`,
  );
  expect(tokens).toEqual([]);
  proxy.setOffline(true);
  await add(page, 'without a token');
  await page.close();
  await control.stop();
  proxy.setOffline(false);
  await control.syncEvent(`skerry-sync:skerry/test/user-${round}`);
  await control.started();
  await another({ keepToken: false });
  await arrives('without a token');
});

test('asks a window for another token when one expires', async () => {
  const token = `dev:user-${round + 1}`;
  const page = await window({ tokens: [token, token] });
  proxy.rules({ path: /\/push/, fault: 'unauthorized', times: 1 });
  await add(page, 'fresh token');
  await arrives('fresh token');
  expect(await page.evaluate(() => kit.happened.tokens)).toEqual(['start', 'expired']);
});

test("runs in an application's own script without fetch handler, with its wasm cached", async () => {
  const page = await window({ serviceWorker: '/own-sw.js' });
  await add(page, 'own script');
  await arrives('own script');
  const names = await page.evaluate(async () => {
    const cache = await caches.open('skerry-wasm');
    return (await cache.keys()).map(({ url }) => url.slice(url.lastIndexOf('/') + 1)).sort();
  });
  expect(names).toEqual(['skerry.wasm']);
  // It starts again without asking anybody for wasm.
  const control = await ServiceControl.of(page);
  await control.stop();
  proxy.rules({ path: /\.wasm/, fault: 'refuse' });
  await add(page, 'wasm from the cache');
  await arrives('wasm from the cache');
});

test('gives a service worker up that has not answered for 20 seconds', async () => {
  profile = new Profile();
  const page = await opened(profile, proxy.url, { serviceWorker: '/silent-sw.js' });
  await until(page, () => db.sync.status.mode === 'service-worker', []);
  await add(page, 'silence');
  await until(page, () => db.sync.status.mode === 'lease', [], 40_000);
  expect(await page.evaluate(() => db.sync.status.modeReason)).toBe(
    'the service worker does not answer',
  );
  await arrives('silence');
});

test('fills a large realm by an image that a window makes', async () => {
  const page = await window();
  await writeNotes(page, 3000);
  await page.evaluate(() => db.close());
  const user = `filled-${round}`;
  await page.evaluate((how) => kit.start(how), { user, serviceWorker: true });
  await until(page, () => db.notes.count() >= 3000, []);
  await inStep(page);
  expect(await page.evaluate(() => db.sync.status.mode)).toBe('service-worker');
});

test('loses and doubles nothing when a new script takes over in the middle of a push', async () => {
  const script = join(served.site.files, 'updated-sw.js');
  const first = readFileSync(join(served.site.files, 'own-sw.js'), 'utf8');
  writeFileSync(script, first);
  const page = await window({ serviceWorker: '/updated-sw.js' });
  let release: () => void = () => {};
  const hold = new Promise<void>((resolve) => {
    release = resolve;
  });
  proxy.rules({ path: /\/push/, hold, times: 1 });
  const held = proxy.held(/\/push/);
  await add(page, 'by the old one');
  await held;
  // The application's own decision: it does not wait for its windows to be closed.
  writeFileSync(script, `${first}\nself.addEventListener('install', () => self.skipWaiting());\n`);
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    await registration?.update();
  });
  const versions = () =>
    page.evaluate(async () => {
      const { active, waiting, installing } =
        (await navigator.serviceWorker.getRegistration()) as ServiceWorkerRegistration;
      return [active, waiting, installing].filter(Boolean).length;
    });
  expect(await versions()).toBe(2);
  await add(page, 'while there are two');
  release();
  await expect.poll(versions, { timeout: 30_000 }).toBe(1);
  await add(page, 'by the new one');
  await inStep(page);
  for (const title of ['by the old one', 'while there are two', 'by the new one'])
    expect(await onServer(title)).toBe(1);
  expect(await page.evaluate(() => db.sync.status.mode)).toBe('service-worker');
});
