// Goal: no row of a realm that was taken away stays on the device: not in memory, not in IndexedDB, and not in a file of an
// image, old or new. Granted again, all rows come again, once. Method: a realm that comes as an image of the server's and by
// records, and a search through all databases of the profile for the bytes of its rows.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { inStep, opened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

const profiles = [new Profile(), new Profile()] as const;
let served: Served;
let anna: Page;
let bo: Page;

beforeAll(async () => {
  served = await serveSite();
  anna = await opened(profiles[0], served.server.url, { user: 'anna' });
  bo = await opened(profiles[1], served.server.url, { user: 'bo' });
  for (const page of [anna, bo]) await inStep(page);
});
afterAll(async () => {
  for (const profile of profiles) await profile.remove();
  await served?.stop();
});

/** The stores of the profile in which the text is anywhere. */
const holding = (page: Page, text: string) =>
  page.evaluate((wanted) => kit.storesHolding(wanted), text);

const count = (page: Page, realm: string, wanted: number) =>
  until(
    page,
    (name, many) => db.notes.where('realm', '=', name).count() === many,
    [realm, wanted],
    60_000,
  );

test('rows of a revoked realm leave memory, storage and images, and come again', async () => {
  const secret = 'Ohrwurm-4711';
  const realm = await anna.evaluate(async (text) => {
    const { result } = db.realms.create();
    const rows = Array.from({ length: 2_100 }, (_, i) => ({
      ...{ title: `${text} ${i}`, body: '', rank: i },
      realm: result,
    }));
    await db.transact((tx) => tx.notes.createMany(rows)).confirmed;
    await db.realms.invite(result, 'bo', 'writer').confirmed;
    return result;
  }, secret);
  await count(bo, realm, 2_100);
  await bo.evaluate(
    (name, text) =>
      db.transact((tx) => tx.notes.create({ title: `${text} mine`, realm: name })).confirmed,
    realm,
    secret,
  );
  await count(bo, realm, 2_101);
  expect(await holding(bo, secret)).not.toEqual([]);

  await anna.evaluate((name) => db.realms.remove(name, 'bo').confirmed, realm);
  await count(bo, realm, 0);
  await expect.poll(() => holding(bo, secret), { timeout: 60_000, interval: 200 }).toEqual([]);

  await anna.evaluate((name) => db.realms.invite(name, 'bo', 'reader').confirmed, realm);
  await count(bo, realm, 2_101);
  const seen = await bo.evaluate((name) => {
    const rows = db.notes.where('realm', '=', name).all();
    return [rows.length, new Set(rows.map(({ title }) => title)).size, db.conflicts.all().length];
  }, realm);
  expect(seen).toEqual([2_101, 2_101, 0]);
});
