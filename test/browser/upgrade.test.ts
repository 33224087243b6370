// Goal: two releases of the package share one database, of which the newer release has one version more
// (page/next-idb-schema.ts). Method: windows, Workers and service workers of both, the browser killed in the middle of
// an upgrade, and the way back, in real Chromium with a real server. test/contract/upgrade.ts tests storage alone.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseSchema } from '../../js/host/idb-schema.ts';
import type { StartOptions } from './page/page.ts';
import { freeze, type Profile, withProfile } from './support/browser.ts';
import { bare, inStep, opened, reopened } from './support/kit.ts';
import { addNextRelease } from './support/next-release.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

let served: Served;
let url: string;
let next: string;

beforeAll(async () => {
  served = await serveSite();
  await addNextRelease(served.site);
  url = served.server.url;
  next = `${url}/next`;
});
afterAll(() => served?.stop());

const LOCAL = { local: true, name: 'local-only' } as const;

const add = (page: Page, title: string) =>
  page.evaluate((wanted) => db.mutate.addNote({ title: wanted }).durable, title);
const titles = (page: Page) =>
  page.evaluate(() =>
    db.notes
      .all()
      .map(({ title }) => title)
      .sort(),
  );
const happened = (page: Page) => page.evaluate(() => kit.happened);
const started = (page: Page, options: StartOptions) =>
  page.evaluate((how) => kit.outcome(() => kit.start(how)), options);
/** By opening it: `databases()` gives a version that a killed browser has never reached. */
const versionOf = (page: Page, { name = 'test', user = 'tester' }: StartOptions) =>
  page.evaluate(async (wanted) => {
    const raw = await kit.openRaw(wanted);
    raw.close();
    return raw.version;
  }, `skerry/${name}/${user}`);

/** It was notified why, and lost nothing. */
async function madeWay(page: Page): Promise<void> {
  await until(page, () => kit.happened.closed.length > 0, []);
  expect(await happened(page)).toMatchObject({
    updateNeeded: ['newer-tab'],
    closed: ['deleted-or-upgraded'],
    dataLost: [],
    storageFailed: [],
  });
}

/** The former release can do nothing with it, and does nothing. */
async function refusesNewer(page: Page, options: StartOptions): Promise<void> {
  await page.reload({ waitUntil: 'domcontentloaded' });
  const newer = { ok: false, name: 'StorageError', code: 'storage_newer', typed: true };
  expect(await started(page, options)).toMatchObject(newer);
  expect((await happened(page)).updateNeeded).toEqual(['newer-tab']);
  const deleting = await page.evaluate(
    ({ name = 'test', user = 'tester' }) => kit.outcome(() => kit.deleteDatabase(name, { user })),
    options,
  );
  expect(deleting).toMatchObject(newer);
}

describe.each([{ serviceWorker: false }, { serviceWorker: true }])('%o', (mode) => {
  test('closes windows of the former release, and loses nothing', () =>
    withProfile(async (profile) => {
      const user = `meeting-${mode.serviceWorker}`;
      const options = { ...mode, user };
      const old = [await opened(profile, url, options), await opened(profile, url, options)];
      const [first, second] = old as [Page, Page];
      const how = mode.serviceWorker ? 'service-worker' : 'lease';
      await until(first, (wanted) => db.sync.status.mode === wanted, [how]);
      await first.evaluate((title) => db.mutate.addNote({ title }).confirmed, `${user} confirmed`);
      await inStep(second);
      await second.evaluate(() => db.sync.pause());
      await first.evaluate(() => db.sync.pause());
      await add(first, `${user} durable`);
      // A change made at the same moment is stored, and its `durable` resolves.
      const late = second.evaluate(async (prefix) => {
        const kept: string[] = [];
        for (let i = 0; kit.happened.updateNeeded.length === 0; i++) {
          const title = `${prefix} late ${i}`;
          const { ok } = await kit.outcome(() => db.mutate.addNote({ title }).durable);
          if (ok) kept.push(title);
        }
        return kept;
      }, user);
      const page = await opened(profile, next, options);
      for (const one of old) await madeWay(one);
      const known = [`${user} confirmed`, `${user} durable`, ...(await late)].sort();
      expect(await titles(page)).toEqual(expect.arrayContaining(known));
      expect(await versionOf(page, options)).toBe(databaseSchema.length + 1);
      expect(await page.evaluate(() => db.sync.status.error)).toBeNull();
      await inStep(page);
      await refusesNewer(first, options);
      // The service worker is the former release's still: it leaves the database to the windows.
      await page.evaluate(() => db.mutate.addNote({ title: 'of the next' }).confirmed);
      expect(await happened(page)).toMatchObject({ closed: [], updateNeeded: [], dataLost: [] });
    }));
});

