// Goal: a release that drops a table and props and adds others works over the data of the release before: images,
// records, pending changes; with a server, offline, and without a server; and on the way back. Method: real Chromium,
// real server.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Profile, withProfile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { caughtUp, opened, reopened, writeNotes } from './support/kit.ts';
import { TestServer } from './support/server.ts';
import { buildSite, type Site } from './support/site.ts';
import { until } from './support/until.ts';

const NOTES = 5_000;
const CHANGED = { schema: 'changed' } as const;
const LOCAL = { local: true, name: 'local-only' } as const;

interface Row {
  readonly id: string;
  readonly createdAt: string;
  readonly modifiedAt: string;
  readonly title: string;
  readonly rank: number;
  readonly color?: string;
  readonly stars?: number;
  readonly body?: string;
}
interface Sync {
  readonly n: number;
  readonly lacks?: string;
  readonly image: { readonly n: number; readonly layout?: string } | null;
}

let site: Site;
let server: TestServer;
let proxy: FaultProxy;

async function restarted(schema: string): Promise<void> {
  const { data } = server;
  await server.kill();
  server = await TestServer.start({ files: site.files, schema, data });
  proxy.retarget(server.url);
}

beforeAll(async () => {
  site = await buildSite();
  server = await TestServer.start({ files: site.files, schema: site.schema });
  proxy = await FaultProxy.start(server.url);
});
afterEach(() => proxy.rules());
afterAll(async () => {
  await server?.stop();
  await proxy?.close();
  site?.remove();
});

const rows = async (page: Page, table = 'notes') =>
  JSON.parse(await page.evaluate((name) => kit.rowsOf(name), table)) as Row[];
const named = async (page: Page, title: string) =>
  (await rows(page)).find((row) => row.title === title);

async function syncRecord(page: Page, how: { name?: string } = {}): Promise<Sync> {
  const values = await page.evaluate((which) => kit.stored('sync', which), how);
  return values.find((value) => (value as Sync).n !== undefined) as Sync;
}

/** What a release had no place for is in the inbox. */
async function nothingLost(page: Page, inbox = 0): Promise<void> {
  expect(await page.evaluate(() => kit.happened.dataLost)).toEqual([]);
  expect(await page.evaluate(() => db.sync.status.conflicts)).toBe(inbox);
  // A compaction that began while the server was away is tried again later.
  expect([undefined, 'image']).toContain(await page.evaluate(() => db.sync.status.error?.code));
}

const compacted = (page: Page, layout?: string) =>
  expect
    .poll(
      async () => {
        const { image } = await syncRecord(page, LOCAL);
        return image !== null && image.n > 0 && image.layout !== layout;
      },
      { timeout: 30_000, interval: 100 },
    )
    .toBe(true);

test('keeps the rows of both schemas in a local database, and on the way back', () =>
  withProfile(async (profile) => {
    const page = await opened(profile, proxy.url, LOCAL);
    await writeNotes(page, NOTES);
    await page.evaluate(() => db.mutate.addList({ name: 'a list' }).durable);
    await compacted(page);
    const { image } = await syncRecord(page, LOCAL);
    await page.evaluate(() => db.mutate.addNote({ title: 'a record', body: 'text' }).durable);
    const before = await rows(page);

    await reopened(page, { ...LOCAL, ...CHANGED });
    const now = await rows(page);
    expect(now.map(({ title, rank }) => [title, rank])).toEqual(
      before.map(({ title, rank }) => [title, rank]),
    );
    expect(new Set(now.map(({ color }) => color))).toEqual(new Set(['grey']));
    // The image of the former layout is compacted at the first record.
    await page.evaluate(
      () => db.mutate.addNote({ title: 'new', stars: 5, color: 'red' } as never).durable,
    );
    await compacted(page, image?.layout);
    await profile.kill();

    let again = await opened(profile, proxy.url, { ...LOCAL, ...CHANGED });
    expect(await rows(again)).toHaveLength(NOTES + 2);
    expect(await named(again, 'new')).toMatchObject({ stars: 5, color: 'red' });
    await nothingLost(again);

    // The release is rolled back: its added props are not shown, and the former release does not lose them.
    await reopened(again, LOCAL);
    expect(await again.evaluate(() => kit.happened.updateNeeded)).toContain('newer-tab');
    expect(await again.evaluate(() => db.notes.count())).toBe(NOTES + 2);
    await again.evaluate(async () => {
      const id = db.notes.where('title', '=', 'new').first()?.id ?? '';
      await db.mutate.editNote({ id, patch: { rank: 77 } }).durable;
    });
    await profile.kill();
    again = await opened(profile, proxy.url, { ...LOCAL, ...CHANGED });
    expect(await named(again, 'new')).toMatchObject({ stars: 5, color: 'red', rank: 77 });
    await nothingLost(again);
  }));

