// Goal: the examples work as a newcomer meets them: in several windows and as several people, offline, and after a reload. Method:
// each is built as its package.json says, and served by a real server; real Chromium.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'puppeteer-core';
import { afterEach, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { root } from './support/paths.ts';
import { TestServer } from './support/server.ts';
import { until } from './support/until.ts';

const execute = promisify(execFile);
const examples = join(root, 'examples');
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-example-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Builds the example, and serves it. */
async function serve(name: string): Promise<TestServer> {
  const files = temporary();
  const folder = join(examples, name);
  let schema = join(folder, 'src', 'schema.js');
  if (name === 'plain') {
    await execute('node', ['copy-skerry.js'], { cwd: folder });
    cpSync(join(folder, 'public'), files, { recursive: true });
    schema = join(folder, 'public', 'schema.js');
  } else {
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    await execute('node', [vite, 'build', '--outDir', files, '--emptyOutDir'], { cwd: folder });
  }
  const server = await TestServer.start({ files, schema });
  ends.push(() => server.stop());
  return server;
}

async function visit(server: TestServer, user: string, profile?: Profile): Promise<Page> {
  const own = profile ?? new Profile();
  if (!profile) ends.push(() => own.remove());
  const page = await own.window({ url: server.url, user, unready: true });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.waitForSelector('form');
  return page;
}
const problems: string[] = [];
afterEach(() => expect(problems.splice(0)).toEqual([]));

/** Types into the field of this name, and submits its form. */
async function enter(page: Page, field: string, text: string): Promise<void> {
  const selector = `[aria-label=${JSON.stringify(field)}]`;
  await page.waitForSelector(selector);
  await page.type(selector, text);
  await page.keyboard.press('Enter');
}
async function shows(page: Page, text: string): Promise<void> {
  try {
    await until(page, (wanted) => document.body.innerText.includes(wanted), [text], 20_000);
  } catch (error) {
    const shown = await page.evaluate(() => document.body.innerText);
    throw new Error(`The page shows no ${text}, but:\n${shown}`, { cause: error });
  }
}
/** Everything is at the server, so that a reload, or another device, has it from there. */
const sent = (page: Page) =>
  until(
    page,
    () => {
      const status = document.querySelector('.status')?.textContent ?? 'idle';
      return status.includes('idle') && !status.includes('to send');
    },
    [],
    30_000,
  );

/** How many mutations the page's database has in storage. */
async function storedMutations(): Promise<number> {
  const all = await indexedDB.databases();
  const name = all.find((one) => one.name?.startsWith('skerry/redux-offline/'))?.name ?? '';
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const count = database.transaction('mutations').objectStore('mutations').count();
  await new Promise((resolve) => {
    count.onsuccess = resolve;
  });
  database.close();
  return count.result;
}

test('react-todo: a list that two people share, offline too', async () => {
  const server = await serve('react-todo');
  const ada = await visit(server, 'ada');
  const bo = await visit(server, 'bo');
  await enter(ada, 'New list', 'Boat');
  await enter(ada, 'Add to Boat', 'sails');
  await enter(ada, 'Invite somebody', 'bo');
  await shows(bo, 'sails');
  await shows(bo, 'Shared with ada, bo');
  await bo.setOfflineMode(true);
  await enter(bo, 'Add to Boat', 'rope');
  await bo.click('input[type=checkbox]');
  await shows(bo, 'rope');
  await bo.setOfflineMode(false);
  await shows(ada, 'rope');
  await until(ada, () => document.querySelectorAll('.done').length === 1, [], 30_000);
  await sent(bo);
  await bo.reload();
  await shows(bo, 'rope');
  await bo.setViewport({ width: 360, height: 640 });
  expect(await bo.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

test('redux-offline: a counter and a list in two windows, on two devices, and offline', async () => {
  const server = await serve('redux-offline');
  const profile = new Profile();
  ends.push(() => profile.remove());
  const one = await visit(server, 'ada', profile);
  const two = await visit(server, 'ada', profile);
  const device = await visit(server, 'ada');
  for (let i = 0; i < 3; i++) await one.click('#more');
  const counts = (page: Page, value: string) =>
    until(page, (wanted) => document.querySelector('output')?.textContent === wanted, [value]);
  await counts(two, '3');
  await counts(device, '3');
  await device.setOfflineMode(true);
  await device.click('#less');
  await enter(device, 'What is to be done', 'go offline');
  await counts(device, '2');
  await one.click('#more');
  await counts(two, '4');
  await device.setOfflineMode(false);
  for (const page of [one, two, device]) {
    await counts(page, '3');
    await shows(page, 'go offline');
  }
  await two.reload();
  await counts(two, '3');
});

test('redux-offline: actions that a kill left unsent are pushed once', async () => {
  const server = await serve('redux-offline');
  const profile = new Profile();
  ends.push(() => profile.remove());
  const one = await visit(server, 'ada', profile);
  const device = await visit(server, 'ada');
  const counts = (page: Page, value: string) =>
    until(page, (wanted) => document.querySelector('output')?.textContent === wanted, [value]);
  await one.click('#more');
  await counts(device, '1');
  // The device may show it before its author knows that it was taken.
  await expect.poll(() => one.evaluate(storedMutations)).toBe(0);
  await one.setOfflineMode(true);
  for (let i = 0; i < 3; i++) await one.click('#more');
  await enter(one, 'What is to be done', 'survive');
  await counts(one, '4');
  await expect.poll(() => one.evaluate(storedMutations)).toBe(4);
  await profile.kill();
  await counts(device, '1');
  const again = await visit(server, 'ada', profile);
  await counts(again, '4');
  await shows(again, 'survive');
  await counts(device, '4');
  await shows(device, 'survive');
  await again.reload();
  await counts(again, '4');
  await again.click('#less');
  await counts(device, '3');
});

test('chat: two people, messages from offline, and the past page by page', async () => {
  const server = await serve('chat');
  const ada = await visit(server, 'ada');
  const bo = await visit(server, 'bo');
  for (let i = 1; i <= 60; i++) await enter(ada, 'Message', `line ${i}.`);
  await shows(bo, 'ada: line 60.');
  await bo.setOfflineMode(true);
  await enter(bo, 'Message', 'from the sea');
  await shows(bo, 'bo: from the sea');
  await bo.setOfflineMode(false);
  await shows(ada, 'bo: from the sea');
  // Somebody's own program appends what is no message.
  const said = [null, 7, { text: 8 }].map((arg) => ({ id: randomUUID(), name: 'odd', arg, at: 1 }));
  const odd = {
    ...{ id: randomUUID(), after: { public: null }, base: {}, at: 1, actions: said },
    ops: said.map((_, i) => ({ op: 'append', stream: 'chat', realm: 'public', by: [i] })),
  };
  const pushed = await fetch(new URL('/v1/push', server.url), {
    method: 'POST',
    headers: { authorization: 'Bearer dev:eve', 'content-type': 'application/json' },
    body: JSON.stringify({ client: randomUUID(), schema: 1, epoch: 1, seen: {}, updates: [odd] }),
  });
  expect(await pushed.json()).toMatchObject({ results: [{ status: 'applied' }] });
  await shows(ada, 'eve: (something else)');
  await enter(bo, 'Message', 'nothing is amiss');
  await shows(ada, 'bo: nothing is amiss');
  expect(await ada.$$eval('li', (lines) => lines.length)).toBe(50);
  await ada.click('#earlier');
  await shows(ada, 'line 1.');
  const lines = await ada.$$eval('li', (all) => all.map((one) => one.textContent ?? ''));
  expect(lines).toHaveLength(65);
  expect(lines.filter((line) => line.includes('line'))).toHaveLength(60);
});

test('plain: a page without a bundler, by an import map', async () => {
  const server = await serve('plain');
  const ada = await visit(server, 'ada');
  await shows(ada, 'ada:'); // its script has run
  await enter(ada, 'Note', 'no tools');
  await shows(ada, 'no tools');
  await sent(ada);
  const other = await visit(server, 'ada');
  await shows(other, 'no tools');
  await other.click('[aria-label="Remove no tools"]');
  await until(ada, () => document.querySelectorAll('li').length === 0, [], 30_000);
});

test('they name the versions that are tested, and are short', () => {
  const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
  const own = read(join(root, 'package.json'));
  for (const { name } of readdirSync(examples, { withFileTypes: true }).filter((one) =>
    one.isDirectory(),
  )) {
    const { dependencies } = read(join(examples, name, 'package.json'));
    for (const [dependency, version] of Object.entries(dependencies)) {
      const tested = dependency.startsWith('skerry')
        ? own.version
        : read(join(root, 'node_modules', dependency, 'package.json')).version;
      expect(version, `${dependency} of ${name}`).toBe(tested);
    }
    const folder = join(examples, name, name === 'plain' ? 'public' : 'src');
    const lines = readdirSync(folder, { withFileTypes: true })
      .filter((one) => one.isFile() && !one.name.endsWith('.css'))
      .map((one) => readFileSync(join(folder, one.name), 'utf8').split('\n').length);
    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThan(200);
  }
});
