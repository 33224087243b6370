// Goal: the page does not crash or hang, reports what is wrong, and keeps everything that was not touched. Method: a
// server that answers nonsense, and another script of the origin that writes nonsense into every store and onto the
// channel.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { type Fault, FaultProxy } from './support/fault-proxy.ts';
import { bare, caughtUp, inStep, opened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { rowsOnServer } from './support/table.ts';
import { until } from './support/until.ts';

let served: Served;
let proxy: FaultProxy;
const profile = new Profile();
const times = { fetch: 3000, retry: 100, retryMax: 500 };

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
});

afterAll(async () => {
  await profile.remove();
  await proxy?.close();
  await served?.stop();
});

const titles = async () =>
  (await rowsOnServer<{ title: string }>(served.server.url, 'notes')).map(
    ({ props }) => props.title,
  );

test('keeps the page working under any faulty answers, reports them, and recovers', async () => {
  const page = await opened(profile, proxy.url, { times });
  await inStep(page);
  const faults: Fault[] = ['html', 'gibberish', 'wrong', 'endless', 'drip'];
  for (const fault of faults) {
    proxy.rules({ path: /\/v1\/(push|pull)/, fault });
    const id = await page.evaluate(async (title) => {
      const { result, durable } = db.mutate.addNote({ title });
      await durable;
      return result;
    }, fault);
    await until(page, () => db.sync.status.error !== null, []);
    const told = await page.evaluate((note) => {
      const { code, message } = db.sync.status.error ?? { code: '', message: '' };
      return { code, message, title: db.notes.get(note)?.title };
    }, id);
    expect(told.title).toBe(fault);
    expect(told.message).not.toBe('');
    const codes = {
      endless: 'too_large',
      drip: 'timeout',
      html: 'not_json',
      gibberish: 'not_json',
    };
    expect(told.code).toBe((codes as Record<string, string>)[fault] ?? 'bad_answer');
    proxy.rules();
    await page.evaluate(() => kit.outcome(() => db.sync.now()));
    await inStep(page);
    await until(page, () => db.sync.status.error === null, []);
  }
  expect((await titles()).sort()).toEqual([...faults].sort());
  await page.evaluate(() => db.close());
  await page.close();
});

/** Writes nonsense of every kind that a structured clone can hold into every store, under keys of its own. */
async function scribble(page: Page, onto: 'stores' | 'sync'): Promise<number> {
  return page.evaluate(async (where) => {
    const cyclic: Record<string, unknown> = { v: 1 };
    cyclic['self'] = cyclic;
    let shared: unknown = { v: 1 };
    let deep: unknown = 'deep';
    for (let i = 0; i < 60; i++) shared = [shared, shared];
    for (let i = 0; i < 300; i++) deep = { id: deep };
    const values = [
      null,
      -1,
      10n,
      Number.NaN,
      '',
      new Date(),
      new Map(),
      [undefined],
      new Blob(['x']),
      { v: 1, id: 7, body: 'x', mutations: null, realms: {}, n: 2 ** 53, key: {} },
      cyclic,
      shared,
      deep,
    ];
    const raw = await kit.openRaw('skerry/test/tester');
    const names = where === 'sync' ? ['sync'] : ['mutations', 'outbox', 'updates', 'conflicts'];
    const tx = raw.transaction(names, 'readwrite');
    for (const name of names) {
      values.forEach((value, i) => {
        const store = tx.objectStore(name);
        const keys = where === 'sync' ? ['push', 'image', 'listen', 'service', 'token'] : [];
        if (where === 'sync') store.put(value, keys[i] ?? `other-${i}`);
        else for (const key of [1e6 + i, `key-${i}`, [i], new Date(i)]) store.put(value, key);
      });
    }
    await new Promise<void>((resolve, reject) => {
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error);
    });
    raw.close();
    return values.length;
  }, onto);
}

