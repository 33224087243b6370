// Goal: what the application's rules find wrong is not pushed, whoever pushes: a window's worker or a service worker, with a window or
// without one, before and after the browser is killed; it is listed in all windows, and goes as soon as it is right. Method: real
// Chromium and a real server that has no rules, with two devices.
import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { bare, caughtUp, inStep } from './support/kit.ts';
import { ServiceControl } from './support/service.ts';
import { rowsOnServer } from './support/table.ts';
import { TwoDevices } from './support/two-devices.ts';
import { until } from './support/until.ts';

const devices = new TwoDevices();
const ruled = { schema: 'ruled' } as const;

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
  const rows = await rowsOnServer<{ rank: number }>(devices.served.server.url, 'notes');
  return rows.find((row) => row.id === id)?.props.rank;
}

describe.each([
  ['lease', false],
  ['service worker', true],
])('with a %s', (_, serviceWorker) => {
  /** A window of this test's device, which has the rule. */
  async function window(): Promise<Page> {
    const page = await devices.open(serviceWorker, ruled);
    await inStep(page);
    return page;
  }
  async function device(): Promise<Page> {
    devices.newDevice();
    return window();
  }
  /** A note of rank ten, which both devices have. */
  async function note(page: Page): Promise<string> {
    const id = await devices.theirs.evaluate(async () => {
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
    devices.proxy.setOffline(true);
    await lower(mine, id, 6);
    expect(await problems(mine, id)).toEqual([]);
    await devices.theirs.evaluate(
      (key) => db.transact((tx) => tx.notes.inc(key, { rank: -6 })).confirmed,
      id,
    );
    devices.proxy.setOffline(false);
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
    await caughtUp(devices.theirs);
    for (const page of [mine, beside, devices.theirs])
      await expect.poll(() => rankOf(page, id)).toBe(1);
  });

  test('it is held and listed after the browser was killed; the rest was pushed', async () => {
    const mine = await device();
    const id = await note(mine);
    await mine.evaluate(
      (key) => db.transact((tx) => tx.notes.update(key, { rank: -1 })).durable,
      id,
    );
    await mine.evaluate(() => db.mutate.addNote({ title: 'apart' }).confirmed);
    await devices.profile.kill();
    const again = await devices.open(serviceWorker, ruled);
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
    const next = await devices.open(serviceWorker);
    await caughtUp(next);
    expect(await onServer(id)).toBe(-1);
  });
});

test('a service worker without a window pushes what is right only', async () => {
  devices.newDevice();
  const page = await devices.open(true, ruled);
  await until(page, () => db.sync.status.mode === 'service-worker', []);
  await inStep(page);
  const looker = await bare(devices.profile, devices.proxy.url);
  const control = await ServiceControl.of(looker);
  devices.proxy.setOffline(true);
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
  devices.proxy.setOffline(false);
  await control.syncEvent(`skerry-sync:skerry/test/${devices.user}`);
  await expect.poll(() => onServer(right), { timeout: 30_000, interval: 50 }).toBe(5);
  const back = await devices.open(true, ruled);
  await expect.poll(() => problems(back, wrong)).toEqual([['A rank of -5 is not allowed.', 1]]);
  expect(await onServer(wrong)).toBeUndefined();
  await back.evaluate(
    (key) => db.transact((tx) => tx.notes.update(key, { rank: 7 })).durable,
    wrong,
  );
  await caughtUp(back);
  expect(await onServer(wrong)).toBe(7);
});
