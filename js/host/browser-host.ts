/** The host that a browser's window is. Made when a database is opened, never by an import. */
import { UnsupportedError } from '../core/errors.ts';
import { commonBrowserHost } from './browser-common.ts';
import type { Host } from './host.ts';
import { browserPage } from './page.ts';
import type { ServiceHost } from './service-link.ts';
import type { WorkerHost } from './worker-link.ts';

export function browserHost(): Host {
  if (typeof document === 'undefined')
    throw new UnsupportedError(
      'no_window',
      'A database is opened in a browser’s window. Elsewhere, open() wants a host: memory() of skerry/testing.',
    );
  return {
    ...commonBrowserHost(),
    page: browserPage,
    workers: dedicatedWorkers,
    locks: 'locks' in navigator,
    images: true,
    services,
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

/** Few applications use this: it is a file of its own. */
const services: ServiceHost = async (...args) =>
  (await import('./service-registration.ts')).registerService(...args);
