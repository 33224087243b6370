// The database of this page, as its address says: `?kind=local` (without a server) or `?kind=synced`, and
// `&durability=strict` or `relaxed`; `&push=service-worker`: a service worker pushes.
import { http, open } from 'skerry';
import { app } from './schema.ts';

export const parameters = new URL(location.href).searchParams;
export const kind = parameters.get('kind') === 'synced' ? 'synced' : 'local';
export const durability = parameters.get('durability') === 'relaxed' ? 'relaxed' : 'strict';
const withServiceWorker = parameters.get('push') === 'service-worker';
const user = 'bench';
/** Its name in IndexedDB and on the channel. */
export const database = `skerry/${kind}/${user}`;

function openBench() {
  const remote = http('/v1', { token: async () => `dev:${user}` });
  return open({
    name: kind,
    user,
    schema: app,
    durability,
    defaultRealm: 'public',
    ...(kind === 'synced' ? { remote, scopes: 'all' as const } : {}),
    serviceWorker: withServiceWorker && '/skerry-sw.js',
  });
}

export let db: Awaited<ReturnType<typeof openBench>>;

export async function openDatabase(): Promise<void> {
  db = await openBench();
}

/** With the module loaded, but nothing remembered of any row. */
export async function openAgain(): Promise<void> {
  await db.close();
  await openDatabase();
}