const dropped = (page: Page) =>
  page.evaluate(() =>
    db.conflicts
      .all()
      .map(({ table, reason, code, mine }) => ({ table: table as string, reason, code, mine })),
  );

async function sameAsNewcomer(page: Page): Promise<void> {
  await withProfile(async (other: Profile) => {
    const newcomer = await opened(other, proxy.url, CHANGED);
    await until(
      newcomer,
      (count) => db.notes.count() === count,
      [(await rows(page)).length],
      60_000,
    );
    await caughtUp(newcomer);
    expect(await rows(newcomer)).toEqual(await rows(page));
    expect(await rows(newcomer, 'tags')).toEqual(await rows(page, 'tags'));
  });
}

test('keeps rows offline over a schema change, pushes pending ones, and converges', () =>
  withProfile(async (profile) => {
    const page = await opened(profile, proxy.url);
    await writeNotes(page, NOTES);
    await page.evaluate(() => db.mutate.addList({ name: 'a list' }).confirmed);
    await page.close();
    await withProfile(async (other) => {
      // Of a client of its own: its rows came by the server's image, and records.
      const client = await opened(other, proxy.url);
      await until(client, (count) => db.notes.count() === count, [NOTES], 60_000);
      await client.evaluate(() => db.mutate.addNote({ title: 'a record', body: 'text' }).confirmed);
      proxy.rules({ path: /^\/v1/, fault: 'refuse' });
      const [first] = await rows(client);
      await client.evaluate(async () => {
        const id = db.notes.where('title', '=', 'a record').first()?.id ?? '';
        await db.mutate.editNote({ id, patch: { body: 'pending', rank: 4 } }).durable;
        // Nothing of these two has a place in the schema to come.
        await db.mutate.editNote({ id, patch: { body: 'also pending' } }).durable;
        await db.mutate.addList({ name: 'pending' }).durable;
      });

      await reopened(client, CHANGED);
      expect(await rows(client)).toHaveLength(NOTES + 1);
      const { id, createdAt, modifiedAt, title } = first as Row;
      expect((await rows(client))[0]).toEqual({
        ...{ id, realm: 'public', createdAt, modifiedAt, title, rank: 0 },
        ...{ color: 'grey', stars: null },
      });
      expect(await named(client, 'a record')).toMatchObject({ rank: 4 });
      expect(await client.evaluate(() => db.sync.status.pending)).toBe(3);

      await restarted(site.changedSchema);
      proxy.rules();
      await caughtUp(client);
      await until(client, () => db.sync.status.pending === 0, [], 30_000);
      expect(await named(client, 'a record')).toMatchObject({ rank: 4, color: 'grey' });
      // Of the other two nothing has a place. They are in the inbox, with what the first one had.
      await until(client, () => db.conflicts.all().length === 3, [], 30_000);
      expect((await dropped(client)).map(({ mine }) => mine)).toEqual(
        expect.arrayContaining([
          { body: 'pending' },
          { body: 'also pending' },
          { name: 'pending' },
        ]),
      );
      await nothingLost(client, 3);
      await client.evaluate(async () => {
        await db.transact((tx) =>
          (tx as unknown as Record<'tags', typeof tx.notes>).tags.create({ label: 'new' } as never),
        ).confirmed;
      });
      await sameAsNewcomer(client);

      // A window of the former release, which the server still accepts, works without the props that it does not know.
      await withProfile(async (third) => {
        const old = await opened(third, proxy.url);
        await until(old, (count) => db.notes.count() === count, [NOTES + 1], 60_000);
        await caughtUp(old);
        await client.evaluate(
          () =>
            db.mutate.addNote({ title: 'of the new', stars: 3, color: 'blue' } as never).confirmed,
        );
        await caughtUp(old);
        expect(await old.evaluate(() => db.notes.count())).toBe(NOTES + 2);
        await nothingLost(old);
        expect((await syncRecord(old)).lacks).toBeDefined();
        await old.evaluate(async () => {
          const id = db.notes.where('title', '=', 'of the new').first()?.id ?? '';
          await db.mutate.editNote({ id, patch: { rank: 9 } }).confirmed;
        });
        // After its update, it has the props that it left out before.
        await reopened(old, CHANGED);
        await caughtUp(old);
        await until(old, (count) => db.notes.count() === count, [NOTES + 2], 30_000);
        expect(await named(old, 'of the new')).toMatchObject({ stars: 3, color: 'blue', rank: 9 });
        expect((await syncRecord(old)).lacks).toBeUndefined();
        await sameAsNewcomer(old);
      });
    });
  }));
