// Goal: a database without a remote has its rows after a reload and after SIGKILL, and its records are compacted into
// images, so that a cold start does not fold them one by one. Method: real Chromium.
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { crash } from './support/browser.ts';
import { bare, opened, reopened } from './support/kit.ts';
import { Stage } from './support/served.ts';

const LOCAL = { local: true, name: 'local-only' } as const;
const DATABASE = 'skerry/local-only/tester';
const BATCHES = 4;
const BATCH = 5000;

const stage = new Stage();
const { profile } = stage;

interface Sync {
  readonly n: number;
  readonly image: { readonly n: number; readonly mount: string } | null;
  readonly previous: { readonly mount: string } | null;
}
async function syncRecord(page: Page): Promise<Sync> {
  const values = await page.evaluate((how) => kit.stored('sync', how), LOCAL);
  return values.find((value) => (value as Sync).n !== undefined) as Sync;
}

const write = (page: Page, batch: number) =>
  page.evaluate(
    async (start, count) => {
      const rows = Array.from({ length: count }, (_, i) => ({
        title: `Note ${start + i}`,
        body: 'A body that is long enough to be worth compacting. '.repeat(4),
        rank: start + i,
      }));
      await db.transact((tx) => tx.notes.createMany(rows)).durable;
    },
    batch * BATCH,
    BATCH,
  );

