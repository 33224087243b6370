// Goal: what the application's rules find wrong is not pushed, whoever pushes: a window's worker or a service worker, with a window or
// without one, before and after the browser is killed; it is listed in all windows, and goes as soon as it is right. Method: real
// Chromium and a real server that has no rules, with two devices.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, caughtUp, inStep, opened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { ServiceControl } from './support/service.ts';
import { rowsOnServer } from './support/table.ts';
import { until } from './support/until.ts';

let served: Served;
let proxy: FaultProxy;
let other: Profile;
let theirs: Page;
let profile: Profile;
let round = 0;

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
  other = new Profile();
  theirs = await opened(other, served.server.url, { user: 'them' });
  await inStep(theirs);
});
afterEach(async () => {
  proxy.rules();
  proxy.setOffline(false);
  await profile?.remove();
});
afterAll(async () => {
  await other?.remove();
  await proxy?.close();
  await served?.stop();
});

/** Other tests have left rows that are wrong in the realm. */
const problems = (page: Page, note: string) =>
  page.evaluate(
    (key) =>
      db.problems.value
        .filter(({ id }) => id === key)
        .map(({ message, mutations }) => [message, mutations.length]),
    note,
  );
const lower = (page: Page, id: string, by: number) =>
  page.evaluate(
    (note, less) => db.transact((tx) => tx.notes.inc(note, { rank: -less })).durable,
    ...([id, by] as const),
  );
const rankOf = (page: Page, id: string) => page.evaluate((note) => db.notes.get(note)?.rank, id);
async function onServer(id: string): Promise<number | undefined> {
  const rows = await rowsOnServer<{ rank: number }>(served.server.url, 'notes');
  return rows.find((row) => row.id === id)?.props.rank;
}

describe.each([
  ['lease', false],
  ['service worker', true],
])('with a %s', (_, serviceWorker) => {
  /** A window of this test's device, which has the rule. */
  async function window(): Promise<Page> {
    const options = { user: `me-${round}`, serviceWorker, schema: 'ruled' as const };
    const page = await opened(profile, proxy.url, options, { serviceWorker });
    await inStep(page);
    return page;
  }
  async function device(): Promise<Page> {
    profile = new Profile();
    round++;
    return window();
  }
  /** A note of rank ten, which both devices have. */
  async function note(page: Page): Promise<string> {
    const id = await theirs.evaluate(async () => {
      const made = db.transact((tx) => tx.notes.create({ title: 'ranked', rank: 10 }));
      await made.confirmed;
      return made.result;
    });
    await caughtUp(page);
    return id;
  }

  test('what others did makes a change wrong: all windows list it, one mends it', async () => {
    const mine = await device();
    const beside = await window();
    const id = await note(mine);
    await caughtUp(beside);
    proxy.setOffline(true);
    await lower(mine, id, 6);
    expect(await problems(mine, id)).toEqual([]);
    await theirs.evaluate(
      (key) => db.transact((tx) => tx.notes.inc(key, { rank: -6 })).confirmed,
      id,
    );
    proxy.setOffline(false);
    await mine.evaluate(() => kit.outcome(() => db.sync.now()));
    for (const page of [mine, beside])
      await expect.poll(() => problems(page, id)).toEqual([['A rank of -2 is not allowed.', 1]]);
    expect(
      await mine.evaluate(() => kit.outcome(() => db.sync.waitForSync({ timeoutMs: 30_000 }))),
    ).toMatchObject({ code: 'held', name: 'ValidationError' });
    expect(await onServer(id)).toBe(4);
    await beside.evaluate((key) => db.transact((tx) => tx.notes.inc(key, { rank: 3 })).durable, id);
    for (const page of [mine, beside]) await expect.poll(() => problems(page, id)).toEqual([]);
    await caughtUp(mine);
    await caughtUp(theirs);
    for (const page of [mine, beside, theirs]) await expect.poll(() => rankOf(page, id)).toBe(1);
  });

  test('it is held and listed after the browser was killed; the rest was pushed', async () => {
    const mine = await device();
    const id = await note(mine);
    await mine.evaluate(
      (key) => db.transact((tx) => tx.notes.update(key, { rank: -1 })).durable,
      id,
    );
    await mine.evaluate(() => db.mutate.addNote({ title: 'apart' }).confirmed);
    await profile.kill();
    const again = await opened(
      profile,
      proxy.url,
      { user: `me-${round}`, serviceWorker, schema: 'ruled' },
      { serviceWorker },
    );
    await expect.poll(() => problems(again, id)).toEqual([['A rank of -1 is not allowed.', 1]]);
    await again.evaluate(() => kit.outcome(() => db.sync.now()));
    expect(await onServer(id)).toBe(10);
    await again.evaluate(
      (key) => db.transact((tx) => tx.notes.update(key, { rank: 1 })).durable,
      id,
    );
    await caughtUp(again);
    expect(await onServer(id)).toBe(1);
  });

  test('a release without the rule pushes what an earlier one has held', async () => {
    const mine = await device();
    const id = await note(mine);
    await mine.evaluate(
      (key) => db.transact((tx) => tx.notes.update(key, { rank: -1 })).durable,
      id,
    );
    await mine.close();
    const next = await opened(
      profile,
      proxy.url,
      { user: `me-${round}`, serviceWorker },
      { serviceWorker },
    );
    await caughtUp(next);
    expect(await onServer(id)).toBe(-1);
  });
});

test('a service worker without a window pushes what is right only', async () => {
  profile = new Profile();
  round++;
  const user = `me-${round}`;
  const options = { user, serviceWorker: true, schema: 'ruled' as const };
  const page = await opened(profile, proxy.url, options, { serviceWorker: true });
  await until(page, () => db.sync.status.mode === 'service-worker', []);
  await inStep(page);
  const looker = await bare(profile, proxy.url);
  const control = await ServiceControl.of(looker);
  proxy.setOffline(true);
  const [right, wrong] = await page.evaluate(async () => {
    const made = [5, -5].map((rank) =>
      db.transact((tx) => tx.notes.create({ title: 'without a window', rank })),
    );
    await Promise.all(made.map(({ durable }) => durable));
    return made.map(({ result }) => result) as [string, string];
  });
  await until(page, () => db.sync.status.phase === 'waiting', []);
  await page.close();
  await control.stop();
  proxy.setOffline(false);
  await control.syncEvent(`skerry-sync:skerry/test/${user}`);
  await expect.poll(() => onServer(right), { timeout: 30_000, interval: 50 }).toBe(5);
  const back = await opened(profile, proxy.url, options, { serviceWorker: true });
  await expect.poll(() => problems(back, wrong)).toEqual([['A rank of -5 is not allowed.', 1]]);
  expect(await onServer(wrong)).toBeUndefined();
  await back.evaluate(
    (key) => db.transact((tx) => tx.notes.update(key, { rank: 7 })).durable,
    wrong,
  );
  await caughtUp(back);
  expect(await onServer(wrong)).toBe(7);
});
