// Goal: this build opens databases that former builds have made, without a network, with all rows, pending changes and
// conflicts; and so does the release to come, which upgrades them. Method: fixtures/version-<n>.json, one for each version
// of the database (js/host/idb-schema.ts), made by the last build of that version.
//
// The current build makes a fixture, before the version changes:
//   SKERRY_MAKE_FIXTURE=<commit> npx vitest run --project browser test/browser/fixtures.test.ts
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { databaseSchema } from '../../js/host/idb-schema.ts';
import { withProfile } from './support/browser.ts';
import { type DatabaseFile, dumpDatabases, restoreDatabases } from './support/database-file.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, caughtUp, opened, reopened, writeNotes } from './support/kit.ts';
import { addNextRelease } from './support/next-release.ts';
import { root } from './support/paths.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

/** In a stream: one of another user, one's own, and one that is pending. */
const SAID = ['from the other', 'mine', 'made off line'] as const;
/** More than are pulled as changes: they come as an image. */
const NOTES = 2100;
const USER = { user: 'fixture' } as const;
const DATABASE = 'skerry/test/fixture';
const API = /^\/v1/;

interface Fixture {
  /** The commit of the build. */
  readonly made: string;
  readonly holds: Holds;
  readonly databases: readonly DatabaseFile[];
}

/** The rows of a window over it. */
interface Holds {
  readonly lists: number;
  readonly notes: number;
  /** Of all rows, as a text in a stable order. */
  readonly sha256: string;
  /** Titles of the rows that are not in the image. */
  readonly titles: readonly string[];
  readonly pending: number;
  readonly conflicts: readonly { readonly code: string; readonly table: string | null }[];
  /** Of a stream; absent in fixtures of versions that had none. */
  readonly said?: readonly string[];
}

const folder = join(root, 'test/browser/fixtures');

let served: Served;
let proxy: FaultProxy;

beforeAll(async () => {
  served = await serveSite();
  await addNextRelease(served.site);
  proxy = await FaultProxy.start(served.server.url);
});
afterEach(() => proxy.rules());
afterAll(async () => {
  await proxy?.close();
  await served?.stop();
});

async function holds(page: Page, said: readonly string[] | undefined): Promise<Holds> {
  const shown = (count: number) => db.stream<string>('chat').value.length === count;
  if (said) await until(page, shown, [said.length]);
  const { rows, ...more } = await page.evaluate(() => ({
    rows: kit.everything(),
    lists: db.lists.count(),
    notes: db.notes.count(),
    titles: db.notes
      .orderBy('id')
      .all()
      .map(({ title, body, rank }) => `${title}, ${body}, ${rank}`)
      .filter((text) => !/^Note \d+, x*, \d+$/.test(text)),
    pending: db.sync.status.pending,
    conflicts: db.conflicts.all().map(({ code, table }) => ({ code, table })),
  }));
  return {
    ...more,
    sha256: createHash('sha256').update(rows).digest('hex'),
    ...(said && { said: await page.evaluate(() => [...db.stream<string>('chat').value]) }),
  };
}

/** An image of the server's, records after it, an update that was sent and not answered, and changes after that. */
async function fill(page: Page, other: Page): Promise<void> {
  await writeNotes(other, NOTES);
  await page.evaluate((how) => kit.start(how), USER);
  await until(page, (count) => db.notes.count() === count, [NOTES], 60_000);
  await other.evaluate(() => db.mutate.addNote({ title: 'After the image' }).confirmed);
  const say = (text: string) => db.stream<string>('chat').append(text).confirmed;
  await other.evaluate(say, SAID[0]);
  await page.evaluate(say, SAID[1]);
  await caughtUp(page);
  proxy.rules({ path: API, fault: 'refuse' });
  await page.evaluate(async () => {
    await db.mutate.addList({ name: 'Too late', slug: 'taken' }).durable;
  });
  // Not before: the device would refuse the one that is too late at once.
  await other.evaluate(() => db.mutate.addList({ name: 'Taken', slug: 'taken' }).confirmed);
}

/** A line for each database. */
function textOf({ databases, ...more }: Fixture): string {
  const lines = databases.map((database) => JSON.stringify(database)).join(',\n');
  return `${JSON.stringify(more).slice(0, -1)},\n"databases":[\n${lines}\n]}\n`;
}

