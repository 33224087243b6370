// Goal: a log-out refuses to lose changes and deletes everything else, with a service worker, too; local data are
// adopted once, also when the browser is killed meanwhile; exported files carry changes from one profile to another.
// Method: real Chromium, real server.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { byNight } from '../support/rounds.ts';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, caughtUp, inStep, opened, writeNotes } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { ServiceControl } from './support/service.ts';
import { rowsOnServer } from './support/table.ts';
import { shortLeases } from './support/times.ts';
import { until } from './support/until.ts';

let served: Served;
let proxy: FaultProxy;
let profile: Profile;
let round = 0;
let user = '';

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
});

/** A fresh profile and a user whom the server has never seen. */
function fresh(): void {
  profile = new Profile();
  user = `user-${++round}`;
}

afterEach(async () => {
  proxy.rules();
  proxy.setOffline(false);
  await profile?.remove();
});

afterAll(async () => {
  await proxy?.close();
  await served?.stop();
});

const add = (page: Page, title: string) =>
  page.evaluate((wanted) => db.mutate.addNote({ title: wanted }).durable, title);

interface Note {
  readonly title: string;
  readonly rank: number;
}

/** The notes of the server whose titles begin so. */
async function onServer(prefix: string): Promise<Note[]> {
  const rows = await rowsOnServer<Note>(served.server.url, 'notes');
  return rows.map(({ props }) => props).filter(({ title }) => title.startsWith(prefix));
}

const databases = (page: Page) => page.evaluate((of) => kit.databasesOf(of), user);
const logout = (page: Page, unsynced?: 'keep' | 'discard') =>
  page.evaluate((how) => kit.outcome(() => db.logout(how ? { unsynced: how } : {})), unsynced);
const closed = (page: Page) => until(page, () => kit.happened.closed[0] === 'logout', []);

describe.each([{ serviceWorker: false }, { serviceWorker: true }])('logout, %o', (mode) => {
  const another = async (): Promise<Page> => {
    const page = await opened(profile, proxy.url, { user, ...mode });
    if (mode.serviceWorker) await until(page, () => db.sync.status.mode === 'service-worker', []);
    await inStep(page);
    return page;
  };

  test('rejects a log-out with unsynced changes elsewhere, then deletes all databases', async () => {
    fresh();
    const [one, two] = [await another(), await another()];
    await writeNotes(one, 2500);
    await expect.poll(() => databases(one), { timeout: 60_000 }).toHaveLength(2);
    proxy.setOffline(true);
    await add(two, `${user} guarded`);
    expect(await logout(one)).toMatchObject({ ok: false, code: 'unsynced', typed: true });
    expect(await one.evaluate(() => kit.happened.closed)).toEqual([]);
    proxy.setOffline(false);
    await Promise.all([caughtUp(one), caughtUp(two)]);
    expect(await onServer(`${user} guarded`)).toHaveLength(1);
    expect(await logout(one)).toEqual({ ok: true });
    await Promise.all([closed(one), closed(two)]);
    expect(await databases(two)).toEqual([]);
    // The next log-in starts empty, and fetches the server's rows.
    const again = await another();
    await until(again, () => db.notes.where('title', 'like', '% guarded').count() >= 1, []);
  });

  test('discard deletes unsynced changes with all the rest, and no worker pushes them', async () => {
    fresh();
    const page = await another();
    const looker = await bare(profile, proxy.url);
    proxy.setOffline(true);
    await add(page, `${user} discarded`);
    expect(await logout(page, 'discard')).toEqual({ ok: true });
    proxy.setOffline(false);
    if (mode.serviceWorker) {
      const control = await ServiceControl.of(looker);
      await control.syncEvent(`skerry-sync:skerry/test/${user}`);
      await control.started();
    }
    // Any worker that could still push would do so before this window is in step.
    const other = await opened(profile, proxy.url, { user: `${user}-next`, ...mode });
    await caughtUp(other);
    expect(await onServer(`${user} discarded`)).toEqual([]);
    expect(await databases(looker)).toEqual([]);
  });

  test('keep: pushes nothing until the user is back, and hides it from the next user', async () => {
    fresh();
    const page = await another();
    proxy.setOffline(true);
    await add(page, `${user} kept`);
    expect(await logout(page, 'keep')).toEqual({ ok: true });
    const tokens = await page.evaluate(
      async (of) =>
        (await kit.stored('sync', { user: of })).filter((r) => 'token' in (r as object)),
      user,
    );
    expect(tokens).toEqual([]);
    proxy.setOffline(false);
    const next = await opened(profile, proxy.url, { user: `${user}-next`, ...mode });
    if (mode.serviceWorker) {
      const control = await ServiceControl.of(next);
      await control.syncEvent(`skerry-sync:skerry/test/${user}`);
      await control.started();
    }
    await caughtUp(next);
    const kept = `${user} kept`;
    expect(await next.evaluate((title) => db.notes.where('title', '=', title).count(), kept)).toBe(
      0,
    );
    expect(await onServer(kept)).toEqual([]);
    const back = await another();
    expect(await back.evaluate((title) => db.notes.where('title', '=', title).count(), kept)).toBe(
      1,
    );
    await caughtUp(back);
    expect(await onServer(kept)).toHaveLength(1);
  });
});

/** Says that the page has come to a call, and stays there: for as long as a test takes to kill the browser. */
const standStill = (where: string) => `
  globalThis.standStill = (what) => {
    if (what !== ${JSON.stringify(where)}) return;
    console.log('stands at ' + what);
    for (const end = performance.now() + 30000; performance.now() < end; );
  };
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (value, key) {
    const request = put.call(this, value, key);
    if (key === 'adopted') {
      standStill('copying');
      this.transaction.addEventListener('complete', () => standStill('copied'));
    }
    return request;
  };
  const remove = IDBFactory.prototype.deleteDatabase;
  IDBFactory.prototype.deleteDatabase = function (name) {
    if (name === 'skerry/test/local') standStill('deleting');
    const request = remove.call(this, name);
    if (name.startsWith('/skerry/test/local/')) request.addEventListener('success', () => standStill('emptying'));
    if (name === 'skerry/test/local') request.addEventListener('success', () => standStill('deleted'));
    return request;
  };`;

