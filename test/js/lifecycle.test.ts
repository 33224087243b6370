/** The life of a page and of its worker: closed, frozen, brought back, failed; on memory hosts, as sync.test.ts. */
import { ManualTime, type MemoryHost, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { StorageError } from '../../js/core/errors.ts';
import type { Storage } from '../../js/host/storage.ts';
import type { WorkerLink } from '../../js/host/worker-link.ts';
import { connect, world } from './account-world.ts';
import { turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const more = { defaultRealm: 'public' };

test('a window that is closed in the middle of a push lets go of its lease at once, and tells', async () => {
  const { host, server } = world();
  const db = await connect(host, 'anna', more);
  await db.sync.now();
  const lease = () =>
    host.storage.dump('skerry/test/anna', 'sync').find(({ key }) => key === 'push')?.value;
  const told = new Promise((resolve) => {
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
  expect(await told).toMatchObject({ type: 'lease', lease: { owner: null } });
});

test('a page that is frozen ends its worker, and the next one knows what the application wants', async () => {
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

test('a worker that cannot start, because storage or its file are not to be had for a while, is started again by itself', async () => {
  const { host } = world();
  const start = vi.spyOn(host.workers, 'start');
  const { reopen } = host.storage;
  let refusals = 3;
  vi.spyOn(host.storage, 'reopen').mockImplementation((...args) =>
    refusals-- > 0
      ? Promise.reject(new StorageError('storage_refused', 'not now', { retryable: true }))
      : reopen.apply(host.storage, args),
  );
  const db = await connect(host, 'anna', more);
  const made = db.mutate.addCity({ id: 'a', name: 'A' });
  await until(() => db.sync.status.error !== null);
  expect(db.sync.status.error).toMatchObject({ code: 'storage_refused', message: 'not now' });
  expect(db.sync.status.pending).toBe(1);
  // Nobody looks at the page, and the network does not change.
  await made.confirmed;
  expect(db.sync.status.error).toBeNull();
  expect(start).toHaveBeenCalledTimes(4);
});

test('the pause before a failed worker is started again doubles up to a limit, and ends with the database', async () => {
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

test('a page that is frozen keeps no connection, which would hold up whoever deletes or upgrades the database', async () => {
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