test('upgrades while a window is frozen, and closes that when it comes back', () =>
  withProfile(async (profile) => {
    const old = await opened(profile, url, LOCAL);
    await add(old, 'before');
    const { thaw } = await freeze(old);
    const page = await opened(profile, next, LOCAL);
    expect(await titles(page)).toEqual(['before']);
    await thaw();
    await madeWay(old);
  }));

test('rejects an upgrade while a window does not close, and succeeds in the next try', () =>
  withProfile(async (profile) => {
    const old = await opened(profile, url, LOCAL);
    await add(old, 'before');
    // A connection of the page itself, which the package does not close.
    await old.evaluate(async (name) => {
      Object.assign(globalThis, { raw: await kit.openRaw(`skerry/${name}/tester`) });
    }, LOCAL.name);
    const page = await bare(profile, next);
    const blocked = await started(page, LOCAL);
    expect(blocked).toMatchObject({
      name: 'StorageError',
      code: 'storage_blocked',
      message: expect.stringMatching('close them'),
    });
    await madeWay(old);
    await old.evaluate(() => (globalThis as unknown as { raw: IDBDatabase }).raw.close());
    expect(await started(page, LOCAL)).toEqual({ ok: true });
    expect(await titles(page)).toEqual(['before']);
  }));

const NOTES = 200;

/** It never comes further than to the middle, and says when it is there. */
const stopInTheMiddle = `{
  let count = 0;
  globalThis.onRewrite = () => {
    if (++count < ${NOTES / 2}) return;
    console.log('in the middle');
    for (;;);
  };
}`;

async function writeNotes(page: Page): Promise<void> {
  await page.evaluate(async (count) => {
    const body = 'x'.repeat(2000);
    // A record each.
    for (let i = 0; i < count; i++) await db.mutate.addNote({ title: `Note ${i}`, body }).durable;
  }, NOTES);
}

async function killedInTheMiddle(profile: Profile): Promise<void> {
  const page = await bare(profile, next, { script: stopInTheMiddle });
  const middle = new Promise<void>((resolve) => {
    page.on('console', (message) => {
      if (message.text() === 'in the middle') resolve();
    });
  });
  page.evaluate((how) => kit.start(how), LOCAL).catch(() => {});
  await middle;
  await profile.kill();
}

test('leaves the former version whole when the browser is killed in an upgrade', () =>
  withProfile(async (profile) => {
    const old = await opened(profile, url, LOCAL);
    await writeNotes(old);
    const before = await old.evaluate(() => kit.everything());
    const records = await old.evaluate((how) => kit.stored('updates', how), LOCAL);
    expect(records).toHaveLength(NOTES);
    await old.close();

    await killedInTheMiddle(profile);
    const again = await bare(profile, url);
    expect(await versionOf(again, LOCAL)).toBe(databaseSchema.length);
    expect(await again.evaluate((how) => kit.stored('updates', how), LOCAL)).toEqual(records);
    await reopened(again, LOCAL);
    expect(await again.evaluate(() => kit.everything())).toBe(before);
    await again.close();

    await killedInTheMiddle(profile);
    const page = await opened(profile, next, LOCAL);
    expect(await page.evaluate(() => kit.everything())).toBe(before);
    expect(await versionOf(page, LOCAL)).toBe(databaseSchema.length + 1);
    const upgraded = await page.evaluate((how) => kit.stored('updates', how), LOCAL);
    expect(upgraded).toEqual(records.map((record) => ({ ...(record as object), upgraded: true })));
  }));

test('lets the former release delete a database whose upgrade was cut off', () =>
  withProfile(async (profile) => {
    const old = await opened(profile, url, LOCAL);
    await writeNotes(old);
    await old.close();
    await killedInTheMiddle(profile);
    const page = await bare(profile, url);
    const deleting = page.evaluate(
      (name) => kit.outcome(() => kit.deleteDatabase(name, { user: 'tester' })),
      LOCAL.name,
    );
    expect(await deleting).toEqual({ ok: true });
    expect(await page.evaluate(() => kit.databasesOf('tester'))).toEqual([]);
  }));
