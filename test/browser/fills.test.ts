// Goal: after an initial sync by the realm's image, and with damaged local images, the rows are right and pending
// changes are kept, whatever is cut, killed or overwritten. Method: real Chromium, real server.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { limitRoom, Profile, withProfile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, caughtUp, inStep, opened, reopened, writeNotes } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { shortLeases } from './support/times.ts';
import { until } from './support/until.ts';

const NOTES = 6000;
const SNAPSHOT = /\/v1\/snapshot\//;

let served: Served;
let proxy: FaultProxy;
/** The server's rows, as shown by the window that wrote them. */
let truth: string;
/** How many notes that window saw, one change after the other. */
let counts: number[];
const writer = new Profile();

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
  const page = await opened(writer, served.server.url);
  await page.evaluate(() => {
    db.notes.liveCount().subscribe((now) => kit.counts.push(now));
  });
  await writeNotes(page, NOTES);
  await page.evaluate(() => db.mutate.addList({ name: 'A list', slug: 'a-list' }).confirmed);
  await caughtUp(page);
  truth = await page.evaluate(() => kit.everything());
  counts = await page.evaluate(() => kit.counts);
  await writer.close();
});

afterEach(() => proxy.rules());

afterAll(async () => {
  await writer.remove();
  await proxy?.close();
  await served?.stop();
});

const isFilled = (page: Page) =>
  until(page, (count) => db.notes.count() === count, [NOTES], 60_000);
const everything = (page: Page) => page.evaluate(() => kit.everything());
const snapshots = () => proxy.seen.filter(({ path }) => SNAPSHOT.test(path)).length;

describe('the writer of a large first batch', () => {
  test('shows all rows while they are pushed and come back by an image', () => {
    expect(counts).toEqual([0, NOTES]);
    expect((JSON.parse(truth) as unknown[][])[1]).toHaveLength(NOTES);
  });
});

