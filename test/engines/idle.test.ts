// Goal: an idle window writes nothing to storage, with the lease and with a service worker. Method: all stores are
// compared, in Chromium, Firefox and WebKit. test/browser/idle.test.ts counts the transactions in Chromium.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { engines, until } from './support/checks.ts';
import type { RemoteWindow } from './support/hub.ts';
import { Scene } from './support/scene.ts';

const MINUTE_MS = 60_000;
const stores = ['mutations', 'outbox', 'updates', 'sync', 'conflicts'];

let site: Site;
const scenes: Scene[] = [];

beforeAll(async () => {
  site = await buildSite();
});
afterAll(async () => {
  for (const scene of scenes) await scene.stop();
  site?.remove();
});

/** All stores, and the mode, which explains a difference: a service worker that takes over late writes. */
async function stored(window: RemoteWindow) {
  const { mode } = await window.status();
  return { mode, stores: await Promise.all(stores.map((store) => window.call('stored', store))) };
}

/** The held leases in storage, except the socket's. */
async function held(window: RemoteWindow): Promise<unknown[]> {
  const records = (await window.call('stored', 'sync')) as { owner?: string; job?: string }[];
  return records.filter(({ owner, job }) => owner && job !== 'open' && job !== 'closed');
}

/** Two windows of each kind in one browser, in step and at rest, with the production's pauses. */
async function idlers(engine: (typeof engines)[number]): Promise<RemoteWindow[]> {
  const scene = await Scene.start(engine, site);
  scenes.push(scene);
  await scene.begin('lease', { production: true });
  const windows: RemoteWindow[] = [];
  for (const serviceWorker of [false, false, true, true]) {
    const window = await scene.open({ user: `idle-${serviceWorker}`, serviceWorker });
    // An engine under load may take a minute to start its service worker.
    await until(window, ({ mode }) => mode === (serviceWorker ? 'service-worker' : 'lease'));
    windows.push(window);
  }
  const counter = await windows[0]?.call('counter');
  for (const window of windows) await window.call('sees', String(counter));
  await Promise.all(windows.map((window) => window.call('now')));
  for (const window of windows) {
    await until(window, ({ phase }) => phase === 'idle');
    await expect.poll(() => held(window), { timeout: 20_000 }).toEqual([]);
  }
  return windows;
}

test('writes nothing in an idle minute', async () => {
  const windows = (await Promise.all(engines.map(idlers))).flat();
  const before = await Promise.all(windows.map(stored));
  for (const { stores } of before) expect(stores.flat().length).toBeGreaterThan(1);
  await new Promise((resolve) => setTimeout(resolve, MINUTE_MS));
  expect(await Promise.all(windows.map(stored))).toEqual(before);
  for (const window of windows) expect((await window.status()).phase).toBe('idle');
});
