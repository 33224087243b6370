// A database without a remote, in a real Chromium: what is written is there after a reload and after SIGKILL, and records
// are rolled up into images, so that a cold start does not fold them one by one for ever.
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { opened, reopened } from './support/kit.ts';
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
        body: 'A body that is long enough to be worth rolling up. '.repeat(4),
        rank: start + i,
      }));
      await db.transact((tx) => tx.notes.createMany(rows)).durable;
    },
    batch * BATCH,
    BATCH,
  );

test('records of a local database are rolled up into an image, and a reload and a SIGKILL lose nothing', async () => {
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
});

test('an image that nothing names is deleted along with the next that is not needed any more', async () => {
  const page = await opened(profile, stage.url, LOCAL);
  // Its maker was ended before it heard that it was too late.
  const orphan = `/${DATABASE}/00000000-0000-7000-8000-000000000000`;
  await page.evaluate(
    (name) =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(name, 21);
        request.onupgradeneeded = () => request.result.createObjectStore('FILE_DATA');
        request.onsuccess = () => resolve(request.result.close());
        request.onerror = () => reject(request.error);
      }),
    orphan,
  );
  const images = () =>
    page.evaluate(async (prefix) => {
      const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
      return names.filter((name) => name.startsWith(prefix));
    }, `/${DATABASE}/`);
  expect(await images()).toContain(orphan);
  // The third image from here on makes the first needless.
  for (let roll = 0; roll < 3; roll++) {
    const { image } = await syncRecord(page);
    await write(page, BATCHES + roll);
    await expect
      .poll(async () => (await syncRecord(page)).image?.n, { timeout: 30_000, interval: 100 })
      .not.toBe(image?.n);
  }
  await expect.poll(images, { timeout: 10_000, interval: 100 }).not.toContain(orphan);
  // Those that are needed are there.
  const { image } = await syncRecord(page);
  expect(await images()).toContain(`/${DATABASE}/${image?.generation}`);
  await reopened(page, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe((BATCHES + 3) * BATCH + 1);
});
