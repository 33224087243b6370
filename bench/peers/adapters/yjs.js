// Its storage does not say when something is written: an update waits for an empty transaction, which comes after its own.
// VARIANT `native` does not wait.
import { IndexeddbPersistence } from 'y-indexeddb';
import { applyUpdate, Doc } from 'yjs';

const channel = new BroadcastChannel('yjs');
let doc;
let cities;
let persistence;

function stored() {
  return new Promise((resolve, reject) => {
    const transaction = persistence.db.transaction(['updates'], 'readwrite');
    transaction.objectStore('updates').count(IDBKeyRange.only(-1));
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
const durable = () => (VARIANT === 'native' ? undefined : stored());
const change = (id, patch) => cities.set(id, { ...cities.get(id), ...patch });
const inCountry = (country) => [...cities.values()].filter((row) => row.country === country);
const top = (country, count) =>
  inCountry(country)
    .sort((a, b) => b.population - a.population)
    .slice(0, count);

export default {
  async open() {
    doc = new Doc();
    cities = doc.getMap('cities');
    persistence = new IndexeddbPersistence('bench', doc);
    await persistence.whenSynced;
    doc.on('update', (update, origin) => {
      if (origin !== channel && origin !== persistence) channel.postMessage(update);
    });
    channel.onmessage = ({ data }) => applyUpdate(doc, data, channel);
  },
  async bulk(rows) {
    doc.transact(() => {
      for (const row of rows) cities.set(row.id, row);
    });
    await stored();
  },
  count: async (country) => inCountry(country).length,
  get: async (id) => cities.get(id),
  getSync: (id) => cities.get(id),
  async update(id, patch) {
    change(id, patch);
    await durable();
  },
  async updateMany(list) {
    for (const [id, patch] of list) change(id, patch);
    await durable();
  },
  top: async (country, count) => top(country, count),
  live(country, count, told) {
    const observer = ({ keysChanged }) => {
      if ([...keysChanged].some((id) => cities.get(id)?.country === country))
        told(top(country, count));
    };
    cities.observe(observer);
    told(top(country, count));
    return () => cities.unobserve(observer);
  },
};
