// Goal: a window loads only its own files of the package, not those of its sync worker; the wasm is loaded once for both; and files
// that a worker cannot load are reported. Method: real Chromium.
import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
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

test('loads one core for a window and its sync worker', async () => {
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
  expect(await loaded(worker)).toEqual([]);
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

/** The sync worker as it is, but that it gets no module of its window, and finds the wasm elsewhere. */
const ALONE = `
  const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data');
  Object.defineProperty(MessageEvent.prototype, 'data', {
    get() {
      const data = get.call(this);
      if (data?.type === 'init')
        Object.assign(data.config, { module: null, wasmUrl: new URL('/alone.wasm', location.href).href });
      return data;
    },
  });`;

test('a worker without a module loads it, says if it cannot, and starts once it can', async () => {
  const { files } = stage.served.site;
  writeFileSync(join(files, 'alone.js'), ALONE);
  writeFileSync(join(files, 'alone-worker.js'), "import './alone.js';\nimport './worker.js';\n");
  const other = new Profile();
  try {
    const page = await opened(other, stage.url, { workerUrl: '/alone-worker.js' });
    await until(page, () => db.sync.status.error !== null, []);

    const error = await page.evaluate(() => {
      const { name, code, message } = db.sync.status.error ?? {};
      return { name, code, message };
    });
    expect(error).toMatchObject({ name: 'UnsupportedError', code: 'wasm' });
    expect(error.message).toMatch('alone.wasm answered 404.');
    await page.evaluate(() => db.mutate.addNote({ title: 'Kept here' }).durable);
    expect(await page.evaluate(() => db.notes.count())).toBe(1);
    expect(await page.evaluate(() => db.sync.status.pending)).toBe(1);
    copyFileSync(join(files, 'skerry.wasm'), join(files, 'alone.wasm'));
    await until(page, () => db.sync.status.pending === 0 && db.sync.status.error === null, []);
    const [worker] = page.workers();
    if (!worker) throw new Error('the window has no worker');
    expect(await loaded(worker)).toEqual(['alone.wasm']);
  } finally {
    await other.remove();
  }
});