describe('the initial sync', () => {
  test('uses one image, shows progress, and starts from it without the network', () =>
    withProfile(async (profile) => {
      const before = snapshots();
      const page = await bare(profile, proxy.url);
      const progress = await page.evaluate(async (count) => {
        const seen: string[] = [];
        const stored: string[] = [];
        await kit.start();
        const stop = db.sync.subscribe((status) => {
          if (status.progress) seen.push(status.phase);
          else if (seen.length > 0) stored.push(status.phase);
        });
        await new Promise<void>((resolve) => {
          const end = db.notes.liveCount().subscribe((now) => {
            if (now !== count) return;
            queueMicrotask(() => end());
            resolve();
          });
        });
        stop();
        return { seen, stored };
      }, NOTES);
      expect(new Set(progress.seen)).toEqual(new Set(['filling']));
      // Until the window has read storage; before that it has no rows.
      expect(progress.stored).toContain('filling');
      expect(snapshots() - before).toBe(1);
      // The image may be older than the head: the rest comes by the next pull.
      await caughtUp(page);
      expect(await everything(page)).toBe(truth);
      await profile.close();
      proxy.rules({ path: /\/v1\//, fault: 'refuse' });
      const again = await opened(profile, proxy.url);
      expect(await everything(again)).toBe(truth);
    }));

  test('completes in the next start after SIGKILL in the middle of the image', () =>
    withProfile(async (profile) => {
      proxy.rules({ path: SNAPSHOT, fault: 'stall', times: 1 });
      const half = proxy.next(SNAPSHOT);
      const times = shortLeases;
      await opened(profile, proxy.url, { times });
      await half;
      await profile.kill();
      const page = await opened(profile, proxy.url, { times });
      const ms = await isFilled(page);
      console.log(`filled ${Math.round(ms)} ms after the start that followed the kill`);
      await caughtUp(page);
      expect(await everything(page)).toBe(truth);
      expect(await page.evaluate(() => kit.happened.dataLost)).toEqual([]);
    }));

  test('fetches an image again whose download breaks off', () =>
    withProfile(async (profile) => {
      proxy.rules({ path: SNAPSHOT, fault: 'cut-after', times: 1 });
      const page = await opened(profile, proxy.url);
      await isFilled(page);
      await caughtUp(page);
      expect(await everything(page)).toBe(truth);
    }));

  test('rejects HTML in place of an image, and fetches it again', () =>
    withProfile(async (profile) => {
      proxy.rules({ path: SNAPSHOT, fault: 'html', times: 1 });
      const page = await opened(profile, proxy.url);
      await isFilled(page);
      await caughtUp(page);
      expect(await everything(page)).toBe(truth);
    }));

  test('reports that there is no room for an image, and completes when there is', () =>
    withProfile(async (profile) => {
      const page = await bare(profile, proxy.url);
      const enlarge = await limitRoom(page, proxy.url);
      // Something else of the same site has nearly all of it.
      await page.evaluate(async () => {
        const raw = await new Promise<IDBDatabase>((resolve, reject) => {
          const request = indexedDB.open('filler', 1);
          request.onupgradeneeded = () => request.result.createObjectStore('all');
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
        const put = (key: number, length: number) =>
          new Promise<boolean>((resolve) => {
            const tx = raw.transaction('all', 'readwrite');
            tx.oncomplete = () => resolve(true);
            tx.onabort = () => resolve(false);
            tx.objectStore('all').put(kit.randomText(length), key);
          });
        let key = 0;
        while (key < 200 && (await put(key, 100_000))) key++;
        raw.close();
      });
      await page.evaluate(() => kit.start());
      await until(page, () => db.sync.status.error?.code === 'quota', [], 60_000);
      expect(await page.evaluate(() => db.sync.status.error?.name)).toBe('QuotaError');
      expect(await page.evaluate(() => kit.happened.dataLost)).toEqual([]);
      await enlarge();
      await page.evaluate(() => db.sync.now());
      await isFilled(page);
    }));

  test('fetches one image for two windows that start at once', () =>
    withProfile(async (profile) => {
      const before = snapshots();
      const pages = [await bare(profile, proxy.url), await bare(profile, proxy.url)];
      await Promise.all(pages.map((page) => page.evaluate(() => kit.start())));
      await Promise.all(pages.map((page) => isFilled(page)));
      await Promise.all(pages.map((page) => caughtUp(page)));
      for (const page of pages) expect(await everything(page)).toBe(truth);
      expect(snapshots() - before).toBe(1);
    }));

  test('keeps changes made before it is complete', () =>
    withProfile(async (profile) => {
      let letGo: () => void = () => {};
      const hold = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      proxy.rules({ path: SNAPSHOT, hold, times: 1 });
      const page = await opened(profile, proxy.url);
      const id = await page.evaluate(async () => {
        const made = db.mutate.addNote({ title: 'early' });
        await made.durable;
        return made.result;
      });
      letGo();
      await until(page, (count) => db.notes.count() === count, [NOTES + 1], 60_000);
      await inStep(page);
      expect(await page.evaluate((key) => db.notes.get(key)?.title, id)).toBe('early');
      // Deleted again, so that the other tests find the expected rows.
      await page.evaluate((key) => db.mutate.deleteNote({ id: key }).confirmed, id);
    }));
});

describe('a damaged image', () => {
  const damages: Record<string, string> = {
    'a flipped byte in the middle': '(bytes) => ((bytes[bytes.length >> 1] ^= 1), bytes)',
    'garbage over all of it': '(bytes) => bytes.fill(0xa5)',
    'the second half missing': '(bytes) => bytes.slice(0, bytes.length >> 1)',
    'nothing left': '() => new Uint8Array(0)',
  };

  test.each(Object.entries(damages))(
    '%s: fetches the rows again, and keeps pending changes',
    (_name, damage) =>
      withProfile(async (profile) => {
        const page = await opened(profile, proxy.url);
        await isFilled(page);
        await caughtUp(page);
        proxy.rules({ path: /\/v1\//, fault: 'refuse' });
        const id = await page.evaluate(async () => {
          const made = db.mutate.addNote({ title: 'pending' });
          await made.durable;
          await db.close();
          return made.result;
        });
        const files = (await page.evaluate(`kit.damageImages(${damage})`)) as number;
        expect(files).toBeGreaterThan(0);
        await reopened(page);
        expect(await page.evaluate(() => kit.happened.dataLost.length)).toBe(1);
        expect(await page.evaluate((key) => db.notes.get(key)?.title, id)).toBe('pending');
        expect(await page.evaluate(() => db.sync.status.pending)).toBe(1);
        proxy.rules();
        await page.evaluate(() => kit.outcome(() => db.sync.now()));
        await until(page, (count) => db.notes.count() === count, [NOTES + 1], 60_000);
        await inStep(page);
        await page.evaluate((key) => db.mutate.deleteNote({ id: key }).confirmed, id);
        await caughtUp(page);
        expect(await everything(page)).toBe(truth);
      }),
  );
});
