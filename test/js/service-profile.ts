// A profile whose windows are closed, and a service worker that starts in it: for the tests of js/worker/service.
import { http } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import type { Write } from '../../js/core/effects.ts';
import type { WorkerSideHost } from '../../js/host/host.ts';
import { memoryLocks } from '../../js/host/memory/memory-locks.ts';
import { type OwnService, ServiceHome } from '../../js/worker/service/service-home.ts';
import { FakeServer } from './fake-server.ts';
import { openApp } from './support.ts';

export const database = 'skerry/test/anna';
const times = { retry: 20, retryMax: 40, idle: 60_000, socketRetry: 20, token: 50 };
let home: ServiceHome | undefined;

/** After each test. */
export async function ended(): Promise<void> {
  await home?.kill();
}

/** A profile whose last window was closed offline, with one change that is not pushed. */
export async function left(keepToken = true): Promise<{ host: MemoryHost; server: FakeServer }> {
  const host = memory({ workerTimes: times });
  const server = new FakeServer(host.network);
  server.accepts = (sent) => sent === 'Bearer of anna';
  const db = await openApp(host, {
    remote: http('http://server.test/v1', { token: async () => 'of anna', keepToken }),
    user: 'anna',
    scopes: 'all',
    defaultRealm: 'public',
    serviceWorker: true,
  });
  await db.sync.now();
  host.network.online = false;
  await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
  await db.close();
  await host.serviceWorker.stop();
  host.network.online = true;
  return { host, server };
}

/** A service worker that starts in it. */
export function started(
  host: MemoryHost,
  more: Partial<WorkerSideHost> = {},
  own: OwnService | null = null,
): ServiceHome {
  const side = { transport: host.network, sockets: host.network, locks: memoryLocks() };
  const exists = (name: string) => host.storage.exists(name);
  home = new ServiceHome({ ...host, ...side, images: false, ...more }, own, () => true, exists);
  return home;
}

/** The failures that windows are notified of. */
export function failures(host: MemoryHost): readonly string[] {
  const reasons: string[] = [];
  host.channels.open(database, (message) => {
    const { type, reason } = message as { type: string; reason: string };
    if (type === 'serviceFailed') reasons.push(reason);
  });
  return reasons;
}

/** Past the package. */
export async function write(host: MemoryHost, one: Write) {
  const storage = await host.storage.open(database, () => {});
  const request = { stores: [one.store], mode: 'readwrite', reads: [] } as const;
  await storage.transact(request, () => ({ type: 'write', writes: [one] }));
  storage.close();
}
