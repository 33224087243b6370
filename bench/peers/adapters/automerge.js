import { initializeWasm, Repo } from '@automerge/automerge-repo/slim';
import { BroadcastChannelNetworkAdapter } from '@automerge/automerge-repo-network-broadcastchannel';
import { IndexedDBStorageAdapter } from '@automerge/automerge-repo-storage-indexeddb';

let repo;
let handle;
const cities = () => handle.doc().cities;
const change = (id, patch) => handle.change((doc) => Object.assign(doc.cities[id], patch));
const flush = () => repo.flush([handle.documentId]);
const inCountry = (country) => Object.values(cities()).filter((row) => row.country === country);
const top = (country, count) =>
  inCountry(country)
    .sort((a, b) => b.population - a.population)
    .slice(0, count);

export default {
  // More at once than this do not end in time.
  manyN: 20,
  async open() {
    await initializeWasm(fetch(new URL('./automerge.wasm', import.meta.url)));
    repo = new Repo({
      storage: new IndexedDBStorageAdapter('bench'),
      network: [new BroadcastChannelNetworkAdapter()],
    });
    const url = localStorage.getItem('document');
    handle = url ? await repo.find(url) : repo.create({ cities: {} });
    localStorage.setItem('document', handle.url);
  },
  async bulk(rows) {
    handle.change((doc) => {
      for (const row of rows) doc.cities[row.id] = row;
    });
    await flush();
  },
  count: async (country) => inCountry(country).length,
  get: async (id) => cities()[id],
  getSync: (id) => cities()[id],
  async update(id, patch) {
    change(id, patch);
    await flush();
  },
  async updateMany(list) {
    for (const [id, patch] of list) change(id, patch);
    await flush();
  },
  top: async (country, count) => top(country, count),
  live(country, count, told) {
    const tell = () => told(top(country, count));
    handle.on('change', tell);
    tell();
    return () => handle.off('change', tell);
  },
};
