// The faults that the panel causes on the way to the server, for the service worker's own requests and for those of the
// windows and their Workers, which pass through it: the next push is cut before it reaches the server, or its answer is
// lost after the server has it.

import { CUT_CHANNEL, type Cut } from './cut-requests.js';

declare const self: ServiceWorkerGlobalScope;

let next: Cut | null = null;

const send = self.fetch.bind(self);

function isPush(request: Request): boolean {
  return request.method === 'POST' && new URL(request.url).pathname.endsWith('/push');
}

async function broken(request: Request): Promise<Response> {
  const fault = next;
  next = null;
  if (fault === 'lose-answer') await send(request);
  const channel = new BroadcastChannel(CUT_CHANNEL);
  channel.postMessage(fault);
  channel.close();
  throw new TypeError('The demo cut this connection.');
}

/** Begins to listen to the panel, and stands before the requests of this service worker. */
export function installFaults(): void {
  self.addEventListener('message', ({ data }) => {
    if (data === 'cut-push' || data === 'lose-answer') next = data;
  });
  self.fetch = (input, init) => {
    const request = new Request(input, init);
    return next && isPush(request) ? broken(request) : send(request);
  };
  self.addEventListener('fetch', (event) => {
    if (next && isPush(event.request)) event.respondWith(broken(event.request));
  });
}
