// Goal: what one engine deletes offline is gone in another engine as soon as it is online: a group, with the memberships that
// the deleting window never saw. Method: WebKit and Firefox, with one user, on one server, each with a network of its own.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { until } from './support/checks.ts';
import { firefox } from './support/firefox.ts';
import type { RemoteWindow } from './support/hub.ts';
import { Scene } from './support/scene.ts';
import { webkit } from './support/webkit.ts';

let site: Site;
let first: Scene;
let second: Scene;

beforeAll(async () => {
  site = await buildSite();
  first = await Scene.start(webkit, site);
  second = await first.beside(firefox);
});
afterAll(async () => {
  await second?.stop();
  await first?.stop();
  site?.remove();
});

const kGone = { group: false, people: [], included: 0 };
const shown = (window: RemoteWindow, group: string) => window.call('inGroup', group);

test('a group deleted offline in WebKit is gone in Firefox with its memberships', async () => {
  for (const scene of [first, second]) await scene.begin('lease');
  const deleting = await first.open();
  const showing = await second.open();
  const { group, member } = await showing.call('group', 'Rowers', 'Ada');
  await deleting.call('sees', member);
  first.proxy.setOffline(true);
  await showing.call('member', group, 'Bo');
  await deleting.call('deleteGroup', group);
  expect(await shown(deleting, group)).toEqual(kGone);
  expect(await shown(showing, group)).toEqual({ group: true, people: ['Ada', 'Bo'], included: 2 });
  first.proxy.setOffline(false);
  await deleting.call('now');
  await expect.poll(() => shown(showing, group), { timeout: 30_000 }).toEqual(kGone);
  await until(deleting, ({ pending }) => pending === 0);
  await deleting.call('caughtUp');
  expect(await shown(deleting, group)).toEqual(kGone);
  // The one who deleted it takes that back: the membership that it never saw comes, too.
  await deleting.call('undo');
  const kBack = { group: true, people: ['Ada', 'Bo'], included: 2 };
  for (const window of [deleting, showing])
    await expect.poll(() => shown(window, group), { timeout: 30_000 }).toEqual(kBack);
  await deleting.call('deleteGroup', group);
  await expect.poll(() => shown(showing, group), { timeout: 30_000 }).toEqual(kGone);
  await until(deleting, ({ pending }) => pending === 0);
  await deleting.call('caughtUp');
  // Storage has it no more either: a cold start without a network shows nothing of it.
  // Who added Bo is told that somebody who had not seen it has deleted it (docs/design.md, "Overwritten changes").
  for (const [scene, window, told] of [
    [first, deleting, 0],
    [second, showing, 1],
  ] as const) {
    await scene.close(window);
    scene.proxy.rules({ path: /\/v1\//, fault: 'refuse' });
    const again = await scene.open();
    expect(await shown(again, group)).toEqual(kGone);
    expect(await again.call('notes')).toEqual([]);
    expect((await again.status()).conflicts).toBe(told);
  }
});
