// Goal: nothing of a user's images stays behind: a log-out deletes the mounts by their names, and what a former release has
// made; the worker that replaces a former release's images deletes those that no database names. Method: real Chromium,
// with databases made as a former release has left them; page/deletions.ts has the cases one by one.
import type { Page } from 'puppeteer-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bare, inStep, opened, writeNotes } from './support/kit.ts';
import { Stage } from './support/served.ts';
import { shortLeases } from './support/times.ts';

const stage = new Stage();
const { profile } = stage;
let round = 0;
let user = '';
let looker: Page;

beforeEach(async () => {
  user = `leaving-${++round}`;
  looker = await bare(profile, stage.url);
});

afterEach(() => looker.close());

const databases = (of: string) => looker.evaluate((name) => kit.databasesOf(name), of);

/** As a former release has made them: an image in a database of its own. */
const makeImages = (names: readonly string[]) =>
  looker.evaluate(async (all) => {
    for (const name of all)
      await new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(name, 21);
        request.onupgradeneeded = () => {
          request.result.createObjectStore('FILE_DATA').put('an image', `${name}/rows.0`);
        };
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
        request.onerror = () => reject(request.error);
      });
  }, names);

/** The record `sync` of the user is then as a former release wrote it, with images to be deleted or without. */
const writeFormer = (leftover: boolean) =>
  looker.evaluate(
    async (name, isLeft) => {
      const raw = await kit.openRaw(name);
      const tx = raw.transaction('sync', 'readwrite');
      const get = tx.objectStore('sync').get('sync');
      get.onsuccess = () => {
        const record = { ...get.result, generations: [], ...(isLeft && { leftover: true }) };
        tx.objectStore('sync').put(record, 'sync');
      };
      await new Promise((resolve) => {
        tx.oncomplete = resolve;
      });
      raw.close();
    },
    `skerry/test/${user}`,
    leftover,
  );

/** Opens the user's database, and waits until an image of it is in a mount. */
async function withImage(): Promise<Page> {
  const page = await opened(profile, stage.url, { user });
  await inStep(page);
  await writeNotes(page, 2500);
  await expect.poll(() => databases(user), { timeout: 60_000 }).toHaveLength(2);
  return page;
}

test('a log-out deletes the images of a former release with its own', async () => {
  const page = await withImage();
  await writeFormer(false);
  await makeImages([`/skerry/test/${user}/0190`, `/skerry/test/${user}/3`]);
  expect(await databases(user)).toHaveLength(4);
  expect(await page.evaluate(() => kit.outcome(() => db.logout()))).toEqual({ ok: true });
  expect(await databases(user)).toEqual([]);
});

test('where the engine lists no databases, no image of this release stays', async () => {
  const page = await withImage();
  await page.evaluate(() => {
    Object.defineProperty(indexedDB, 'databases', { value: undefined });
  });
  expect(await page.evaluate(() => kit.outcome(() => db.logout()))).toEqual({ ok: true });
  expect(await databases(user)).toEqual([]);
});

test('a worker deletes what a former release left, also of databases that are gone', async () => {
  const page = await withImage();
  await page.close();
  await writeFormer(true);
  const gone = `gone-${user}`;
  const former = `/skerry/test/${user}/0190`;
  await makeImages([former, `/skerry/test/${gone}/0191`]);
  const again = await opened(profile, stage.url, { user, times: shortLeases });
  await expect
    .poll(async () => [(await databases(user)).includes(former), await databases(gone)])
    .toEqual([false, []]);
  // Its own image is another one.
  expect((await databases(user)).length).toBeGreaterThanOrEqual(2);
  await again.close();
});
