// Goal: after a power cut in the middle of a write, the next start loses only the torn record, and the start after it
// loses nothing. At that start, Chromium would drop a log that has records after a torn one. Method: a real Chromium,
// whose log is cut.
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { opened } from './support/kit.ts';
import { Stage } from './support/served.ts';

const LOCAL = { local: true, name: 'torn' } as const;
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
 * A window whose worker has had Chromium begin a fresh log (js/host/fresh-log.ts): what is added from here on lies in it,
 * and not in a table.
 */
async function openedWithFreshLog(): Promise<Page> {
  await opened(profile, stage.url, LOCAL);
  await profile.kill();
  const [old] = logs() as [string];
  const page = await opened(profile, stage.url, LOCAL);
  await expect.poll(logs, { timeout: 10_000, interval: 20 }).not.toContain(old);
  return page;
}

test('loses only the record that a power cut tore', async () => {
  const add = (title: string) => db.mutate.addNote({ title }).durable;
  const first = await openedWithFreshLog();
  await first.evaluate(add, 'kept');
  await first.evaluate(add, 'torn');
  await profile.kill();
  const [torn] = logs() as [string];
  truncateSync(torn, statSync(torn).size - TORN_BYTES);

  const second = await opened(profile, stage.url, LOCAL);
  await second.evaluate(add, 'appended');
  await expect.poll(logs, { timeout: 10_000, interval: 20 }).not.toContain(torn);
  await profile.kill();

  const third = await opened(profile, stage.url, LOCAL);
  const titles = await third.evaluate(() => db.notes.all().map(({ title }) => title));
  expect(titles).toEqual(expect.arrayContaining(['kept', 'appended']));
});

test('reports a database that the browser has dropped, and works', async () => {
  const add = (title: string) => db.mutate.addNote({ title }).durable;
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
