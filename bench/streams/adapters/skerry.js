// Skerry's streams. VARIANT: `local`, without a server; `server`, with the one that serves the page.
import { http, open, schema, t, table } from 'skerry';

const app = schema({ notes: table({ title: t.string() }) }, { version: 1 });
const kBatch = 1_000;
const kUser = 'bench';

const asked = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

let db;
let items;

export default {
  async open() {
    const remote = http('/v1', { token: async () => `dev:${kUser}` });
    const more = VARIANT === 'server' ? { remote, user: kUser, scopes: 'all' } : {};
    db = await open({ name: 'bench', schema: app, ...more });
    items = db.stream('chat', { keep: 100 });
  },
  append: (item) => items.append(item).durable,
  appendMany: (list) => Promise.all(list.map((item) => items.append(item).durable)),
  async fill(list) {
    for (let from = 0; from < list.length; from += kBatch)
      await this.appendMany(list.slice(from, from + kBatch));
  },
  /** Resolves once the last items that the server has are here. */
  ready: () =>
    new Promise((resolve) => {
      const look = () => items.whole && resolve();
      items.subscribe(look);
      look();
    }),
  last: async () => items.value.at(-1),
  live: (told) => items.subscribe((list) => told(list.at(-1))),
  /** The state of a reducer over the stream; resolves once all of it is there. */
  folded: (name, reducer, initialState) =>
    new Promise((resolve) => {
      const state = db.stream(name, { reducer, initialState });
      const look = () => {
        if (state.whole) resolve(state.value);
      };
      state.subscribe(look);
      look();
    }),
  /** Resolves once the state of the reducer after so many actions is stored. */
  async kept(count) {
    const [{ name }] = (await indexedDB.databases()).filter(({ name }) =>
      name.startsWith('skerry'),
    );
    const storage = await asked(indexedDB.open(name));
    for (;;) {
      const rows = await asked(storage.transaction('streams').objectStore('streams').getAll());
      if (rows.some(({ state }) => state !== undefined && JSON.parse(state).count === count)) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    storage.close();
  },
  close: () => db.close(),
};