/** By day at two of the places. */
const killed = ['copying', 'deleting', ...(byNight ? ['copied', 'emptying', 'deleted'] : [])];
test.each(killed)(
  'a browser killed while it adopts local data (%s) loses and doubles nothing',
  async (where) => {
    fresh();
    const total = 4000;
    const page = await opened(profile, proxy.url, { local: true, anonymous: true });
    await page.evaluate(
      (title, count) => {
        const rows = Array.from({ length: count }, (_, i) => ({
          title: `${title} ${i}`,
          body: 'x'.repeat(100),
        }));
        return db.transact((tx) => tx.notes.createMany(rows)).durable;
      },
      user,
      total,
    );
    // Most of it is read out of an image, and a change of one row out of a record behind it.
    await until(
      page,
      async () => (await kit.databasesOf('local')).some((name) => name.startsWith('/')),
      [],
    );
    await page.evaluate((title) => {
      const id = db.notes.where('title', '=', `${title} 7`).first()?.id as string;
      return db.mutate.bump({ id }).durable;
    }, user);
    await page.close();

    const killed = await bare(profile, proxy.url, { script: standStill(where) });
    const stands = new Promise<void>((resolve) =>
      killed.on('console', (message) => {
        if (message.text() === `stands at ${where}`) resolve();
      }),
    );
    const opening = { user, adoptLocal: true, times: shortLeases };
    killed.evaluate((how) => kit.start(how), opening).catch(() => {});
    await stands;
    // Images go first: so none is left without its database, whatever ends now.
    if (where === 'deleting') {
      const looker = await bare(profile, proxy.url);
      const left = await looker.evaluate(() => kit.databasesOf('local'));
      expect(left).toEqual(['skerry/test/local']);
    }
    await profile.kill();

    const again = await opened(profile, proxy.url, opening);
    const count = () =>
      again.evaluate((title) => db.notes.where('title', 'like', `${title} %`).count(), user);
    expect(await count()).toBe(total);
    await caughtUp(again);
    expect(await count()).toBe(total);
    const notes = await onServer(`${user} `);
    expect(notes).toHaveLength(total);
    expect(new Set(notes.map(({ title }) => title)).size).toBe(total);
    expect(notes.filter(({ rank }) => rank !== 0)).toEqual([
      expect.objectContaining({ title: `${user} 7`, rank: 1 }),
    ]);
    expect(await again.evaluate(() => kit.databasesOf('local'))).toEqual([]);
    expect(await again.evaluate(() => db.conflicts.all().length)).toBe(0);
  },
);

test('adopts local data once when two windows log in at once', async () => {
  fresh();
  const page = await opened(profile, proxy.url, { local: true, anonymous: true });
  await add(page, `${user} local`);
  const pages = [await bare(profile, proxy.url), await bare(profile, proxy.url)];
  const opening = { user, adoptLocal: true };
  await Promise.all(pages.map((each) => each.evaluate((how) => kit.start(how), opening)));
  for (const each of pages) {
    await caughtUp(each);
    expect(
      await each.evaluate((title) => db.notes.where('title', '=', `${title} local`).count(), user),
    ).toBe(1);
  }
  expect(await onServer(`${user} local`)).toHaveLength(1);
  expect(await page.evaluate(() => kit.happened.closed)).toEqual(['deleted-or-upgraded']);
  expect(await page.evaluate(() => kit.databasesOf('local'))).toEqual([]);
});

test('counts stuck changes once when two profiles push them, one from an export', async () => {
  fresh();
  const stuck = await opened(profile, proxy.url, { user });
  await add(stuck, `${user} counter`);
  await caughtUp(stuck);
  // Only /v1/ is refused: without the package's files there would be no export.
  proxy.rules({ path: /\/v1\//, fault: 'refuse' });
  const text = await stuck.evaluate(async (title) => {
    const id = db.notes.where('title', '=', `${title} counter`).first()?.id as string;
    for (let i = 0; i < 20; i++) db.mutate.bump({ id });
    await db.mutate.addNote({ title: `${title} stuck` }).durable;
    return (await db.export({ pendingOnly: true })).text();
  }, user);
  expect(JSON.parse(text).content.mutations).toHaveLength(21);
  const elsewhere = new Profile();
  try {
    // Straight to the server: the other profile's cable is out.
    const other = await opened(elsewhere, served.server.url, { user });
    await inStep(other);
    for (let i = 0; i < 2; i++) {
      await other.evaluate((file) => db.import(new Blob([file])), text);
      await caughtUp(other);
    }
    expect(await onServer(`${user} counter`)).toMatchObject([{ rank: 20 }]);
    expect(await onServer(`${user} stuck`)).toHaveLength(1);
    proxy.rules();
    await caughtUp(stuck);
    await caughtUp(other);
    expect(await onServer(`${user} counter`)).toMatchObject([{ rank: 20 }]);
    expect(await onServer(`${user} stuck`)).toHaveLength(1);
    for (const page of [stuck, other]) {
      const rank = await page.evaluate(
        (title) => db.notes.where('title', '=', `${title} counter`).first()?.rank,
        user,
      );
      expect(rank).toBe(20);
      expect(await page.evaluate(() => db.conflicts.all().length)).toBe(0);
    }
  } finally {
    await elsewhere.remove();
  }
});
