// Goal: a worker that was frozen while it wrote an image, and whose mount another window's worker has used meanwhile, spoils
// nothing when it wakes, and reports no failure. Method: real Chromium; a request that the proxy holds back freezes the
// Worker just before it writes.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, caughtUp, opened, reopened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { shortLeases } from './support/times.ts';
import { until } from './support/until.ts';

let served: Served;
let proxy: FaultProxy;
let wake = () => {};
const profile = new Profile();

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
});

// Also of a test that failed: the browser does not end while it stands still.
afterEach(() => wake());

afterAll(async () => {
  await profile.remove();
  await proxy?.close();
  await served?.stop();
});

/**
 * A Worker's script: it stands still before the first image is written, and says how the transaction that writes it ends. It
 * has no other transaction open then, because that would hold up the other windows.
 */
const FREEZE_BEFORE_WRITING = `if (typeof document === 'undefined') {
  let running = 0;
  let onIdle = null;
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (stores, mode, ...rest) {
    const tx = transaction.call(this, stores, mode, ...rest);
    running++;
    for (const end of ['abort', 'complete'])
      tx.addEventListener(end, () => {
        if (this.name.startsWith('/skerry/') && mode === 'readwrite')
          new BroadcastChannel('images').postMessage(end);
        if (--running === 0) onIdle?.();
      });
    return tx;
  };
  const { open } = IDBFactory.prototype;
  IDBFactory.prototype.open = function (name, ...rest) {
    const request = open.call(this, name, ...rest);
    if (!name.startsWith('/skerry/')) return request;
    IDBFactory.prototype.open = open;
    const freeze = (event) => {
      event.stopImmediatePropagation();
      request.removeEventListener('success', freeze);
      onIdle = () => {
        onIdle = null;
        const held = new XMLHttpRequest();
        held.open('GET', '/frozen', false);
        held.send();
        request.dispatchEvent(new Event('success'));
      };
      if (running === 0) onIdle();
    };
    request.addEventListener('success', freeze);
    return request;
  };
}`;

interface Pointer {
  readonly n: number;
  readonly generation: string;
  readonly mount: string;
}

const image = (page: Page, user: string) =>
  page.evaluate(async (of) => {
    const records = await kit.stored('sync', { user: of });
    const sync = records.find((each) => (each as { n?: number }).n !== undefined);
    return (sync as { image?: Pointer | null }).image ?? null;
  }, user);

/** The names of the files in the image's mount, without its path. */
const files = (page: Page, user: string, mount: string) =>
  page.evaluate(async (path) => {
    const raw = await kit.openRaw(path);
    const request = raw.transaction('FILE_DATA').objectStore('FILE_DATA').getAllKeys();
    await new Promise((resolve) => {
      request.onsuccess = resolve;
    });
    raw.close();
    const names = request.result.map(String).filter((key) => key.startsWith(path));
    return names.map((name) => name.slice(path.length + 1));
  }, `/skerry/test/${user}/${mount}`);

/** So many bytes that an image is worth it, in fewer rows than a realm that comes by an image has. */
const write = (page: Page, title: string) =>
  page.evaluate(async (wanted) => {
    const body = 'A body that is long enough to be worth compacting. '.repeat(24);
    const rows = Array.from({ length: 900 }, (_, rank) => ({ title: wanted, body, rank }));
    await db.transact((tx) => tx.notes.createMany(rows)).durable;
  }, title);

test.each([{ serviceWorker: false }, { serviceWorker: true }])(
  'a compaction that was overtaken by another window leaves its image alone, %o',
  async (mode) => {
    const user = `frozen-${mode.serviceWorker}`;
    const hold = new Promise<void>((resolve) => {
      wake = resolve;
    });
    proxy.rules({ path: /^\/frozen/, hold, answer: { status: 200, type: 'text/plain', body: '' } });
    const isFrozen = proxy.held(/^\/frozen/, 60_000);
    const looker = await bare(profile, proxy.url);
    const ended = looker.evaluate(
      () =>
        new Promise<string>((resolve) => {
          new BroadcastChannel('images').onmessage = ({ data }) => resolve(data);
        }),
    );
    const how = { user, ...mode, times: { ...shortLeases, imageCalm: 300 } };
    const frozen = await opened(profile, proxy.url, how, { script: FREEZE_BEFORE_WRITING });
    if (mode.serviceWorker) await until(frozen, () => db.sync.status.mode === 'service-worker', []);
    await write(frozen, `${user} 0`);
    await isFrozen;
    expect(await image(looker, user)).toBeNull();

    const other = await opened(profile, proxy.url, how);
    await write(other, `${user} 1`);
    await expect.poll(() => image(other, user), { timeout: 60_000 }).not.toBeNull();
    const first = (await image(other, user)) as Pointer;
    expect(first.mount).toBe('1');

    wake();
    expect(await ended).toBe('abort');
    for (const name of await files(other, user, first.mount))
      expect(name).toMatch(new RegExp(`^${first.generation}\\.`));
    expect((await image(other, user))?.generation).toBe(first.generation);
    for (const page of [frozen, other]) {
      await caughtUp(page);
      const { error } = await page.evaluate(() => ({
        error: db.sync.status.error?.code ?? null,
      }));
      expect(error).toBeNull();
      expect(await page.evaluate(() => kit.happened.dataLost)).toEqual([]);
    }
    // What was overtaken makes images again, and what is stored is read.
    await other.close();
    const count = await frozen.evaluate(
      (of) => db.notes.where('title', 'like', `${of} %`).count(),
      user,
    );
    expect(count).toBe(2 * 900);
    const before = await frozen.evaluate(() => kit.everything());
    await reopened(frozen, how);
    expect(await frozen.evaluate(() => kit.everything())).toBe(before);
    await frozen.close();
    await looker.close();
  },
);
