// Goal: a large realm comes by one image in both modes, also one that is granted later or read again; what an image cannot bring
// comes by pages; and without a window a service worker leaves the realm alone, and nothing else. Method: requests and bytes are
// counted between real Chromium and a real server.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Profile, withProfile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, caughtUp, inStep, opened, writeNotes } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { ServiceControl } from './support/service.ts';
import { rowsOnServer } from './support/table.ts';
import { until } from './support/until.ts';

/** An image is offered above 2,000 rows; by pages these would be three more pulls. */
const NOTES = 6000;
const SNAPSHOT = /\/v1\/snapshot\//;
const PULL = /\/v1\/pull/;
/** No answer to a pull has the rows of a realm in it: one note takes more than 30 bytes. */
const SMALL_ANSWER = 30 * 1000;
/**
 * Each of two workers pulls for what it hears at its start, unless that comes while a pull waits to begin: the window, its
 * scopes, the socket, the image, and the question whether it lives. One that repeats itself pulls every 50 ms.
 */
const MOST_PULLS = 2 * 5;
const modes = ['lease', 'service-worker'] as const;
type Mode = (typeof modes)[number];

let served: Served;
let proxy: FaultProxy;
let truth: string;
const writer = new Profile();
let writing: Page;

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
  writing = await opened(writer, served.server.url, { user: 'author' });
  await writeNotes(writing, NOTES);
  await caughtUp(writing);
  truth = await everything(writing);
});

afterEach(() => {
  proxy.rules();
  proxy.setOffline(false);
});

afterAll(async () => {
  await writer.remove();
  await proxy?.close();
  await served?.stop();
});

const everything = (page: Page) => page.evaluate(() => kit.everything());
const shows = (page: Page, count: number) =>
  until(page, (wanted) => db.notes.count() === wanted, [count], 30_000);
const pushesBy = (page: Page, mode: Mode) =>
  until(page, (wanted) => db.sync.status.mode === wanted, [mode]);

/** A window of that mode; where a service worker pushes, it runs before the database is opened, as at a second look. */
async function window(profile: Profile, mode: Mode, user = 'tester'): Promise<Page> {
  const times = { retry: 50, retryMax: 200 };
  if (mode === 'lease') return opened(profile, proxy.url, { user, times });
  const page = await bare(profile, proxy.url);
  await page.evaluate(async () => {
    await navigator.serviceWorker.register('/skerry-sw.js');
    await navigator.serviceWorker.ready;
  });
  await page.evaluate((how) => kit.start(how), { user, times, serviceWorker: true });
  await pushesBy(page, mode);
  return page;
}

/** The pulls and images since the last call, and the longest answer of a pull. */
class Counter {
  #from = proxy.seen.length;

