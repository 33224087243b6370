// Floor: IndexedDB with nothing around it. A store of rows, one put a row, one compound index. VARIANT is its durability.
import { committed, opened, settled } from './indexeddb.js';

const STORE = 'cities';
const INDEX = 'by population';
const channel = new BroadcastChannel('floor-idb');
const listeners = new Set();
const tell = () => {
  for (const listener of listeners) listener();
};
channel.onmessage = tell;

let db;
const reading = () => db.transaction(STORE).objectStore(STORE);
function writing() {
  const transaction = db.transaction(STORE, 'readwrite', { durability: VARIANT });
  return { store: transaction.objectStore(STORE), done: committed(transaction) };
}
/** Arrays come after all numbers in IndexedDB's order of keys. */
const ofCountry = (country) => IDBKeyRange.bound([country, -Infinity], [country, []]);
const top = (country, count) =>
  settled(
    reading()
      .index(INDEX)
      .getAll({ query: ofCountry(country), count, direction: 'prev' }),
  );

export default {
  async open() {
    db = await opened((made) =>
      made
        .createObjectStore(STORE, { keyPath: 'id' })
        .createIndex(INDEX, ['country', 'population']),
    );
  },
  bulk(rows) {
    const { store, done } = writing();
    for (const row of rows) store.put(row);
    return done;
  },
  count: (country) => settled(reading().index(INDEX).count(ofCountry(country))),
  get: (id) => settled(reading().get(id)),
  async update(id, patch) {
    const { store, done } = writing();
    const read = store.get(id);
    read.onsuccess = () => store.put({ ...read.result, ...patch });
    await done;
    tell();
    channel.postMessage(null);
  },
  top,
  live(country, count, told) {
    const listener = async () => told(await top(country, count));
    listeners.add(listener);
    void listener();
    return () => listeners.delete(listener);
  },
};
