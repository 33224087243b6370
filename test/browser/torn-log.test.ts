// Goal: after a power cut in the middle of a write, the next start loses only the torn record, and the start after it
// loses nothing, even if the browser dies again as soon as something is durable. At that start, Chromium would drop a log that has
// records after a torn one. Method: a real Chromium, whose log is cut.
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { expect, test, vi } from 'vitest';
import type { StartOptions } from './page/page.ts';
import { bare, opened } from './support/kit.ts';
import { Stage } from './support/served.ts';

const LOCAL: StartOptions = { local: true, name: 'torn' };
/** Without a token nothing reaches the server, which would give it back. */
const REMOTE: StartOptions = { name: 'torn-remote', tokens: [null] };
const TORN_BYTES = 20;
/**
 * Of LevelDB's log: checksum, length, type. Where a length is damaged, the rest is taken for torn, not for damaged
 * (https://github.com/google/leveldb/blob/main/doc/log_format.md).
 */
const RECORD_HEADER_BYTES = 7;

const stage = new Stage();
const { profile } = stage;

/** The logs that Chromium writes to. */
function logs(): string[] {
  const folder = join(profile.folder, 'Default', 'IndexedDB');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(({ name }) => /^\d+\.log$/.test(name))
    .map(({ parentPath, name }) => join(parentPath, name));
}

/**
 * A window that has had Chromium begin a fresh log (js/host/fresh-log.ts): what is added from here on lies in it,
 * and not in a table.
 */
async function openedWithFreshLog(options = LOCAL): Promise<Page> {
  await opened(profile, stage.url, options);
  await profile.kill();
  const [old] = logs() as [string];
  const page = await opened(profile, stage.url, options);
  await expect.poll(logs, { timeout: 10_000, interval: 20 }).not.toContain(old);
  return page;
}

const add = (title: string) => db.mutate.addNote({ title }).durable;

/** A profile that was killed in the middle of a write; returns the path of its log. */
async function torn(options = LOCAL): Promise<string> {
  const page = await openedWithFreshLog(options);
  await page.evaluate(add, 'kept');
  await page.evaluate(add, 'torn');
  await profile.kill();
  const [log] = logs() as [string];
  truncateSync(log, statSync(log).size - TORN_BYTES);
  return log;
}

const stored = (page: Page) =>
  page.evaluate(() => ({
    titles: db.notes.all().map(({ title }) => title),
    dataLost: kit.happened.dataLost,
  }));

/** For a failure: what Chromium has stored, and LevelDB's own report of it. */
const reported = (log: string) => {
  const files = readdirSync(dirname(log)).map(
    (name) => `${name} ${statSync(join(dirname(log), name)).size}`,
  );
  const report = join(dirname(log), 'LOG');
  return [...files, existsSync(report) ? readFileSync(report, 'utf8') : ''].join('\n');
};

test('loses only the record that a power cut tore', async () => {
  const log = await torn();
  const second = await opened(profile, stage.url, LOCAL);
  await second.evaluate(add, 'appended');
  await vi.waitFor(() => expect(logs(), reported(log)).not.toContain(log), {
    ...{ timeout: 10_000, interval: 20 },
  });
  await profile.kill();
  const { titles } = await stored(await opened(profile, stage.url, LOCAL));
  expect(titles).toEqual(expect.arrayContaining(['kept', 'appended']));
});

test.each<[string, StartOptions]>([
  ['without a server', { ...LOCAL, user: 'local' }],
  ['with a sync worker in each window', { ...REMOTE, user: 'lease' }],
  ['with a service worker', { ...REMOTE, user: 'service', serviceWorker: true }],
])('loses nothing that was durable if the browser dies again at once, %s', async (_, options) => {
  await torn(options);
  const second = await bare(profile, stage.url);
  await second.evaluate(async (how) => {
    await kit.start(how);
    await db.mutate.addNote({ title: 'appended' }).durable;
  }, options);
  await profile.kill();
  const { titles, dataLost } = await stored(await opened(profile, stage.url, options));
  expect(titles).toEqual(expect.arrayContaining(['kept', 'appended']));
  expect(dataLost).toEqual([]);
});

test('reports a database that the browser has dropped, and works', async () => {
  const before = await openedWithFreshLog();
  await before.evaluate(add, 'before');
  await profile.kill();
  for (const log of logs()) {
    const bytes = readFileSync(log);
    bytes.fill(0xa5, RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + TORN_BYTES);
    writeFileSync(log, bytes);
  }
  const after = await opened(profile, stage.url, LOCAL);
  expect(await after.evaluate(() => db.notes.count())).toBe(0);
  await expect
    .poll(() => after.evaluate(() => kit.happened.dataLost), { timeout: 5000, interval: 50 })
    .toEqual([expect.stringContaining('The browser dropped what it had stored')]);
  await after.evaluate(add, 'after');
  expect(await after.evaluate(() => db.notes.count())).toBe(1);
});
