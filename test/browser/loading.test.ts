// Goal: a window loads only its own files of the package, not those of its sync worker, and reports files that a worker
// cannot load. Method: real Chromium.
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { inStep, opened } from './support/kit.ts';
import { Stage } from './support/served.ts';
import { until } from './support/until.ts';

const stage = new Stage();
const { profile } = stage;

/** The files that a window or a worker has asked for, by name, without the hash of chunks, of which several may have one name. */
async function loaded(scope: Page | ReturnType<Page['workers']>[number]): Promise<string[]> {
  const files = await scope.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => new URL(name).pathname.slice(1).replace(/-[A-Z0-9]{8}\./, '.'))
      .filter((file) => /\.(js|wasm)$/.test(file)),
  );
  return [...new Set(files)].sort();
}

test('loads one core in a window and one in its sync worker', async () => {
  const page = await opened(profile, stage.url);
  await inStep(page);

  // The test page is a bundle that holds the window’s part of the package; a worker’s scripts count as its window’s.
  expect(await loaded(page)).toEqual([
    'package-shared.js',
    'package-worker.js',
    'page.js',
    'skerry.wasm',
    'worker.js',
  ]);
  const [worker] = page.workers();
  if (!worker) throw new Error('the window has no worker');
  expect(await loaded(worker)).toEqual(['skerry-sync.wasm']);
  await page.close();
});

test('reports in the status that no image can be made, until one is made', async () => {
  const module = join(stage.served.site.files, 'skerry-image.js');
  renameSync(module, `${module}.away`);
  const page = await opened(profile, stage.url, {
    local: true,
    name: 'no-image',
    times: { retryMax: 500 },
  });
  await page.evaluate(
    () =>
      db.transact((tx) =>
        tx.notes.createMany(Array.from({ length: 5000 }, (_, i) => ({ title: `Note ${i}` }))),
      ).durable,
  );
  await until(page, () => db.sync.status.error !== null, []);
  const { code, message, phase } = await page.evaluate(() => {
    const { error, phase } = db.sync.status;
    return { code: error?.code, message: error?.message, phase };
  });
  expect({ code, phase }).toEqual({ code: 'image', phase: 'idle' });
  expect(message).toMatch('skerry-image.js');

  copyFileSync(`${module}.away`, module);
  await until(page, () => db.sync.status.error === null, []);
  await page.close();
});

test('reports that a worker cannot load its core, and restarts it once it can', async () => {
  const core = join(stage.served.site.files, 'skerry-sync.wasm');
  const content = readFileSync(core);
  rmSync(core);
  const other = new Profile();
  try {
    const page = await opened(other, stage.url);
    await until(page, () => db.sync.status.error !== null, []);

    const error = await page.evaluate(() => {
      const { name, code, message } = db.sync.status.error ?? {};
      return { name, code, message };
    });
    expect(error).toMatchObject({ name: 'UnsupportedError', code: 'wasm' });
    expect(error.message).toMatch('skerry-sync.wasm answered 404.');
    await page.evaluate(() => db.mutate.addNote({ title: 'Kept here' }).durable);
    expect(await page.evaluate(() => db.notes.count())).toBe(1);
    expect(await page.evaluate(() => db.sync.status.pending)).toBe(1);
    writeFileSync(core, content);
    await until(page, () => db.sync.status.pending === 0 && db.sync.status.error === null, []);
  } finally {
    await other.remove();
  }
});
