/**
 * For tests: a whole browser profile in memory, with the real core and the real sync worker, and controls for what goes
 * wrong in the world. Everything that opens a database with one host shares its storage and channels, like the windows of one
 * profile:
 *
 *   const host = memory();
 *   const first = await open({ name: 'demo', schema: app, host });
 *   const second = await open({ name: 'demo', schema: app, host });
 */
import type { SyncControl } from './api/sync-api.ts';
import { ValidationError } from './core/errors.ts';
import type { ToServiceMessage } from './core/messages.ts';
import { commonBrowserHost } from './host/browser-common.ts';
import type { Host, WorkerSideHost } from './host/host.ts';
import type { Locks } from './host/locks.ts';
import { memoryChannels } from './host/memory/memory-channel.ts';
import { memoryLocks } from './host/memory/memory-locks.ts';
import { MemoryNetwork } from './host/memory/memory-network.ts';
import { MemoryPage } from './host/memory/memory-page.ts';
import { MemoryStorageHost } from './host/memory/memory-storage.ts';
import { readWasm } from './host/memory/read-wasm.ts';
import { PauseLock } from './host/pause-lock.ts';
import type { ServiceHost } from './host/service-link.ts';
import type { SocketHost } from './host/socket.ts';
import type { Transport } from './host/transport.ts';
import type { WorkerHost } from './host/worker-link.ts';
import { ServiceHome } from './worker/service/service-home.ts';
import { SyncWorker } from './worker/sync-worker.ts';

export { fetchTransport } from './host/fetch-transport.ts';
export { ManualTime } from './host/memory/manual-time.ts';
export {
  MemoryNetwork,
  type MemoryRequest,
  type MemoryResponse,
  type ServerSocket,
} from './host/memory/memory-network.ts';
export type { MemoryPage } from './host/memory/memory-page.ts';
export type { MemoryStorageHost, StorageFaults } from './host/memory/memory-storage.ts';

import type { ManualTime } from './host/memory/manual-time.ts';

export interface MemoryOptions {
  /** Time that passes by hand; without it, the machine's. */
  readonly time?: ManualTime;
  /** A real network, for instance `fetchTransport`; without it, the host's own `network`. */
  readonly transport?: Transport;
  readonly sockets?: SocketHost;
  /** Other pauses and limits of the sync worker (docs/sync-worker.md, section 1). */
  readonly workerTimes?: Readonly<Record<string, number>>;
}

export interface MemoryHost extends Host {
  readonly page: MemoryPage;
  readonly storage: MemoryStorageHost;
  readonly network: MemoryNetwork;
  /** The service worker of databases that are opened with `serviceWorker`, whatever script they name. */
  readonly serviceWorker: MemoryServiceWorker;
  /** A window of the same profile: everything shared but the page. */
  window(): MemoryHost;
}

/** The profile's service worker: what a browser does with it. */
export interface MemoryServiceWorker {
  /** Ends it, whatever it does; the next wake starts it again. */
  stop(): Promise<void>;
  /** As a `sync` event, with windows or without: resolves when it rests, with how many mutations are pending. */
  sync(database: string): Promise<{ readonly pending: number }>;
}

/** A host in memory, for Node and for tests. */
export function memory(options: MemoryOptions = {}): MemoryHost {
  const { time } = options;
  const network = new MemoryNetwork();
  // The machine's clock, timers and random bytes are those of a browser.
  const common = {
    ...commonBrowserHost(),
    ...(time ? { clock: time, timers: () => time.timers() } : {}),
    storage: new MemoryStorageHost(),
    channels: memoryChannels(),
    wasm: readWasm,
  };
  const locks = memoryLocks();
  const workerSide: WorkerSideHost = {
    ...common,
    transport: options.transport ?? network,
    sockets: options.sockets ?? network,
    locks,
    // IDBFS is a browser's: without it there are no images, and updates are kept.
    images: false,
  };
  const { services, serviceWorker } = serviceInProcess(workerSide, locks, common.storage);
  const window = (): MemoryHost => ({
    ...common,
    network,
    serviceWorker,
    page: new MemoryPage(),
    workers: workersInProcess(workerSide),
    locks: workerSide.locks !== null,
    images: workerSide.images,
    services,
    accounts: common.storage,
    resolve: (url) => new URL(url, 'http://memory.test/'),
    ...(options.workerTimes ? { workerTimes: options.workerTimes } : {}),
    window,
  });
  return window();
}

/**
 * Freezes a database's sync worker, as the worker of a frozen page is: it keeps its locks and its lease,
 * renews it no more, and continues where it was when it is released.
 */
export function freezeWorker(database: object, frozen: boolean): void {
  // Not by an import of `open`: what only a window runs is in index.js, and in no chunk that is shared.
  const { sync } = database as { readonly sync?: Partial<SyncControl> };
  if (!sync?.holdWorker)
    throw new ValidationError('invalid_argument', 'This is no database of open().');
  sync.holdWorker(frozen);
}

/** Runs the service worker of a profile in this program. */
function serviceInProcess(
  host: WorkerSideHost,
  locks: Locks,
  storage: MemoryStorageHost,
): {
  services: ServiceHost;
  serviceWorker: MemoryServiceWorker;
} {
  const home = new ServiceHome(
    host,
    null,
    () => true,
    (database) => storage.exists(database),
  );
  const services: ServiceHost = async (_url, database, version, onState) => {
    onState({ active: true, reason: 'the service worker pushes' });
    const wake = (message: ToServiceMessage) => {
      // The failure has been reported to the windows.
      home.wake(database, structuredClone(message), version).catch(() => {});
    };
    const changed = () => wake({ type: 'wake', reason: 'mutation', online: true });
    const pause = new PauseLock(locks, database);
    return { wake, changed, pause: (paused) => pause.set(paused), close: () => pause.set(false) };
  };
  const serviceWorker: MemoryServiceWorker = {
    stop: () => home.kill(),
    sync: (database) => home.woken(database),
  };
  return { services, serviceWorker };
}

/** Runs sync workers in this program. */
function workersInProcess(host: WorkerSideHost): WorkerHost {
  return {
    start(_url, handlers) {
      let alive = true;
      const later = (fn: () => void) =>
        queueMicrotask(() => {
          if (alive) fn();
        });
      const worker = new SyncWorker(
        host,
        (message) => {
          const copy: unknown = structuredClone(message);
          later(() => handlers.onMessage(copy));
        },
        () => {},
      );
      return {
        post(message) {
          const copy = structuredClone(message);
          later(() => worker.receive(copy));
        },
        terminate() {
          alive = false;
          worker.kill();
        },
      };
    },
  };
}
