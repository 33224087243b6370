/** The life of a page and of its worker: closed, frozen, brought back, failed; on memory hosts, as sync.test.ts. */
import { http } from 'skerry';
import { ManualTime, type MemoryHost, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { StorageError } from '../../js/core/errors.ts';
import type { Storage } from '../../js/host/storage.ts';
import type { WorkerLink } from '../../js/host/worker-link.ts';
import { patience } from '../support/patience.ts';
import { connect, world } from './account-world.ts';
import { turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const more = { defaultRealm: 'public' };

test('a window that is closed during a push releases and announces its lease at once', async () => {
  const { host, server } = world();
  const db = await connect(host, 'anna', more);
  await db.sync.now();
  const lease = () =>
    host.storage.dump('skerry/test/anna', 'sync').find(({ key }) => key === 'push')?.value;
  const released = new Promise((resolve) => {
    host.channels.open('skerry/test/anna', (message) => {
      const { name, outcome } = message as { name?: string; outcome?: string };
      if (name === 'push' && outcome === 'left') resolve(message);
    });
  });
  const pushing = new Promise<void>((resolve) => {
    server.instead = () => {
      resolve();
      return new Promise(() => {});
    };
  });
  db.mutate.addCity({ id: 'a', name: 'A' });
  await pushing;
  expect(lease()).toMatchObject({ owner: expect.any(String) });
  host.page.send({ type: 'pagehide', persisted: false });
  // Nothing that has to be waited for can be counted on.
  expect(lease()).toMatchObject({ owner: null });
  expect(await released).toMatchObject({ type: 'lease', lease: { owner: null } });
});

/** Far shorter than after what time a lease that is not released counts as a dead window's (5 s, and 25 s for `listen`). */
const atOnceMs = Math.min(patience(1500), 4500);

test('another window pushes at once when a database is closed during a push', async () => {
  const { host, server } = world();
  const windows = [await connect(host, 'anna', more), await connect(host.window(), 'anna', more)];
  for (const db of windows) await db.sync.now();
  const pushing = new Promise<void>((resolve) => {
    server.instead = ({ url }) => {
      if (!url.pathname.endsWith('/push')) return null;
      resolve();
      return new Promise(() => {});
    };
  });
  windows[0]?.mutate.addCity({ id: 'a', name: 'A' });
  await pushing;
  await until(() => windows.some((db) => db.sync.status.role === 'holder'));
  const holder = windows.find((db) => db.sync.status.role === 'holder');
  const other = windows.find((db) => db !== holder);
  server.instead = null;
  const start = performance.now();
  const closed = holder?.close();
  await until(() => server.pushed.length === 1);
  expect(performance.now() - start).toBeLessThan(atOnceMs);
  await closed;
  await until(() => other?.sync.status.pending === 0);
  expect(server.pushed).toHaveLength(1);
});

test('no other window waits for a database that is closed at any step of its work', async () => {
  for (let steps = 0; steps < 60; steps += 2) {
    const { host, server } = world();
    const db = await connect(host, 'anna', more);
    const other = await connect(host.window(), 'anna', more);
    for (const each of [db, other]) await each.sync.now();
    const made = db.mutate.addCity({ id: 'a', name: 'A' });
    for (let i = 0; i < steps; i++) await turn();
    const start = performance.now();
    await Promise.all([db.close(), until(() => server.pushed.length === 1)]);
    await until(() => other.sync.status.pending === 0 && other.cities.count() === 1);
    expect([steps, performance.now() - start < atOnceMs]).toEqual([steps, true]);
    await made.durable;
    await other.close();
  }
});

test('a database that is closed while it listens passes the socket on at once', async () => {
  const { host, server } = world();
  const first = await connect(host, 'anna', more);
  await until(() => server.connections === 1);
  const second = await connect(host.window(), 'anna', more);
  await second.sync.now();
  const accept = vi.spyOn(host.network, 'accept');
  const start = performance.now();
  await first.close();
  await until(() => accept.mock.calls.length === 1);
  expect(performance.now() - start).toBeLessThan(atOnceMs);
  await until(() => server.connections === 1);
});

test('a frozen page ends its worker, and the next worker knows the wanted scopes', async () => {
  const { host, server } = world();
  const start = vi.spyOn(host.workers, 'start');
  const db = await connect(host, 'anna', more);
  await db.sync.now();
  db.sync.pause();
  const terminate = vi.spyOn(start.mock.results[0]?.value as WorkerLink, 'terminate');
  host.page.send({ type: 'freeze' });
  expect(terminate).toHaveBeenCalledTimes(1);
  host.page.send({ type: 'resume' });
  await vi.waitFor(() => expect(start).toHaveBeenCalledTimes(2));
  await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
  // As many turns as a push takes several times over.
  for (let i = 0; i < 200; i++) await turn();
  expect(server.pushed).toHaveLength(0);
  db.sync.resume();
  await db.sync.waitForSync();
  expect(server.pushed).toHaveLength(1);
});

test('a worker that has failed is started again when the network is back', async () => {
  const { host } = world();
  let broken = true;
  const failing: MemoryHost = {
    ...host,
    workers: {
      start(url, handlers) {
        if (!broken) return host.workers.start(url, handlers);
        queueMicrotask(() => handlers.onFailed(new Error('not to be had')));
        return { post() {}, terminate() {} };
      },
    },
  };
  const db = await connect(failing, 'anna', more);
  await until(() => db.sync.status.error !== null);
  expect(db.sync.status.error).toMatchObject({ code: 'worker', message: 'not to be had' });
  broken = false;
  host.page.send({ type: 'online', online: true });
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  expect(db.sync.status.error).toBeNull();
});

for (const code of ['storage_refused', 'storage_newer', 'storage_timeout', 'unsupported'] as const)
  test(`a worker that cannot start for a while (${code}) is started again by itself`, async () => {
    const { host } = world();
    const start = vi.spyOn(host.workers, 'start');
    const { reopen } = host.storage;
    const retryable = code === 'storage_timeout';
    let refusals = 3;
    vi.spyOn(host.storage, 'reopen').mockImplementation((...args) =>
      refusals-- > 0
        ? Promise.reject(new StorageError(code, 'not now', { retryable }))
        : reopen.apply(host.storage, args),
    );
    const db = await connect(host, 'anna', more);
    const made = db.mutate.addCity({ id: 'a', name: 'A' });
    await until(() => db.sync.status.error !== null);
    expect(db.sync.status.error).toMatchObject({ code, message: 'not now' });
    expect(db.sync.status.phase === 'blocked').toBe(!retryable);
    expect(db.sync.status.pending).toBe(1);
    // The page is not looked at, and the network does not change.
    await made.confirmed;
    expect(db.sync.status.error).toBeNull();
    expect(start).toHaveBeenCalledTimes(4);
  });

test('the pause before a failed worker restarts doubles, and ends with the database', async () => {
  const time = new ManualTime();
  const host = memory({ time, workerTimes: { retry: 100, retryMax: 400 } });
  const at: number[] = [];
  const failing: MemoryHost = {
    ...host,
    workers: {
      start(_url, handlers) {
        at.push(time.mono());
        queueMicrotask(() => handlers.onFailed(new Error('not to be had')));
        return { post() {}, terminate() {} };
      },
    },
  };
  const db = await connect(failing, 'anna', more);
  for (let i = 0; i < 30; i++) {
    await turn();
    time.advance(100);
  }
  const pauses = at.slice(1).map((ms, i) => ms - (at[i] ?? 0));
  expect(pauses.slice(0, 5)).toEqual([100, 200, 400, 400, 400]);
  await db.close();
  const count = at.length;
  for (let i = 0; i < 10; i++) {
    await turn();
    time.advance(100);
  }
  expect(at).toHaveLength(count);
});

test('a frozen page keeps no connection that blocks a deletion or an upgrade', async () => {
  const { host } = world();
  const open = vi.spyOn(host.storage, 'open');
  await connect(host, 'anna', more);
  const storage = await open.mock.results[0]?.value;
  const suspend = vi.spyOn(storage as Storage, 'suspend');
  host.page.send({ type: 'pagehide', persisted: false });
  expect(suspend).not.toHaveBeenCalled();
  host.page.send({ type: 'freeze' });
  expect(suspend).toHaveBeenCalledTimes(1);
});

/** How many workers run, of those that were started. */
function countWorkers(host: MemoryHost) {
  const state = { started: 0, running: 0, statuses: 0, crash: (_error: Error) => {} };
  const { start } = host.workers;
  const counting: MemoryHost = {
    ...host,
    workers: {
      start(url, handlers) {
        const onMessage = (message: unknown) => {
          if ((message as { type: string }).type === 'status') state.statuses++;
          handlers.onMessage(message);
        };
        const link = start.call(host.workers, url, { ...handlers, onMessage });
        state.started++;
        state.running++;
        state.crash = handlers.onFailed;
        const terminate = () => {
          state.running--;
          link.terminate();
        };
        return { ...link, terminate };
      },
    },
  };
  return { counting, state };
}

test('a page that is frozen or closed again while it resumes starts no worker', async () => {
  const { host } = world();
  const { counting, state } = countWorkers(host);
  const db = await connect(counting, 'anna', more);
  await db.sync.now();
  const send = (...types: ('freeze' | 'resume')[]) => {
    for (const type of types) host.page.send({ type });
  };
  send('freeze', 'resume', 'freeze');
  for (let i = 0; i < 20; i++) await turn();
  expect(state).toMatchObject({ started: 1, running: 0 });
  send('resume', 'freeze', 'resume');
  await db.sync.now();
  expect(state).toMatchObject({ started: 2, running: 1 });
  send('freeze', 'resume');
  await db.close();
  for (let i = 0; i < 20; i++) await turn();
  expect(state).toMatchObject({ started: 2, running: 0 });
});

test('a page that is frozen as its database opens starts its worker on resume', async () => {
  const { host } = world();
  const { counting, state } = countWorkers(host);
  const { on } = host.page;
  vi.spyOn(host.page, 'on').mockImplementation((fn) => {
    queueMicrotask(() => host.page.send({ type: 'freeze' }));
    return on.call(host.page, fn);
  });
  const db = await connect(counting, 'anna', more);
  for (let i = 0; i < 20; i++) await turn();
  expect(state.started).toBe(0);
  host.page.send({ type: 'resume' });
  await db.sync.now();
  expect(state).toMatchObject({ started: 1, running: 1 });
});

test('a storage failure stays in the status, whatever the worker reports', async () => {
  const { host } = world();
  const { counting, state } = countWorkers(host);
  const db = await connect(counting, 'anna', more);
  await db.sync.now();
  host.storage.faults.quota = true;
  await expect(db.mutate.addCity({ id: 'a', name: 'A' }).durable).rejects.toThrow();
  const shown = db.sync.status.error;
  expect(shown?.code).toBe('quota');
  host.page.send({ type: 'visibility', visible: false });
  host.page.send({ type: 'visibility', visible: true });
  for (let i = 0; i < 20; i++) await turn();
  expect(db.sync.status.error).toBe(shown);
  host.page.send({ type: 'freeze' });
  host.page.send({ type: 'resume' });
  await until(() => state.started === 2);
  state.crash(new Error('of the worker'));
  await until(() => state.started === 3);
  const { statuses } = state;
  await until(() => state.statuses > statuses);
  expect(db.sync.status.error).toBe(shown);
  host.storage.faults.quota = false;
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  expect(db.sync.status.error).toBeNull();
});

test('keeps a failed token callback in the status while the worker reports the rest', async () => {
  let fails = true;
  const token = async () => {
    if (fails) throw new Error('offline');
    return 'dev:anna';
  };
  const remote = http('http://server.test/v1', { token });
  const host = memory({ workerTimes: { retry: 60_000, retryMax: 60_000 } });
  const db = await connect(host, 'anna', { ...more, remote });
  await until(() => db.sync.status.error?.code === 'needs_auth');
  for (const visible of [false, true]) host.page.send({ type: 'visibility', visible });
  for (let i = 0; i < 20; i++) await turn();
  expect(db.sync.status.error?.message).toBe('token("start") failed: offline');
  fails = false;
});

test('a worker that fails while its window closes is not waited for later', async () => {
  const time = new ManualTime();
  const host = memory({ time });
  const { counting, state } = countWorkers(host);
  const db = await connect(counting, 'anna', more);
  await until(() => state.started === 1);
  const closing = db.close();
  state.crash(new Error('in the middle of it'));
  await closing;
  expect(time.pending()).toEqual([]);
});

test('a window that is closed while it lacks a token asks for none later', async () => {
  const time = new ManualTime();
  const token = async () => {
    throw new Error('offline');
  };
  const remote = http('http://server.test/v1', { token });
  const db = await connect(memory({ time }), 'anna', { ...more, remote });
  await until(() => db.sync.status.error?.code === 'needs_auth');
  await db.close();
  expect(time.pending()).toEqual([]);
});