test('keeps everything else when nonsense is written into every store', async () => {
  const first = await opened(profile, proxy.url, { times });
  proxy.setOffline(true);
  await first.evaluate(() => db.mutate.addNote({ title: 'kept through it' }).durable);
  await first.evaluate(() => db.close());
  await scribble(first, 'stores');
  await scribble(first, 'sync');
  await first.close();
  proxy.setOffline(false);
  const page = await opened(profile, proxy.url, { times });
  await until(page, () => db.notes.where('title', '=', 'kept through it').count() === 1, []);
  await expect.poll(titles, { timeout: 60_000 }).toContain('kept through it');
  // The inbox shows entries that it cannot read, and every entry can be discarded.
  await page.evaluate(async () => {
    for (const { id } of db.conflicts.all()) await db.conflicts.resolve(id, 'discard');
  });
  await scribble(page, 'stores');
  await page.evaluate(() => db.mutate.addNote({ title: 'made in the middle of it' }).durable);
  await expect.poll(titles, { timeout: 60_000 }).toContain('made in the middle of it');
  expect(await page.evaluate(() => kit.happened.closed)).toEqual([]);
  await page.evaluate(() => db.close());
  await page.close();
});

test('replaces a damaged `sync` record, and reports it', async () => {
  const page = await opened(profile, proxy.url, { times });
  await caughtUp(page);
  await page.evaluate(() => db.close());
  await page.evaluate(async () => {
    const raw = await kit.openRaw('skerry/test/tester');
    const tx = raw.transaction('sync', 'readwrite');
    tx.objectStore('sync').put({ v: 1, n: 'many', image: { parts: 5 }, cursors: 7 }, 'sync');
    await new Promise<void>((resolve) => {
      tx.oncomplete = () => resolve();
    });
    raw.close();
  });
  await page.evaluate((how) => kit.start(how), { times });
  await page.evaluate(() => db.mutate.addNote({ title: 'after it' }).confirmed);
  const wanted = (await titles()).length;
  await until(page, (count) => db.notes.count() === count, [wanted]);
  expect(await page.evaluate(() => db.sync.status.error)).toBeNull();
  expect(await page.evaluate(() => kit.happened.dataLost)).not.toEqual([]);
  await page.evaluate(() => db.close());
  await page.close();
});

test('ignores nonsense on the channel', async () => {
  const page = await opened(profile, proxy.url, { times });
  const other = await opened(profile, proxy.url, { times });
  const stranger = await bare(profile, proxy.url);
  await stranger.evaluate(() => {
    const channel = new BroadcastChannel('skerry/test/tester');
    const cyclic: Record<string, unknown> = { type: 'record' };
    cyclic['record'] = cyclic;
    let shared: unknown = {};
    for (let i = 0; i < 60; i++) shared = [shared, shared];
    const lease = { owner: 5, epoch: Number.NaN };
    for (const message of [
      null,
      7,
      'x',
      10n,
      [],
      {},
      { type: 5 },
      cyclic,
      { type: 'record', record: { n: 1e9, body: 'x', confirmed: 7 } },
      { type: 'added', items: [null, { id: 'x', key: 3, record: { body: new Uint8Array(9) } }] },
      { type: 'status', shared, n: 5 },
      { type: 'lease', name: 'push', lease },
      { type: 'logged', n: 2 ** 53, cursors: null },
      { type: 'pushed', results: [{ mutations: 7, status: {} }] },
      { type: 'synced', id: null },
    ])
      channel.postMessage(message);
  });
  await page.evaluate(() => db.mutate.addNote({ title: 'said in the noise' }).confirmed);
  await until(other, () => db.notes.where('title', '=', 'said in the noise').count() === 1, []);
  for (const window of [page, other]) {
    expect(await window.evaluate(() => kit.happened.closed)).toEqual([]);
    await window.evaluate(() => db.close());
    await window.close();
  }
  await stranger.close();
});
