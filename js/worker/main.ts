/** The entry of the dedicated Worker. Its window speaks first; nothing happens before. */
import type { WindowMessage } from '../core/messages.ts';
import { commonBrowserHost } from '../host/browser-common.ts';
import { fetchTransport } from '../host/fetch-transport.ts';
import { webLocks } from '../host/locks.ts';
import { webSockets } from '../host/socket.ts';
import type { WorkerStart } from '../host/worker-link.ts';
import { SyncWorker } from './sync-worker.ts';

/** The part of DedicatedWorkerGlobalScope that is used; the package is typed for windows. */
interface WorkerGlobal {
  postMessage(message: unknown): void;
  close(): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

const scope = globalThis as unknown as WorkerGlobal;
const worker = new SyncWorker(
  {
    ...commonBrowserHost(),
    transport: fetchTransport,
    sockets: webSockets,
    locks: webLocks(),
    images: true,
  },
  (message) => scope.postMessage(message),
  () => scope.close(),
);
scope.onmessage = (event) => worker.receive(event.data as WindowMessage<WorkerStart>);
