// Goal: clients sync with a server that was restored from a backup, or that lost everything: what they have of the lost history comes
// back, pending changes are applied, and no client waits forever. Method: real Chromium, real server; a realm of many rows; with a
// sync worker in each window, and with a service worker.
import { cpSync, rmSync } from 'node:fs';
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Profile, withProfile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { caughtUp, inStep, opened, writeNotes } from './support/kit.ts';
import { TestServer } from './support/server.ts';
import { buildSite, type Site } from './support/site.ts';
import { until } from './support/until.ts';

// More rows than fit into one answer (src/base/limits.h, kMaxWholeRealmRows): a reset realm comes by image, or in pages.
const BATCHES = 3; // a transaction has at most 10,000 operations
const BATCH = 6_700;
const NOTES = BATCHES * BATCH;
const LOST = 30;

let site: Site;
let server: TestServer;
let proxy: FaultProxy;
/** The server's data folder as the backup was made. */
let backup: string;
const data = () => `${backup}-in-use`;

const start = () => TestServer.start({ files: site.files, schema: site.schema, data: data() });

/** Stops the server, has its data folder changed, and starts it on that. */
async function replaced(change: () => void): Promise<void> {
  await server.stop();
  change();
  server = await start();
  proxy.retarget(server.url);
}

async function setBack(): Promise<void> {
  await replaced(() => {
    rmSync(data(), { recursive: true });
    cpSync(backup, data(), { recursive: true });
  });
}

async function emptied(): Promise<void> {
  await replaced(() => rmSync(data(), { recursive: true }));
}

beforeAll(async () => {
  site = await buildSite();
  const first = await TestServer.start({ files: site.files, schema: site.schema });
  backup = `${first.data}-backup`;
  const writer = new Profile();
  const page = await opened(writer, first.url);
  for (let i = 0; i < BATCHES; i++) await writeNotes(page, BATCH);
  await writer.remove();
  await first.kill();
  cpSync(first.data, backup, { recursive: true });
  rmSync(first.data, { recursive: true });
  cpSync(backup, data(), { recursive: true });
  server = await start();
  proxy = await FaultProxy.start(server.url);
});

afterEach(() => proxy.rules());

afterAll(async () => {
  await server?.stop();
  await proxy?.close();
  site?.remove();
  for (const path of [backup, data()]) if (backup) rmSync(path, { recursive: true, force: true });
});

const ranks = { 'the whole realm': undefined, 'a part of it': 50 } as const;
const wanted = (minRank: number | undefined) => NOTES - BATCHES * (minRank ?? 0);

/** A window that has filled with so many notes. */
async function filled(
  profile: Profile,
  minRank: number | undefined,
  count: number,
  serviceWorker = false,
): Promise<Page> {
  const scope = minRank === undefined ? {} : { minRank };
  const page = await opened(profile, proxy.url, { ...scope, serviceWorker });
  await until(page, (notes) => db.notes.count() === notes, [count], 60_000);
  return page;
}

/** A window with the rows of its scopes, of a server that has the backup's rows and later ones. */
async function ahead(
  profile: Profile,
  minRank: number | undefined,
  serviceWorker = false,
): Promise<Page> {
  await setBack();
  const page = await filled(profile, minRank, wanted(minRank), serviceWorker);
  await writeLost(page);
  await caughtUp(page);
  return page;
}

/** So that the revisions of the restored server alone do not show that something is missing. */
async function writeLost(page: Page): Promise<void> {
  await page.evaluate(async (count) => {
    for (let i = 0; i < count; i++)
      await db.transact((tx) => tx.notes.create({ title: `lost ${i}`, rank: 1000 })).confirmed;
    await db.stream('chat').append('lost').confirmed;
  }, LOST);
}

/** Makes a note that the server does not hear of. */
async function pending(page: Page): Promise<string> {
  return await page.evaluate(async () => {
    db.sync.pause();
    const made = db.transact((tx) => tx.notes.create({ title: 'pending', rank: 1000 }));
    await made.durable;
    return made.result as unknown as string;
  });
}

describe.each(Object.entries(ranks))('a client of %s', (_name, minRank) => {
  test.each([
    ['with a sync worker in each window', false],
    ['with a service worker', true],
  ])('gives back what a restored server has lost, and applies pending changes, %s', (_, service) =>
    withProfile(async (profile) => {
      const page = await ahead(profile, minRank, service);
      await pending(page);
      const isThere = () => db.notes.where('title', '=', 'lost 1').count() === 1;
      expect(await page.evaluate(isThere)).toBe(true);
      await setBack();
      await page.evaluate(() => db.sync.resume());
      const count = wanted(minRank) + LOST + 1;
      await until(page, () => db.sync.status.pending === 0, [], 60_000);
      await until(page, (notes) => db.notes.count() === notes, [count], 60_000);
      await inStep(page);
      expect(await page.evaluate(isThere)).toBe(true);
      expect(await page.evaluate(() => db.sync.status)).toMatchObject({ error: null, lost: [] });
      expect(await page.evaluate(() => db.conflicts.all().length)).toBe(0);
      expect(await page.evaluate(() => db.notes.where('title', '=', 'pending').count())).toBe(1);
      expect(await page.evaluate(() => db.stream('chat').value)).toEqual(['lost']);
      // A newcomer sees the same.
      await withProfile(async (other) => {
        const newcomer = await filled(other, minRank, count);
        await caughtUp(newcomer);
        await until(newcomer, () => db.stream('chat').value.length === 1, []);
        expect(await newcomer.evaluate(() => kit.everything())).toBe(
          await page.evaluate(() => kit.everything()),
        );
      });
    }),
  );
});

// It was emptied on purpose, unless its operator says otherwise (--take-back).
test('gives nothing back to a server that lost everything, and says so', () =>
  withProfile(async (profile) => {
    const page = await ahead(profile, undefined);
    await pending(page);
    await emptied();
    await page.evaluate(() => db.sync.resume());
    await until(page, () => db.notes.count() === 1, [], 60_000);
    await inStep(page);
    expect(await page.evaluate(() => db.notes.first()?.title)).toBe('pending');
    expect(await page.evaluate(() => db.sync.status.error)).toBeNull();
    const told = await page.evaluate(() => db.conflicts.all().map(({ code }) => code));
    expect(told).toEqual(Array.from({ length: LOST + 1 }, () => 'history_lost'));
  }));
