// The demo's own service worker: it keeps the page's files so that a reload works offline, and has Skerry's sync worker
// in it, which pushes and pulls for all windows. The list of files and their digest are filled in by the build.
import { http, syncWorker } from 'skerry/service-worker';
import { app } from './schema.js';
import { installFaults } from './sw-faults.js';

declare const self: ServiceWorkerGlobalScope;
declare const __ASSETS__: string[];
declare const __DIGEST__: string;

const CACHE = `skerry-demo-${__DIGEST__}`;

installFaults();
const stop = syncWorker({ name: 'demo', schema: app, remote: http('/v1') });

// The panel's button: this worker answers no more, until the browser starts it again.
self.addEventListener('message', (event) => {
  if (event.data === 'silence') stop();
});

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) =>
        cache.addAll(__ASSETS__.map((path) => new Request(path, { cache: 'reload' }))),
      )
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  const removeOld = async () => {
    for (const key of await caches.keys())
      if (key.startsWith('skerry-demo-') && key !== CACHE) await caches.delete(key);
    await self.clients.claim();
  };
  event.waitUntil(removeOld());
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (
    event.request.method !== 'GET' ||
    url.origin !== location.origin ||
    url.pathname.startsWith('/v1/')
  )
    return;
  const path = url.pathname === '/' ? '/index.html' : url.pathname;
  event.respondWith(
    caches.open(CACHE).then(async (cache) => (await cache.match(path)) ?? fetch(event.request)),
  );
});