test.runIf(process.env['SKERRY_MAKE_FIXTURE'])('a fixture of this build is made', () =>
  withProfile(async (profile) => {
    const other = await opened(profile, served.server.url, { user: 'other' });
    const page = await bare(profile, proxy.url);
    await fill(page, other);
    proxy.rules();
    await until(page, () => db.conflicts.all().length === 1, []);
    await caughtUp(page);
    const cut = proxy.next(/push/);
    proxy.rules({ path: /push/, fault: 'cut-after' }, { path: API, fault: 'refuse' });
    await page.evaluate(() => db.mutate.addNote({ title: 'Sent, and not answered' }).durable);
    await cut;
    await page.evaluate(async () => {
      const { id } = db.notes.where('title', '=', 'After the image').first() ?? { id: '' };
      const [first, second] = db.notes.where('title', 'like', 'Note 1%').orderBy('id').all();
      await db.mutate.bump({ id }).durable;
      await db.mutate.editNote({ id: first?.id ?? '', patch: { body: 'pending' } }).durable;
      await db.mutate.deleteNote({ id: second?.id ?? '' }).durable;
      await db.mutate.addNote({ title: 'Åre', body: 'made off line' }).durable;
    });
    await page.evaluate((text) => db.stream<string>('chat').append(text).durable, SAID[2]);
    const held = await holds(page, SAID);
    expect(held.said).toEqual(SAID);
    await page.evaluate(() => db.close());
    const commit = process.env['SKERRY_MAKE_FIXTURE'] ?? '';
    const databases = await dumpDatabases(page, DATABASE);
    writeFileSync(
      join(folder, `version-${databaseSchema.length}.json`),
      textOf({ made: commit, holds: held, databases }),
    );
  }),
);

const made = readdirSync(folder).filter((file) => file.endsWith('.json'));

test('has a fixture of each version of the database', () => {
  expect(made.sort()).toEqual(databaseSchema.map((_, at) => `version-${at + 1}.json`).sort());
});

/** Of the fixture that is open in the page: everything is there, now and after another start. */
async function holdsAll(page: Page, fixture: Fixture): Promise<void> {
  for (let start = 0; start < 2; start++) {
    await reopened(page, USER);
    expect(await holds(page, fixture.holds.said)).toEqual(fixture.holds);
    expect(await page.evaluate(() => kit.happened)).toMatchObject({
      ...{ dataLost: [], storageFailed: [], updateNeeded: [], closed: [] },
    });
  }
  // New changes are possible: used keys are not used again.
  await page.evaluate(() => db.mutate.addNote({ title: 'of this build' }).durable);
  await reopened(page, USER);
  const { notes, pending, said } = fixture.holds;
  expect(await holds(page, said)).toMatchObject({ notes: notes + 1, pending: pending + 1 });
}

const versionOf = (databases: readonly DatabaseFile[]) =>
  databases.find(({ name }) => name === DATABASE)?.version;

function fixtureOf(file: string): Fixture {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Fixture;
}

test.each(made)('%s: all rows, pending changes and conflicts are there', (file) =>
  withProfile(async (profile) => {
    const fixture = fixtureOf(file);
    proxy.rules({ path: API, fault: 'refuse' });
    const page = await bare(profile, proxy.url);
    await restoreDatabases(page, fixture.databases);
    expect(await dumpDatabases(page, DATABASE)).toEqual(fixture.databases);
    await holdsAll(page, fixture);
  }),
);

/** A database of this build's version, as the upgrade of page/next-idb-schema.ts leaves it. */
function upgraded(database: DatabaseFile): DatabaseFile {
  if (database.name !== DATABASE) return database;
  const added = { name: 'added', indexes: [], next: null, records: [] };
  const stores = database.stores.map((store) =>
    store.name === 'mutations' || store.name === 'updates'
      ? {
          ...store,
          records: store.records.map(
            ([key, value]) => [key, { ...(value as object), upgraded: true }] as const,
          ),
        }
      : store,
  );
  const all = [added, ...stores].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...database, version: databaseSchema.length + 1, stores: all };
}

test.each(made)('%s: the release to come upgrades it, and loses nothing', (file) =>
  withProfile(async (profile) => {
    const fixture = fixtureOf(file);
    proxy.rules({ path: API, fault: 'refuse' });
    const page = await bare(profile, `${proxy.url}/next`);
    await restoreDatabases(page, fixture.databases);
    await page.evaluate((how) => kit.start(how), USER);
    await page.evaluate(() => db.close());
    const after = await dumpDatabases(page, DATABASE);
    expect(versionOf(after)).toBe(databaseSchema.length + 1);
    // Every record. What the steps between have made of one of a former version is for the rows to show.
    if (versionOf(fixture.databases) === databaseSchema.length)
      expect(after).toEqual(fixture.databases.map(upgraded));
    await holdsAll(page, fixture);
  }),
);
