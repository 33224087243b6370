// A Y.Array with y-indexeddb. Its storage does not say when something is written: an append waits for an empty transaction, which comes
// after its own.
import { IndexeddbPersistence } from 'y-indexeddb';
import { applyUpdate, Doc } from 'yjs';

const channel = new BroadcastChannel('yjs');
let doc;
let items;
let persistence;

function stored() {
  return new Promise((resolve, reject) => {
    const transaction = persistence.db.transaction(['updates'], 'readwrite');
    transaction.objectStore('updates').count(IDBKeyRange.only(-1));
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

export default {
  async open() {
    doc = new Doc();
    items = doc.getArray('chat');
    persistence = new IndexeddbPersistence('bench', doc);
    await persistence.whenSynced;
    doc.on('update', (update, origin) => {
      if (origin !== channel && origin !== persistence) channel.postMessage(update);
    });
    channel.onmessage = ({ data }) => applyUpdate(doc, data, channel);
  },
  append(item) {
    items.push([item]);
    return stored();
  },
  // Each a transaction of its own, as each is an append of its own.
  async appendMany(list) {
    for (const item of list) items.push([item]);
    await stored();
  },
  // An import: one by one takes minutes, because the storage is rewritten after every 500 transactions.
  async fill(list) {
    for (let from = 0; from < list.length; from += 1_000) {
      items.push(list.slice(from, from + 1_000));
      await stored();
    }
  },
  last: async () => items.get(items.length - 1),
  live(told) {
    const look = () => told(items.get(items.length - 1));
    items.observe(look);
    if (items.length > 0) look();
  },
  folded: async (_name, reducer, initialState) => items.toArray().reduce(reducer, initialState),
  // It keeps no states.
  kept: async () => {},
  close: async () => persistence.destroy(),
};
