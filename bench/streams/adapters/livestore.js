// LiveStore's event log, with its worker over OPFS. An event is durable when the session has nothing left to give to the worker, which
// stores what it takes.
import { makePersistedAdapter } from '@livestore/adapter-web';
import { createStorePromise, queryDb, Schema } from '@livestore/livestore';
import { events, said, schema } from './livestore-schema.js';

const kBatch = 1_000;
const at = (file) => new URL(file, import.meta.url);
const last$ = queryDb(said.orderBy('n', 'desc').limit(100), { label: 'last' });
const sum$ = queryDb({
  query: 'SELECT count(*) AS count, sum(n) AS total FROM said',
  schema: Schema.Array(
    Schema.Struct({ count: Schema.Number, total: Schema.NullOr(Schema.Number) }),
  ),
});

let store;

// Its subscription misses changes that come at once, so the status is looked at between tasks.
async function stored() {
  const { port1, port2 } = new MessageChannel();
  while (!store.syncStatus().isSynced) {
    await new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(null);
    });
  }
  port1.close();
}

export default {
  async open() {
    const adapter = makePersistedAdapter({
      storage: { type: 'opfs' },
      worker: ({ name }) => new Worker(at('livestore-worker.js'), { name, type: 'module' }),
      sharedWorker: ({ name }) =>
        new SharedWorker(at('livestore-shared-worker.js'), { name, type: 'module' }),
    });
    store = await createStorePromise({ schema, adapter, storeId: 'bench' });
  },
  append(item) {
    store.commit(events.said(item));
    return stored();
  },
  // Each a commit of its own, as each is an append of its own.
  async appendMany(list) {
    for (const item of list) store.commit(events.said(item));
    await stored();
  },
  async fill(list) {
    for (let from = 0; from < list.length; from += kBatch) {
      store.commit(...list.slice(from, from + kBatch).map((item) => events.said(item)));
      await stored();
    }
  },
  last: async () => store.query(last$)[0],
  live: (told) => store.subscribe(last$, ([last]) => told(last)),
  // Its states are tables, which the worker keeps.
  folded: async () => store.query(sum$)[0],
  kept: async () => {},
  close: () => store.shutdownPromise(),
};