  /** Since the last call. */
  take(): { pulls: number; images: number; longest: number } {
    const seen = proxy.seen.slice(this.#from);
    this.#from = proxy.seen.length;
    const pulls = seen.filter(({ path }) => PULL.test(path));
    const images = seen.filter(({ path }) => SNAPSHOT.test(path)).length;
    return {
      ...{ pulls: pulls.length, images },
      longest: Math.max(0, ...pulls.map(({ bytes = 0 }) => bytes)),
    };
  }

  /** So many images, and no realm by pages beside them. */
  expectImages(images: number): void {
    const seen = this.take();
    console.log(`${seen.pulls} pulls, ${seen.images} images, at most ${seen.longest} bytes`);
    expect(seen.images).toBe(images);
    expect(seen.pulls).toBeLessThanOrEqual(MOST_PULLS);
    expect(seen.longest).toBeLessThan(SMALL_ANSWER);
  }
}

/** A realm of the writer's with so many notes, of which the user becomes a reader. */
function grant(user: string, notes: number): Promise<string> {
  return writing.evaluate(
    async (reader, count) => {
      const { result: realm } = db.realms.create();
      db.transact((tx) =>
        tx.notes.createMany(Array.from({ length: count }, (_, i) => ({ title: `${i}`, realm }))),
      );
      await db.realms.invite(realm, reader, 'reader').confirmed;
      return realm;
    },
    user,
    notes,
  );
}

describe.each(modes)('%s', (mode) => {
  test('a first visit fetches one image and a second one nothing', () =>
    withProfile(async (profile) => {
      const counter = new Counter();
      const page = await window(profile, mode);
      await shows(page, NOTES);
      await caughtUp(page);
      counter.expectImages(1);
      expect(await everything(page)).toBe(truth);
      await page.close();
      counter.take();
      const again = await window(profile, mode);
      await shows(again, NOTES);
      await caughtUp(again);
      counter.expectImages(0);
    }));

  test('two windows of a first visit fetch one image', () =>
    withProfile(async (profile) => {
      const counter = new Counter();
      const first = await window(profile, mode);
      const second = await window(profile, mode);
      for (const page of [first, second]) await shows(page, NOTES);
      for (const page of [first, second]) await caughtUp(page);
      expect(counter.take()).toMatchObject({ images: 1 });
      expect(await everything(second)).toBe(truth);
    }));

  test('realms that are granted later come by an image each', () =>
    withProfile(async (profile) => {
      const user = `granted-${mode}`;
      const page = await window(profile, mode, user);
      await shows(page, NOTES);
      await caughtUp(page);
      const counter = new Counter();
      await grant(user, 2500);
      await shows(page, NOTES + 2500);
      await caughtUp(page);
      counter.expectImages(1);
      await grant(user, 100);
      await shows(page, NOTES + 2600);
      await caughtUp(page);
      expect(counter.take().images).toBe(0);
      await grant(user, 3000);
      await shows(page, NOTES + 5600);
      await caughtUp(page);
      expect(counter.take().images).toBe(1);
      expect(await page.evaluate(() => db.sync.status.error)).toBeNull();
    }));

  test.each(['gone', 'reset'] as const)(
    '%s: the realm comes by an image again, and its rows stay',
    (why) =>
      withProfile(async (profile) => {
        const user = `${why}-${mode}`;
        const page = await window(profile, mode, user);
        await shows(page, NOTES);
        await caughtUp(page);
        await page.evaluate(() => {
          db.notes.liveCount().subscribe((now) => kit.counts.push(now));
        });
        if (why === 'reset') await otherHistory(page, user);
        else
          proxy.rules({
            ...{ path: PULL, times: 1 },
            answer: {
              ...{ status: 410, type: 'application/problem+json' },
              body: '{"code":"gone","detail":"Everything is forgotten."}',
            },
          });
        const counter = new Counter();
        const fetched = proxy.next(SNAPSHOT);
        await page.evaluate(() => kit.outcome(() => db.sync.now()));
        await fetched;
        await caughtUp(page);
        counter.expectImages(1);
        expect(await everything(page)).toBe(truth);
        expect(await page.evaluate(() => new Set(kit.counts).size)).toBe(1);
      }),
  );

  test.each(['gone from the server', 'damaged'] as const)(
    'an image that is %s: its rows come by pages',
    (how) =>
      withProfile(async (profile) => {
        const answer =
          how === 'damaged'
            ? { status: 200, type: 'application/octet-stream', body: 'no image' }
            : { status: 404, type: 'application/problem+json', body: '{"code":"not_found"}' };
        proxy.rules({ path: SNAPSHOT, answer });
        const counter = new Counter();
        const page = await window(profile, mode);
        await shows(page, NOTES);
        await caughtUp(page);
        expect(counter.take().images).toBe(3);
        expect(await everything(page)).toBe(truth);
        expect(await page.evaluate(() => db.sync.status.error)).toBeNull();
      }),
  );
});

/** The cursor of `public` names an entry that the server never had: as after a restored backup. */
function otherHistory(page: Page, user: string): Promise<void> {
  return page.evaluate(async (name) => {
    const raw = await kit.openRaw(`skerry/test/${name}`);
    const tx = raw.transaction('sync', 'readwrite');
    const store = tx.objectStore('sync');
    const read = store.get('sync');
    read.onsuccess = () => {
      const { cursors, ...sync } = read.result as { cursors: Record<string, string> };
      const other = `${cursors['public']?.split('@')[0]}@1`;
      store.put({ ...sync, cursors: { ...cursors, public: other } }, 'sync');
    };
    await new Promise((resolve, reject) => {
      tx.oncomplete = resolve;
      tx.onabort = () => reject(tx.error);
    });
    raw.close();
  }, user);
}

describe('a service worker', () => {
  test('that takes over during the first image does not have it fetched again', () =>
    withProfile(async (profile) => {
      let release: () => void = () => {};
      const hold = new Promise<void>((resolve) => {
        release = resolve;
      });
      let install: () => void = () => {};
      const installing = new Promise<void>((resolve) => {
        install = resolve;
      });
      proxy.rules({ path: SNAPSHOT, hold, times: 1 }, { path: /skerry-sw\.js/, hold: installing });
      const counter = new Counter();
      const begun = proxy.held(SNAPSHOT);
      const page = await opened(profile, proxy.url, { serviceWorker: true });
      await begun;
      expect(await page.evaluate(() => db.sync.status.mode)).toBe('lease');
      install();
      await pushesBy(page, 'service-worker');
      release();
      await shows(page, NOTES);
      await caughtUp(page);
      counter.expectImages(1);
      expect(await everything(page)).toBe(truth);
    }));

  test('without a window pushes what is pending, and leaves the realm to the next', () =>
    withProfile(async (profile) => {
      const user = 'alone';
      const looker = await bare(profile, proxy.url);
      const control = await ServiceControl.of(looker);
      // The image is never had by this window.
      proxy.rules({ path: SNAPSHOT, fault: 'stall', times: 1 });
      const begun = proxy.next(SNAPSHOT);
      const page = await window(profile, 'service-worker', user);
      await begun;
      proxy.setOffline(true);
      const titles = ['mine', 'in public'];
      await page.evaluate(
        async ([own, there], realm) => {
          await db.transact((tx) => tx.notes.create({ title: own as string, realm })).durable;
          await db.mutate.addNote({ title: there as string }).durable;
        },
        titles,
        `user:${user}`,
      );
      await page.close();
      await control.stop();
      proxy.setOffline(false);
      const counter = new Counter();
      await control.syncEvent(`skerry-sync:skerry/test/${user}`);
      const onServer = async () => {
        const rows = await rowsOnServer<{ title: string }>(served.server.url, 'notes', user);
        return rows.map(({ props }) => props.title).filter((title) => titles.includes(title));
      };
      await expect.poll(async () => (await onServer()).sort()).toEqual(['in public', 'mine']);
      // The one in the user's own realm is confirmed; the other waits for the image.
      const left = () =>
        looker.evaluate(
          async (name) => (await kit.stored('mutations', { user: name })).length,
          user,
        );
      await expect.poll(left).toBe(1);
      await control.stop();
      const alone = counter.take();
      expect(alone.images).toBe(0);
      expect(alone.pulls).toBeLessThanOrEqual(MOST_PULLS);
      expect(alone.longest).toBeLessThan(SMALL_ANSWER);
      const next = await window(profile, 'service-worker', user);
      await shows(next, NOTES + 2);
      await inStep(next);
      counter.expectImages(1);
      await next.evaluate(() => {
        const [note] = db.notes.where('title', '=', 'in public').all();
        return db.mutate.deleteNote({ id: note?.id ?? '' }).confirmed;
      });
    }));
});
