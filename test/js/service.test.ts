/** Service-worker mode on memory hosts: the real core, its home, and a server in memory. */
import { http } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { FakeServer } from './fake-server.ts';
import { type App, fresh, turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const times = {
  retry: 20,
  retryMax: 40,
  idle: 60_000,
  socketRetry: 20,
  serviceLook: 50,
};

function connect(host: MemoryHost): Promise<App> {
  return fresh(host, {
    remote: http('http://server.test/v1'),
    scopes: 'all',
    defaultRealm: 'public',
    serviceWorker: true,
  });
}

test('the service worker pushes and pulls for all windows', async () => {
  const host = memory({ workerTimes: times });
  const server = new FakeServer(host.network);
  const [one, two] = [await connect(host), await connect(host.window())];
  await one.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  await until(() => two.cities.get('a') !== undefined && two.sync.status.phase === 'idle');
  expect(server.pushed).toHaveLength(1);
  for (const { sync } of [one, two])
    expect(sync.status).toMatchObject({
      mode: 'service-worker',
      modeReason: 'the service worker pushes',
      role: 'none',
    });
  await one.sync.now();
});

test('stopped, it goes on at the next wake; and a sync event needs no window', async () => {
  const host = memory({ workerTimes: times });
  const server = new FakeServer(host.network);
  const db = await connect(host);
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  await host.serviceWorker.stop();
  await db.mutate.addCity({ id: 'b', name: 'B' }).confirmed;
  server.instead = () => ({ status: 503, headers: {}, body: new Uint8Array() });
  await db.mutate.addCity({ id: 'c', name: 'C' }).durable;
  await until(() => db.sync.status.phase === 'waiting');
  await db.close();
  await host.serviceWorker.stop();
  server.instead = null;
  const { pending } = await host.serviceWorker.sync('skerry/test/local');
  expect(pending).toBe(0);
  expect(server.pushed).toHaveLength(3);
});

test('a sync event pushes nothing while all windows are paused, and all if one is not', async () => {
  const host = memory({ workerTimes: times });
  const server = new FakeServer(host.network);
  const [one, two] = [await connect(host), await connect(host.window())];
  await one.sync.now();
  for (const { sync } of [one, two]) sync.pause();
  await until(() => one.sync.status.phase === 'paused' && two.sync.status.phase === 'paused');
  await one.mutate.addCity({ id: 'a', name: 'A' }).durable;
  await host.serviceWorker.sync('skerry/test/local');
  expect(one.sync.status.pending).toBe(1);
  expect(server.pushed).toHaveLength(0);
  two.sync.resume();
  await until(() => two.sync.status.phase !== 'paused');
  await host.serviceWorker.sync('skerry/test/local');
  await until(() => one.sync.status.pending === 0);
  expect(server.pushed).toHaveLength(1);
});

test('a paused window wakes no service worker', async () => {
  const host = memory({ workerTimes: times });
  const server = new FakeServer(host.network);
  const db = await connect(host);
  await db.sync.now();
  db.sync.pause();
  await until(() => db.sync.status.phase === 'paused');
  const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
  await mutation.durable;
  // As many turns as a push takes several times over.
  for (let i = 0; i < 200; i++) await turn();
  expect(server.pushed).toHaveLength(0);
  db.sync.resume();
  await mutation.confirmed;
});

test('windows go back to a service worker that they gave up once it works again', async () => {
  const host = memory({ workerTimes: { ...times, serviceStuck: 100 } });
  const server = new FakeServer(host.network);
  const [one, two] = [await connect(host), await connect(host.window())];
  await one.sync.now();
  host.network.online = false;
  await one.mutate.addCity({ id: 'a', name: 'A' }).durable;
  const both = (mode: string) =>
    until(() => one.sync.status.mode === mode && two.sync.status.mode === mode);
  await both('lease');
  expect(one.sync.status.modeReason).toBe('the service worker does not reach the server');
  host.network.online = true;
  await one.mutate.addCity({ id: 'b', name: 'B' }).confirmed;
  await both('service-worker');
  await two.mutate.addCity({ id: 'c', name: 'C' }).confirmed;
  expect([...server.actions.values()]).toEqual([1, 1, 1]);
});
