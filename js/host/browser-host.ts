/** The host that a browser's window is. Made when a database is opened, never by an import. */
import { broadcastChannels } from './channel.ts';
import { systemClock } from './clock.ts';
import type { CommonHost, Host } from './host.ts';
import { indexedDbStorage } from './indexeddb.ts';
import { browserPage } from './page.ts';
import { systemRandom } from './random.ts';
import { systemTimers } from './timers.ts';
import type { WorkerHost } from './worker-link.ts';

export function commonBrowserHost(): CommonHost {
  return {
    clock: systemClock,
    random: systemRandom,
    storage: indexedDbStorage(),
    channels: broadcastChannels,
    timers: systemTimers,
    wasm: (url) => fetch(url, { credentials: 'same-origin' }),
  };
}

export function browserHost(): Host {
  return {
    ...commonBrowserHost(),
    page: browserPage,
    workers: dedicatedWorkers,
    images: true,
    resolve: (url) => new URL(url, location.href),
  };
}

const dedicatedWorkers: WorkerHost = {
  start(url, handlers) {
    const options: WorkerOptions = { type: 'module', name: 'skerry' };
    // Written out, because bundlers look for exactly this expression.
    const worker = url
      ? new Worker(url, options)
      : new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'skerry' });
    worker.onmessage = (event) => handlers.onMessage(event.data);
    worker.onerror = (event) => {
      worker.terminate();
      handlers.onFailed(new Error(event.message || 'The sync worker could not be loaded.'));
    };
    return {
      post: (message) => worker.postMessage(message),
      terminate: () => worker.terminate(),
    };
  },
};
