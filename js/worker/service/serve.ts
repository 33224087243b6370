/** Listening to a service worker's events, and to nothing else: no `fetch`, no `skipWaiting`. */
import { commonBrowserHost } from '../../host/browser-common.ts';
import { fetchTransport } from '../../host/fetch-transport.ts';
import { hasDatabase } from '../../host/idb-files.ts';
import { webLocks } from '../../host/locks.ts';
import { syncTag } from '../../host/service-link.ts';
import { webSockets } from '../../host/socket.ts';
import { WasmCache } from '../../host/wasm-cache.ts';
import {
  type ExtendableEvent,
  envelopeOf,
  type MessageLike,
  type ServiceScope,
  type SyncLike,
} from './scope.ts';
import { type OwnService, ServiceHome } from './service-home.ts';

/** By tools/build.mjs: file name → SHA-256. */
declare const __SKERRY_WASM__: Readonly<Record<string, string>>;

/** Stops listening when the function is called that it returns. */
export function serve(own: OwnService | null, wasmAt: (name: string) => URL): () => void {
  const scope = globalThis as unknown as ServiceScope;
  const wasm = new WasmCache(__SKERRY_WASM__, wasmAt);
  const home = new ServiceHome(
    {
      ...commonBrowserHost(),
      wasm: (url) => wasm.get(url, url.hash.slice(1)),
      transport: fetchTransport,
      sockets: webSockets,
      locks: webLocks(),
      images: true, // of its windows' Workers
    },
    own,
    () => navigator.onLine ?? true,
    hasDatabase,
  );
  const listeners: Readonly<Record<string, (event: never) => void>> = {
    // A file that cannot be fetched now is fetched when it is needed.
    install: (event: ExtendableEvent) => event.waitUntil(wasm.fill().catch(() => {})),
    message: (event: MessageLike) => {
      const envelope = envelopeOf(event.data);
      if (!envelope) return;
      const { database, message, version } = envelope;
      event.waitUntil(home.wake(database, message, version).catch(() => {}));
    },
    sync: (event: SyncLike) => woken(event),
    periodicsync: (event: SyncLike) => woken(event),
  };
  /** By the browser: a rejection makes it try again later. */
  const woken = (event: SyncLike) => {
    if (!event.tag.startsWith(syncTag)) return;
    const database = event.tag.slice(syncTag.length);
    const work = async () => {
      const { pending } = await home.woken(database);
      if (pending > 0) throw new Error(`${pending} changes are not pushed yet.`);
    };
    event.waitUntil(work());
  };
  for (const [type, listener] of Object.entries(listeners)) scope.addEventListener(type, listener);
  return () => {
    for (const [type, listener] of Object.entries(listeners))
      scope.removeEventListener(type, listener);
    void home.kill();
  };
}
