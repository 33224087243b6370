// Goal: in the demo the last change is undone and done again by keyboard and by buttons, after a reload of others, and never what
// somebody else did; a field keeps its own undo. Method: two browsers, a real server, all by roles and names.

import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { find, press } from './support/by-name.ts';
import { type Served, serveSmallDemo } from './support/small-demo.ts';
import { until } from './support/until.ts';

const likes = () => demo.cities.where('name', '=', 'Tarn').first()?.likes;
const nameOf = () => demo.cities.where('population', '=', 10).orderBy('name').first()?.name;

describe.each([
  ['windows', false],
  ['a service worker', true],
])('where %s push', (_, serviceWorker) => {
  let served: Served;
  const profiles: Profile[] = [];
  let mine: Page;
  let theirs: Page;

  beforeAll(async () => {
    served = await serveSmallDemo({ asksRules: true });
    [mine, theirs] = (await Promise.all(
      ['ada', 'bo'].map(async (user) => {
        const profile = new Profile();
        profiles.push(profile);
        const page = await profile.window({ url: served.server.url, user, serviceWorker });
        await until(page, () => demo.cities.count() === 2, []);
        return page;
      }),
    )) as [Page, Page];
  });
  afterAll(async () => {
    for (const profile of profiles) await profile.remove();
    await served?.stop();
  });

  async function choose(page: Page, city: string): Promise<void> {
    await (await find(page, 'searchbox', 'Search cities')).type(city);
    const isOne = () => document.querySelectorAll('[role=option]').length === 1;
    await until(page, isOne, []);
    await (await find(page, 'listbox', 'List of cities: arrow keys move')).focus();
    await page.keyboard.press('ArrowDown');
    await find(page, 'heading', city);
  }
  const keys = async (page: Page, ...held: ('Control' | 'Shift')[]) => {
    for (const key of held) await page.keyboard.down(key);
    await page.keyboard.press('z');
    for (const key of held) await page.keyboard.up(key);
  };
  const said = async (page: Page, text: string) =>
    until(page, (wanted) => document.querySelector('#undo-said')?.textContent === wanted, [text]);

  test('a like is taken back by keyboard, and given again; that of another stays', async () => {
    await choose(mine, 'Tarn');
    await choose(theirs, 'Tarn');
    for (const page of [mine, theirs]) {
      await press(page, 'button', '♥ Like');
      await page.evaluate(() => demo.sync.waitForSync());
    }
    await mine.evaluate(() => demo.sync.now());
    expect(await mine.evaluate(likes)).toBe(2);
    await keys(mine, 'Control');
    await said(mine, 'Undone: like city.');
    expect(await mine.evaluate(likes)).toBe(1);
    await keys(mine, 'Control', 'Shift');
    await said(mine, 'Done again: like city.');
    expect(await mine.evaluate(likes)).toBe(2);
    await press(mine, 'button', 'Undo');
    await mine.evaluate(() => demo.sync.waitForSync());
    await theirs.evaluate(() => demo.sync.now());
    expect(await theirs.evaluate(likes)).toBe(1);
    await keys(mine, 'Control');
    await said(mine, 'There is nothing to undo.');
  });

  test('a name that another has changed since stays, and that is said', async () => {
    await mine.evaluate(() => {
      const { id } = demo.cities.where('name', '=', 'Loch').first() ?? { id: '' };
      return demo.mutate.editCity({ id, patch: { name: 'Loch Ness' } }).confirmed;
    });
    await theirs.evaluate(async () => {
      await demo.sync.now();
      const { id } = demo.cities.where('name', '=', 'Loch Ness').first() ?? { id: '' };
      await demo.mutate.editCity({ id, patch: { name: 'Loch Lomond' } }).confirmed;
    });
    await mine.evaluate(() => demo.sync.now());
    await press(mine, 'button', 'Undo');
    await said(mine, 'Undone: edit city. What others have changed since stays.');
    expect(await mine.evaluate(nameOf)).toBe('Loch Lomond');
  });

  test('a field keeps its own undo', async () => {
    await press(mine, 'button', '♥ Like');
    const before = await mine.evaluate(likes);
    const field = await find(mine, 'searchbox', 'Search cities');
    await field.type('x');
    await keys(mine, 'Control');
    expect(await mine.evaluate(likes)).toBe(before);
    for (const profile of profiles) expect(profile.problems).toEqual([]);
  });
});
