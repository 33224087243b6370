/** The fresh log of Chromium: what is asked of IndexedDB and in which order, and that nobody waits for it for ever. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

interface Request {
  readonly error: Error | null;
  readonly result: { close(): void };
  onsuccess: ((event: { oldVersion: number }) => void) | null;
  onerror: (() => void) | null;
}

/** What was done, in order. */
let done: string[] = [];
let isThere = false;
let how: 'works' | 'fails' | 'stands still' | 'is ahead' = 'works';
let warned: string[] = [];

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
  done = [];
  warned = [];
  how = 'works';
  class Event {}
  Object.defineProperty(Event.prototype, 'dataLoss', { value: 'none' });
  vi.stubGlobal('IDBVersionChangeEvent', Event);
  vi.stubGlobal('indexedDB', {
    open: (name: string, version: number) => answer(`make ${name} ${version}`, () => true),
    deleteDatabase: (name: string) => answer(`delete ${name}`, () => false),
  });
  vi.spyOn(console, 'warn').mockImplementation((...texts) => void warned.push(texts.join(' ')));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function answer(what: string, then: () => boolean): Request {
  const result = { close: () => void done.push('close') };
  const broken = how === 'fails' ? new Error('the disk is broken') : null;
  const isLater = how === 'is ahead' && what.endsWith(' 2');
  const error = isLater ? new DOMException('a later version', 'VersionError') : broken;
  const request: Request = { error, result, onsuccess: null, onerror: null };
  done.push(what);
  queueMicrotask(() => {
    if (how === 'stands still') return;
    if (error) return request.onerror?.();
    const oldVersion = isThere ? 1 : 0;
    isThere = then();
    request.onsuccess?.({ oldVersion });
  });
  return request;
}

/** As in a window or worker that has just started. */
async function started(): Promise<() => Promise<void>> {
  return (await import('../../js/host/fresh-log.ts')).freshLog;
}

const make = [1, 2, 3, 4].flatMap((version) => [`make skerry-fresh-log ${version}`, 'close']);
const drop = 'delete skerry-fresh-log';

test('deletes what the last start has left, once, and leaves the same for the next', async () => {
  isThere = true;
  const freshLog = await started();
  await Promise.all([freshLog(), freshLog()]);
  await freshLog();
  expect(done).toEqual([drop, ...make]);
  expect(isThere).toBe(true);
});

test('makes a database to delete where the last start has left none', async () => {
  isThere = false;
  await (await started())();
  expect(done).toEqual([drop, ...make, drop, ...make]);
});

test('goes on where another window has made a later version of it meanwhile', async () => {
  isThere = true;
  how = 'is ahead';
  await (await started())();
  expect(done).toEqual([drop, ...make.slice(0, 3)]);
  expect(warned).toEqual([]);
});

test('says that it failed, and lets what waits for it go on', async () => {
  how = 'fails';
  await (await started())();
  expect(warned).toEqual([expect.stringContaining('the disk is broken')]);
});

test('is waited for no longer than two seconds, which is said', async () => {
  how = 'stands still';
  let isOver = false;
  const waiting = (await started())().then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(1999);
  expect([isOver, warned]).toEqual([false, []]);
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  expect(warned).toEqual([expect.stringContaining('longer than 2000 ms')]);
});

test('asks nothing of engines that keep no such log', async () => {
  vi.stubGlobal('IDBVersionChangeEvent', class {});
  await (await started())();
  expect(done).toEqual([]);
});
