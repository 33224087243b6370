/** Workers of the browser: where the sync worker's script lies, and what stands in the way of it. */
import { whichFiles } from '../core/errors.ts';
import { explained, trustedUrl } from './trusted-url.ts';
import type { WorkerHost } from './worker-link.ts';

const options: WorkerOptions = { type: 'module', name: 'skerry' };

export const dedicatedWorkers: WorkerHost = {
  start(url, handlers) {
    const started = url ? start(url) : startBundled();
    const { worker } = started;
    const release = () => {
      if (started.blob) URL.revokeObjectURL(started.blob);
    };
    worker.onmessage = (event) => {
      release();
      worker.onmessage = (next) => handlers.onMessage(next.data);
      handlers.onMessage(event.data);
    };
    worker.onerror = (event) => {
      release();
      worker.terminate();
      handlers.onFailed(new Error(event.message || notLoaded(started.address)));
    };
    return {
      post: (message) => worker.postMessage(message),
      terminate: () => {
        release();
        worker.terminate();
      },
    };
  },
};

interface Started {
  readonly worker: Worker;
  readonly address: URL;
  /** The address of the module that imports the script, where it lies on another origin. */
  readonly blob: string | null;
}

function start(address: URL, wanted = options): Started {
  const isOther = address.origin !== location.origin && /^https?:$/.test(address.protocol);
  const blob = isOther ? URL.createObjectURL(importing(address, wanted)) : null;
  try {
    const worker = new Worker(trustedUrl(blob ? new URL(blob) : address), wanted);
    return { worker, address, blob };
  } catch (error) {
    if (blob) URL.revokeObjectURL(blob);
    throw explained(error);
  }
}

/** A worker is started from an address of the page's own origin only; a module may be imported from another (CORS). */
function importing({ href }: URL, { type }: WorkerOptions): Blob {
  const name = JSON.stringify(href);
  const text = type === 'module' ? `import ${name};` : `importScripts(${name});`;
  return new Blob([text], { type: 'text/javascript' });
}

/**
 * Bundlers look for exactly `new Worker(new URL('./worker.js', import.meta.url), …)`, and put their own address into it. That is taken
 * out of the call, because it may have to be trusted, or lie on another origin (`base`, `publicPath`). So are the options: webpack and
 * Next.js make a classic script of the module.
 */
function startBundled(): Started {
  let started: Started | null = null;
  const native = Object.getOwnPropertyDescriptor(globalThis, 'Worker');
  class TakesAddress {
    constructor(url: unknown, wanted?: WorkerOptions) {
      if (native) Object.defineProperty(globalThis, 'Worker', native);
      started = start(new URL(String(url), location.href), wanted);
    }
  }
  const make = () =>
    new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'skerry' });
  // A page may have frozen its globals.
  if (!native?.configurable) return { worker: make(), address: new URL(location.href), blob: null };
  Object.defineProperty(globalThis, 'Worker', { ...native, value: TakesAddress });
  try {
    make();
  } finally {
    Object.defineProperty(globalThis, 'Worker', native);
  }
  return started as unknown as Started;
}

/** An engine does not say why. */
function notLoaded(address: URL): string {
  const where = `The sync worker could not be loaded from ${address.href}`;
  if (address.origin !== location.origin)
    return `${where}, which is another origin: it needs CORS there, and worker-src blob: in this page's Content-Security-Policy; or name a workerUrl of this origin.`;
  return `${where}. If this page has the header Cross-Origin-Embedder-Policy, the script needs it, too. ${whichFiles}`;
}