test("compacts a local database's records; a reload and a SIGKILL lose nothing", async () => {
  let page = await opened(profile, stage.url, LOCAL);
  for (let batch = 0; batch < BATCHES; batch++) await write(page, batch);
  await expect
    .poll(async () => (await syncRecord(page)).image?.n ?? 0, { timeout: 30_000, interval: 100 })
    .toBeGreaterThan(0);
  const before = await page.evaluate(() => kit.everything());

  await reopened(page, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe(BATCHES * BATCH);
  expect(await page.evaluate(() => kit.everything())).toBe(before);

  await page.evaluate(() => db.mutate.addNote({ title: 'Just before the power went' }).durable);
  await profile.kill();
  page = await opened(profile, stage.url, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe(BATCHES * BATCH + 1);
  expect(
    await page.evaluate(() => db.notes.where('title', '=', 'Just before the power went').count()),
  ).toBe(1);
  // Its worker would make the images of the tests below.
  await page.close();
});

/** The mounts of its images, and how many files each has. */
const mounts = (page: Page) =>
  page.evaluate(async (prefix) => {
    const found: Record<string, number> = {};
    for (const { name = '' } of await indexedDB.databases()) {
      if (!name.startsWith(prefix)) continue;
      const raw = await kit.openRaw(name);
      const request = raw.transaction('FILE_DATA').objectStore('FILE_DATA').getAllKeys();
      await new Promise((resolve) => {
        request.onsuccess = resolve;
      });
      raw.close();
      const files = request.result.filter((key) => `${key}`.startsWith(name));
      found[name.slice(prefix.length)] = files.length;
    }
    return found;
  }, `/${DATABASE}/`);

/** Resolves when the named mounts have files, and no others. */
const filesAreAsNamed = (page: Page) =>
  expect
    .poll(async () => {
      const { image, previous } = await syncRecord(page);
      const wanted = [image, previous].flatMap((each) => (each ? [each.mount] : [])).sort();
      const found = await mounts(page);
      const full = Object.keys(found).filter((mount) => found[mount] !== 0);
      return full.sort().join() === wanted.join() ? 'as named' : { found, wanted };
    })
    .toBe('as named');

/** A worker's script that hangs forever when an image is written, before the record `sync` names that image. */
const HANG_BEFORE_PUBLISHING = `{
  const { transaction } = IDBDatabase.prototype;
  let written = false;
  IDBDatabase.prototype.transaction = function (stores, mode, ...rest) {
    if (this.name.startsWith('/skerry/') && mode === 'readwrite') written = true;
    const publishes = this.name.startsWith('skerry/') && stores.includes('updates') && mode === 'readwrite';
    if (written && publishes && typeof document === 'undefined') {
      new BroadcastChannel('hangs').postMessage(this.name);
      for (;;);
    }
    return transaction.call(this, stores, mode, ...rest);
  };
}`;

/** Writes until `count` more images are made; gives the number of batches. */
async function imagesMade(page: Page, from: number, count: number): Promise<number> {
  let written = 0;
  for (let more = 0; more < count; more++) {
    const { image } = await syncRecord(page);
    const writeMore = async () => {
      await write(page, from + written++);
      return (await syncRecord(page)).image?.n;
    };
    await expect.poll(writeMore, { timeout: 30_000, interval: 500 }).not.toBe(image?.n);
  }
  return written;
}

test('images are in three mounts, however many are made, of which two have files', async () => {
  const page = await opened(profile, stage.url, LOCAL);
  const before = await page.evaluate(() => db.notes.count());
  const written = await imagesMade(page, 10 * BATCHES, 4);
  await filesAreAsNamed(page);
  expect(Object.keys(await mounts(page)).sort()).toEqual(['1', '2', '3']);
  await reopened(page, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe(before + written * BATCH);
  await page.close();
});

test.each(['the browser', 'the window'])(
  'an image that nothing names is replaced by the next: %s was killed',
  async (what) => {
    const other = await bare(profile, stage.url);
    const hangs = other.evaluate(
      () =>
        new Promise<void>((resolve) => {
          new BroadcastChannel('hangs').onmessage = () => resolve();
        }),
    );
    const page = await opened(profile, stage.url, LOCAL, { script: HANG_BEFORE_PUBLISHING });
    const from = BATCHES * (what === 'the browser' ? 100 : 200);
    let isHanging = false;
    void hangs.then(() => {
      isHanging = true;
    });
    // How much is worth an image depends on how much of the first test's records the last one holds.
    for (let batch = from; batch < from + BATCHES && !isHanging; batch++) {
      await Promise.race([write(page, batch), hangs]);
    }
    await hangs;
    const { image, previous } = await syncRecord(other);
    const full = Object.entries(await mounts(other)).filter(([, files]) => files > 0);
    expect(full.map(([mount]) => mount)).not.toEqual([image?.mount, previous?.mount].sort());
    if (what === 'the browser') await profile.kill();
    else await crash(page);
    const again = await opened(profile, stage.url, LOCAL);
    await imagesMade(again, from + BATCHES, 1);
    await filesAreAsNamed(again);
    expect(Object.keys(await mounts(again)).length).toBeLessThanOrEqual(3);
    expect(
      await again.evaluate((rank) => db.notes.where('rank', '=', rank).count(), from * BATCH),
    ).toBe(1);
    await again.close();
  },
);

const FORMER = '01890000-0000-7000-8000-000000000001';
const ORPHAN = '01890000-0000-7000-8000-000000000002';

/** Moves the image to a database under the name of its generation, as former releases have it, beside one that nothing names. */
const asFormer = (page: Page, former: string, orphan: string) =>
  page.evaluate(
    async (database, name, beside) => {
      const settled = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const files = (db: IDBDatabase) =>
        db.transaction('FILE_DATA', 'readwrite').objectStore('FILE_DATA');
      const make = (path: string) => {
        const request = indexedDB.open(path, 21);
        request.onupgradeneeded = () =>
          request.result.createObjectStore('FILE_DATA').createIndex('timestamp', 'timestamp');
        return settled(request);
      };
      const raw = await kit.openRaw(database);
      const sync = await settled(raw.transaction('sync').objectStore('sync').get('sync'));
      const mount = `/${database}/${sync.image.mount}`;
      const from = await kit.openRaw(mount);
      const to = await make(`/${database}/${name}`);
      for (const key of (await settled(files(from).getAllKeys())) as string[]) {
        const file = key.slice(`${mount}/${sync.image.generation}.`.length);
        if (!key.startsWith(mount)) continue;
        const value = await settled(files(from).get(key));
        await settled(files(to).put(value, `/${database}/${name}/${file}`));
      }
      from.close();
      to.close();
      (await make(`/${database}/${beside}`)).close();
      const { mount: _, ...image } = { ...sync.image, generation: name };
      const { leftover: __, ...rest } = { ...sync, image, previous: null, generations: [] };
      await settled(raw.transaction('sync', 'readwrite').objectStore('sync').put(rest, 'sync'));
      raw.close();
      for (const each of ['1', '2', '3'])
        await settled(indexedDB.deleteDatabase(`/${database}/${each}`));
    },
    DATABASE,
    former,
    orphan,
  );

test('images of a former release are read, and deleted once there are two others', async () => {
  const page = await opened(profile, stage.url, LOCAL);
  await imagesMade(page, 300 * BATCHES, 1);
  await filesAreAsNamed(page);
  const before = await page.evaluate(() => db.notes.count());
  await page.evaluate(() => db.close());
  await asFormer(page, FORMER, ORPHAN);
  expect(Object.keys(await mounts(page)).sort()).toEqual([FORMER, ORPHAN]);
  await reopened(page, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe(before);
  const written = await imagesMade(page, 310 * BATCHES, 1);
  expect((await syncRecord(page)).previous).toMatchObject({ generation: FORMER });
  const more = await imagesMade(page, 320 * BATCHES, 2);
  await expect.poll(async () => Object.keys(await mounts(page)).sort()).toEqual(['1', '2', '3']);
  expect(await syncRecord(page)).not.toHaveProperty('generations');
  await reopened(page, LOCAL);
  expect(await page.evaluate(() => db.notes.count())).toBe(before + (written + more) * BATCH);
  await page.close();
});
