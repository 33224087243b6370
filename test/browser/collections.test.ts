// Goal: collections of TanStack DB in real browsers: what one window inserts, changes and deletes comes into the live queries of
// another window and another device; what was made without a network is there after a restart; what the server refuses goes
// out of a collection again. Method: two windows of one profile and one of another, with joins over two collections.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { inStep, opened, reopened } from './support/kit.ts';
import { Stage } from './support/served.ts';
import { until } from './support/until.ts';

const stage = new Stage();
const other = new Profile();
let proxy: FaultProxy | undefined;
const pages: Page[] = [];
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
  await proxy?.close();
});
afterAll(() => other.remove());

async function collecting(page: Page): Promise<Page> {
  await inStep(page);
  await page.addScriptTag({ url: '/collections.js', type: 'module' });
  await until(page, () => globalThis.openCollections !== undefined, []);
  await page.evaluate(() => openCollections());
  return page;
}
const joined = (page: Page) =>
  page.evaluate(() => collections.inLists.toArray.map(({ title, list }) => `${list}: ${title}`));

async function scene(serviceWorker: boolean) {
  const user = `collects-${serviceWorker}`;
  const options = { user, serviceWorker };
  proxy = await FaultProxy.start(stage.url);
  for (const [profile, url] of [
    [stage.profile, proxy.url],
    [stage.profile, proxy.url],
    [other, stage.url],
  ] as const)
    pages.push(await collecting(await opened(profile, url, options, { serviceWorker })));
  const [mine, beside, theirs] = pages as [Page, Page, Page];
  return { mine, beside, theirs, network: proxy, options };
}

describe.each([
  ['lease', false],
  ['service worker', true],
])('with a %s', (mode, serviceWorker) => {
  test('rows come, change and go in every window’s live queries, also after a restart', async () => {
    const { mine, beside, theirs, network, options } = await scene(serviceWorker);
    const list = await mine.evaluate(async (name) => {
      const [inside, note] = [crypto.randomUUID(), crypto.randomUUID()];
      await collections.lists.insert({ id: inside, name }).isPersisted.promise;
      await collections.notes.insert({ id: note, title: 'first', list: inside }).isPersisted
        .promise;
      return { id: inside, note };
    }, mode);
    for (const page of pages) await expect.poll(() => joined(page)).toEqual([`${mode}: first`]);
    await theirs.evaluate(
      (id) =>
        collections.notes.update(id, (note) => {
          note.title = 'changed';
        }).isPersisted.promise,
      list.note,
    );
    for (const page of pages) await expect.poll(() => joined(page)).toEqual([`${mode}: changed`]);
    network.setOffline(true);
    await beside.evaluate(async (id) => {
      collections.notes.insert({ id: crypto.randomUUID(), title: 'offline', list: id });
      await collections.lists.update(id, (row) => {
        row.name = 'renamed';
      }).isPersisted.promise;
    }, list.id);
    const both = ['renamed: changed', 'renamed: offline'];
    const sorted = async (page: Page) => (await joined(page)).sort();
    await expect.poll(() => sorted(mine)).toEqual(both);
    network.setOffline(false);
    await reopened(beside, options);
    await collecting(beside);
    for (const page of pages) await expect.poll(() => sorted(page)).toEqual(both);
    await theirs.evaluate((id) => collections.lists.delete(id).isPersisted.promise, list.id);
    for (const page of pages) await expect.poll(() => joined(page)).toEqual([]);
    for (const page of pages) expect(await page.evaluate(() => collections.notes.size)).toBe(0);
  });

  test('a rejected change leaves the collection, and goes to the inbox', async () => {
    const { mine, beside, theirs, network } = await scene(serviceWorker);
    const slug = `taken-${serviceWorker}`;
    network.setOffline(true);
    const insert = (page: Page, name: string) =>
      page.evaluate(
        (called, taken) =>
          collections.lists.insert({ id: crypto.randomUUID(), name: called, slug: taken })
            .isPersisted.promise,
        name,
        slug,
      );
    await insert(mine, 'mine');
    await theirs.evaluate(
      (name, taken) => db.mutate.addList({ name, slug: taken }).confirmed,
      'theirs',
      slug,
    );
    network.setOffline(false);
    const named = (page: Page) =>
      page.evaluate(
        (taken) =>
          collections.lists.toArray.filter((list) => list.slug === taken).map(({ name }) => name),
        slug,
      );
    for (const page of pages) await expect.poll(() => named(page)).toEqual(['theirs']);
    // A window reads the inbox after the rows: the entry comes a moment later than the row goes.
    const inbox = (page: Page) =>
      page.evaluate(() => db.conflicts.all().map(({ mine }) => mine?.['name']));
    for (const page of [mine, beside]) await expect.poll(() => inbox(page)).toEqual(['mine']);
  });
});
