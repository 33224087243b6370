// Goal: a database without a remote has its rows after a reload and after SIGKILL, and its records are compacted into
// images, so that a cold start does not fold them one by one. Method: real Chromium.
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { crash } from './support/browser.ts';
import { bare, opened, reopened } from './support/kit.ts';
import { Stage } from './support/served.ts';

const LOCAL = { local: true, name: 'local-only' } as const;
const DATABASE = 'skerry/local-only/tester';
const BATCHES = 4;
const BATCH = 5000;

const stage = new Stage();
const { profile } = stage;

interface Sync {
  readonly n: number;
  readonly image: { readonly n: number; readonly generation: string } | null;
  readonly previous: { readonly generation: string } | null;
}
async function syncRecord(page: Page): Promise<Sync> {
  const values = await page.evaluate((how) => kit.stored('sync', how), LOCAL);
  return values.find((value) => (value as Sync).n !== undefined) as Sync;
}

const write = (page: Page, batch: number) =>
  page.evaluate(
    async (start, count) => {
      const rows = Array.from({ length: count }, (_, i) => ({
        title: `Note ${start + i}`,
        body: 'A body that is long enough to be worth compacting. '.repeat(4),
        rank: start + i,
      }));
      await db.transact((tx) => tx.notes.createMany(rows)).durable;
    },
    batch * BATCH,
    BATCH,
  );

test("compacts a local database's records; a reload and a SIGKILL lose nothing", async () => {
  let page = await opened(profile, stage.url, LOCAL);
  for (let batch = 0; batch < BATCHES; batch++) await write(page, batch);
  await expect
    .poll(async () => (await syncRecord(page)).image?.n ?? 0, { timeout: 30_000, interval: 100 })
    .toBeGreaterThan(0);
  const before = await page.evaluate(() => kit.everything());

  await reopened(page, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe(BATCHES * BATCH);
  expect(await page.evaluate(() => kit.everything())).toBe(before);

  await page.evaluate(() => db.mutate.addNote({ title: 'Just before the power went' }).durable);
  await profile.kill();
  page = await opened(profile, stage.url, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe(BATCHES * BATCH + 1);
  expect(
    await page.evaluate(() => db.notes.where('title', '=', 'Just before the power went').count()),
  ).toBe(1);
  // Its worker would make the images of the tests below.
  await page.close();
});

const images = (page: Page) =>
  page.evaluate(async (prefix) => {
    const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
    return names.filter((name) => name.startsWith(prefix)).sort();
  }, `/${DATABASE}/`);

/** An empty one, that nothing names. */
const makeImage = (page: Page, mount: string) =>
  page.evaluate(
    (name) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(name, 21);
        request.onupgradeneeded = () => request.result.createObjectStore('FILE_DATA');
        request.onsuccess = () => resolve(request.result.close());
        request.onerror = () => reject(request.error);
      }),
    mount,
  );

/** The images that the record `sync` names, without those that were given up. */
const named = async (page: Page) => {
  const { image, previous } = await syncRecord(page);
  const generations = [image, previous].flatMap((each) => (each ? [each.generation] : []));
  return generations.map((generation) => `/${DATABASE}/${generation}`).sort();
};

/** Resolves when there are the named images and no others; one that is being made gets its name in the end. */
const imagesAreAsNamed = (page: Page) =>
  expect
    .poll(async () => {
      const [found, wanted] = [await images(page), await named(page)];
      return found.join() === wanted.join() ? 'as named' : { found, wanted };
    })
    .toBe('as named');

/** A worker's script that hangs forever when an image is written, before the record `sync` names that image. */
const HANG_BEFORE_PUBLISHING = `{
  const { transaction } = IDBDatabase.prototype;
  let written = false;
  IDBDatabase.prototype.transaction = function (stores, mode, ...rest) {
    if (this.name.startsWith('/skerry/') && mode === 'readwrite') written = true;
    const publishes = this.name.startsWith('skerry/') && stores.includes('updates') && mode === 'readwrite';
    if (written && publishes && typeof document === 'undefined') {
      new BroadcastChannel('hangs').postMessage(this.name);
      for (;;);
    }
    return transaction.call(this, stores, mode, ...rest);
  };
}`;

test.each(['the browser', 'the window'])(
  'deletes a half-written image in the next start after %s was killed',
  async (what) => {
    const other = await bare(profile, stage.url);
    const hangs = other.evaluate(
      () =>
        new Promise<void>((resolve) => {
          new BroadcastChannel('hangs').onmessage = () => resolve();
        }),
    );
    const page = await opened(profile, stage.url, LOCAL, { script: HANG_BEFORE_PUBLISHING });
    const from = BATCHES + (what === 'the browser' ? 10 : 20);
    let isHanging = false;
    void hangs.then(() => {
      isHanging = true;
    });
    // How much is worth an image depends on how much of the first test's records the last one holds.
    for (let batch = from; batch < from + BATCHES && !isHanging; batch++) {
      await Promise.race([write(page, batch), hangs]);
    }
    await hangs;
    const [found, wanted] = [await images(other), await named(other)];
    expect(found.filter((image) => !wanted.includes(image))).not.toEqual([]);
    if (what === 'the browser') await profile.kill();
    else await crash(page);
    const again = await opened(profile, stage.url, LOCAL);
    await imagesAreAsNamed(again);
    expect(
      await again.evaluate((rank) => db.notes.where('rank', '=', rank).count(), from * BATCH),
    ).toBe(1);
    await again.close();
  },
);

const generation = (n: number) => `/${DATABASE}/00000000-0000-7000-8000-00000000000${n}`;

/** A window that has its database open, and has deleted the image that nothing named when it opened. */
async function openedWithOrphan(orphan: string): Promise<Page> {
  const page = await bare(profile, stage.url);
  // Before the database is open: the deletion when it opens may come at any time after.
  await makeImage(page, orphan);
  expect(await images(page)).toContain(orphan);
  await page.evaluate((how) => kit.start(how), LOCAL);
  await expect.poll(() => images(page)).not.toContain(orphan);
  return page;
}

test('deletes unreferenced images when a window opens, and keeps the others', async () => {
  const page = await openedWithOrphan(generation(1));
  expect((await named(page)).length).toBeGreaterThan(0);
  await imagesAreAsNamed(page);
  await page.close();
});

test('deletes an unreferenced image along with the next image that is not needed', async () => {
  const page = await openedWithOrphan(generation(1));
  const before = await page.evaluate(() => db.notes.count());
  // Its maker was ended before it heard that it was too late.
  const orphan = generation(0);
  await makeImage(page, orphan);
  expect(await images(page)).toContain(orphan);
  // The third image from here on makes the first needless.
  let written = 0;
  for (let more = 0; more < 3; more++) {
    const { image } = await syncRecord(page);
    const writeMore = async () => {
      await write(page, BATCHES + written++);
      return (await syncRecord(page)).image?.n;
    };
    await expect.poll(writeMore, { timeout: 30_000, interval: 500 }).not.toBe(image?.n);
  }
  await expect.poll(() => images(page), { timeout: 10_000, interval: 100 }).not.toContain(orphan);
  // Those that are needed are there.
  const { image } = await syncRecord(page);
  expect(await images(page)).toContain(`/${DATABASE}/${image?.generation}`);
  await reopened(page, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe(before + written * BATCH);
});
