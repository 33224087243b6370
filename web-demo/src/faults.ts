// The panel's buttons that make things go wrong by hand: on the way to the server, in this window's worker, storage and
// clock, and in the service worker. What a page cannot do is left to its user: close the tab, kill the browser, pull the plug.
import type { Demo } from './database.js';
import { byId } from './dom.js';
import { freezeWorker } from './freeze.js';

/** Faults of the service worker's (sw.ts, sw-faults.ts) by their buttons. */
const messages = {
  'fault-cut': 'cut-push',
  'fault-lose': 'lose-answer',
  'fault-silence': 'silence',
};

const DAY_MS = 24 * 3600_000;

async function service(): Promise<ServiceWorkerRegistration | undefined> {
  return navigator.serviceWorker?.getRegistration();
}

/** IndexedDB of this window says that there is no room, as an engine does. */
function fillStorage(): (full: boolean) => void {
  let isFull = false;
  for (const name of ['add', 'put'] as const) {
    const write = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (...args) {
      if (isFull)
        throw new DOMException('The demo says that storage is full.', 'QuotaExceededError');
      return write.apply(this, args);
    };
  }
  return (full) => {
    isFull = full;
  };
}

/** This window's clock is a day ahead. */
function shiftClock(): (ahead: boolean) => void {
  let shift = 0;
  const now = Date.now.bind(Date);
  Date.now = () => now() + shift;
  return (ahead) => {
    shift = ahead ? DAY_MS : 0;
  };
}

export function wireFaults(demo: Demo): void {
  for (const [id, message] of Object.entries(messages)) {
    byId(id).addEventListener('click', async () => {
      (await service())?.active?.postMessage(message);
    });
  }
  byId('fault-unregister').addEventListener('click', async () => {
    await (await service())?.unregister();
  });
  const switches: Record<string, (on: boolean) => void> = {
    'fault-freeze': (on) => freezeWorker(demo, on),
    'fault-full': fillStorage(),
    'fault-clock': shiftClock(),
  };
  for (const [id, turn] of Object.entries(switches)) {
    const box = byId<HTMLInputElement>(id);
    box.addEventListener('change', () => turn(box.checked));
  }
}
