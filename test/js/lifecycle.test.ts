/** The life of a page and of its worker: closed, frozen, brought back, failed; on memory hosts, as sync.test.ts. */
import type { MemoryHost } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
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
