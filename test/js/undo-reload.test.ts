/**
 * What can be undone outlives a reload of the page, and nothing else: not in another tab, not for another user, not after a logout.
 * Method: windows on memory hosts with a session that the test holds, and the browser's own session over stubs.
 */

import { afterEach, expect, test, vi } from 'vitest';
import type { SessionHost } from '../../js/host/session.ts';
import { browserSession } from '../../js/host/session.ts';
import { connect, world } from './account-world.ts';
import { until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const key = 'skerry/undo/test';

/** A tab: what its session has. */
class Tab implements SessionHost {
  readonly kept = new Map<string, string>();
  isFull = false;
  take(name: string): string | null {
    const text = this.kept.get(name) ?? null;
    this.kept.delete(name);
    return text;
  }
  keep(name: string, text: string): boolean {
    if (!this.isFull) this.kept.set(name, text);
    return !this.isFull;
  }
}

function opened() {
  const { host, server } = world();
  const tab = new Tab();
  /** A page that is loaded in the tab. */
  const load = async (user = 'anna') => {
    const window = Object.assign(host.window(), { session: tab });
    const db = await connect(window, user, { defaultRealm: 'public' });
    const end = () => window.page.send({ type: 'pagehide', persisted: false });
    return { window, db, end };
  };
  return { host, server, tab, load };
}

test('a page that is loaded again undoes and redoes what the one before it did', async () => {
  const { tab, load } = opened();
  const first = await load();
  first.db.mutate.addCity({ id: 'a', name: 'A' });
  first.db.transact((tx) => tx.cities.update('a', { name: 'B' }));
  await first.db.transact((tx) => tx.cities.update('a', { name: 'C' })).confirmed;
  await first.db.undo()?.confirmed;
  first.end();
  expect([...tab.kept.keys()]).toEqual([key]);
  const { db } = await load();
  expect(tab.kept.size).toBe(0);
  expect([db.canUndo.action?.name, db.canRedo.action?.name]).toEqual([
    ...['skerry/transact', 'skerry/transact'],
  ]);
  db.redo();
  expect(db.cities.get('a')?.name).toBe('C');
  db.undo();
  db.undo();
  expect(db.cities.get('a')?.name).toBe('A');
  db.undo();
  expect([db.cities.get('a'), db.canUndo.value]).toEqual([undefined, false]);
});

test('it is kept while the page is hidden, and no longer', async () => {
  const { tab, load } = opened();
  const { window, db } = await load();
  const see = (visible: boolean) => window.page.send({ type: 'visibility', visible });
  see(false);
  expect(tab.kept.size).toBe(0);
  see(true);
  db.mutate.addCity({ id: 'a', name: 'A' });
  see(false);
  expect(tab.kept.size).toBe(1);
  see(true);
  expect([tab.kept.size, db.canUndo.value]).toEqual([0, true]);
  db.undo();
  db.redo();
  db.undo();
  see(false);
  // What can be redone is kept, too.
  expect(tab.kept.size).toBe(1);
});

test('what the last handlers of a page do is kept, too', async () => {
  const { window, db } = await (async () => {
    const world = opened();
    return { ...(await world.load()), tab: world.tab };
  })();
  window.page.send({ type: 'pagehide', persisted: false }, () => {
    db.mutate.addCity({ id: 'a', name: 'A' });
  });
  expect((window.session as Tab).kept.get(key)).toContain('addCity');
});

test('another tab, and another user in the same one, begin with nothing', async () => {
  const { host, tab, load } = opened();
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const first = await load();
  await first.db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  first.end();
  const other = await connect(Object.assign(host.window(), { session: new Tab() }), 'anna', {
    defaultRealm: 'public',
  });
  expect([other.canUndo.value, other.undo()]).toEqual([false, null]);
  expect(tab.kept.size).toBe(1);
  const { db } = await load('bo');
  expect([db.canUndo.value, tab.kept.size]).toEqual([false, 0]);
  expect(warned).toHaveBeenCalledWith(expect.stringMatching(/of another user/));
});

test('a page that comes back goes on with what another page of the tab has left', async () => {
  const { tab, load } = opened();
  const first = await load();
  await first.db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  await first.db.transact((tx) => tx.cities.update('a', { name: 'B' })).confirmed;
  first.window.page.send({ type: 'pagehide', persisted: true });
  const second = await load();
  await second.db.undo()?.confirmed;
  second.window.page.send({ type: 'pagehide', persisted: true });
  first.window.page.send({ type: 'pageshow', persisted: true });
  await until(() => first.db.canRedo.value);
  expect(first.db.canUndo.action?.name).toBe('addCity');
  expect(tab.kept.size).toBe(0);
  // Where nothing was left, there is nothing to be undone twice.
  first.window.page.send({ type: 'pagehide', persisted: true });
  tab.kept.clear();
  first.window.page.send({ type: 'pageshow', persisted: true });
  await until(() => !first.db.canUndo.value && !first.db.canRedo.value);
});

test('a page that comes back has its own where it could not be kept', async () => {
  const { tab, load } = opened();
  const { db, window } = await load();
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  tab.isFull = true;
  window.page.send({ type: 'pagehide', persisted: true });
  window.page.send({ type: 'pageshow', persisted: true });
  await db.sync.now();
  expect(db.canUndo.value).toBe(true);
});

test('a logout leaves nothing of it', async () => {
  const { tab, load } = opened();
  const { db, window } = await load();
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  window.page.send({ type: 'visibility', visible: false });
  expect(tab.kept.size).toBe(1);
  await db.logout();
  expect(tab.kept.size).toBe(0);
  window.page.send({ type: 'pagehide', persisted: false });
  expect(tab.kept.size).toBe(0);
});

test('a text that is damaged is logged, and the database opens', async () => {
  const { tab, load } = opened();
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  tab.kept.set(key, '{"v":1,');
  const { db } = await load();
  expect([db.canUndo.value, tab.kept.size]).toEqual([false, 0]);
  expect(warned).toHaveBeenCalledWith(expect.stringMatching(/^skerry: What could be undone/));
});

test('a session that is full or forbidden is logged, and throws nothing', () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const values = new Map([['k', 'before']]);
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => values.get(name) ?? null,
    removeItem: (name: string) => values.delete(name),
    setItem: (name: string, text: string) => {
      if (text.length > 3) throw new DOMException('full', 'QuotaExceededError');
      values.set(name, text);
    },
  });
  // What was kept before would be out of date.
  expect([browserSession.keep('k', 'long'), browserSession.take('k')]).toEqual([false, null]);
  expect([browserSession.keep('k', 'new'), browserSession.take('k')]).toEqual([true, 'new']);
  expect(browserSession.take('k')).toBeNull();
  expect(warned).toHaveBeenCalledTimes(1);
  vi.stubGlobal('sessionStorage', undefined);
  expect([browserSession.keep('k', 'new'), browserSession.take('k')]).toEqual([false, null]);
  expect(warned).toHaveBeenCalledTimes(3);
});
