// Its persister writes the whole store each time: an update is durable when that has been saved.
import { createIndexes, createQueries, createStore } from 'tinybase';
import { createIndexedDbPersister } from 'tinybase/persisters/persister-indexed-db';

const TABLE = 'cities';
let store;
let indexes;
let persister;
const rowOf = (id) => ({ id, ...store.getRow(TABLE, id) });

export default {
  async open() {
    store = createStore();
    indexes = createIndexes(store);
    persister = createIndexedDbPersister(store, 'bench');
    await persister.load();
    const largestFirst = (a, b) => b - a;
    indexes.setIndexDefinition(
      'countries',
      TABLE,
      'country',
      'population',
      undefined,
      largestFirst,
    );
  },
  async bulk(rows) {
    store.setTable(TABLE, Object.fromEntries(rows.map(({ id, ...row }) => [id, row])));
    await persister.save();
  },
  count: async (country) => indexes.getSliceRowIds('countries', country).length,
  get: async (id) => store.getRow(TABLE, id),
  getSync: (id) => store.getRow(TABLE, id),
  async update(id, patch) {
    store.setPartialRow(TABLE, id, patch);
    await persister.save();
  },
  async updateMany(list) {
    for (const [id, patch] of list) store.setPartialRow(TABLE, id, patch);
    await persister.save();
  },
  top: async (country, count) =>
    indexes
      .getSliceRowIds('countries', country)
      .slice(0, count)
      .map(rowOf)
      .sort((a, b) => b.population - a.population),
  live(country, count, told) {
    const queries = createQueries(store);
    queries.setQueryDefinition('top', TABLE, ({ select, where }) => {
      for (const cell of ['name', 'population', 'country']) select(cell);
      where('country', country);
    });
    const tell = () =>
      told(
        queries
          .getResultSortedRowIds('top', 'population', true, 0, count)
          .map((id) => ({ id, ...queries.getResultRow('top', id) })),
      );
    queries.addResultTableListener('top', tell);
    tell();
    return () => queries.destroy();
  },
  // It looks once a second whether another window has saved.
  observer: () => persister.startAutoLoad(),
};
