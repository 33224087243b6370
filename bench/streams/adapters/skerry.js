// Skerry's streams. VARIANT: `local`, without a server; `server`, with the one that serves the page.
import { http, open, schema, t, table } from 'skerry';

const app = schema({ notes: table({ title: t.string() }) }, { version: 1 });
const kBatch = 1_000;
const kUser = 'bench';

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
  async appendMany(list) {
    const durable = [];
    for (const item of list) {
      durable.push(items.append(item).durable);
      if (durable.length === kBatch) await Promise.all(durable.splice(0));
    }
    await Promise.all(durable);
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
  /** Waits until the state that it has now is stored. */
  close: () => db.close(),
};
