// On its storage over Dexie, the one that is free in a browser.
import { createRxDatabase } from 'rxdb/plugins/core';
import { getRxStorageDexie } from 'rxdb/plugins/storage-dexie';

const text = { type: 'string' };
const number = { type: 'number' };
/** What is in an index must be bounded. */
const upTo = (maxLength) => ({ type: 'string', maxLength });
const schema = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  properties: {
    id: upTo(36),
    name: text,
    country: upTo(2),
    lat: number,
    lon: number,
    population: { type: 'number', minimum: 0, maximum: 1e9, multipleOf: 1 },
    adminCode: text,
    featureCode: text,
    cityId: number,
  },
  required: ['id', 'country', 'population'],
  indexes: [['country', 'population']],
};

let cities;
const ofCountry = (country) => ({ selector: { country: { $eq: country } } });
const topOf = (country, limit) =>
  cities.find({
    ...ofCountry(country),
    sort: [{ country: 'desc' }, { population: 'desc' }],
    limit,
  });

export default {
  async open() {
    const storage = getRxStorageDexie();
    const db = await createRxDatabase({
      name: 'bench',
      storage,
      multiInstance: true,
      eventReduce: true,
    });
    ({ cities } = await db.addCollections({ cities: { schema } }));
  },
  async bulk(rows) {
    const { error } = await cities.bulkInsert(rows);
    if (error.length > 0) throw new Error(`${error.length} rows were refused`);
  },
  count: (country) => cities.count(ofCountry(country)).exec(),
  get: (id) => cities.findOne(id).exec(),
  async update(id, patch) {
    const document = await cities.findOne(id).exec();
    await document.incrementalPatch(patch);
  },
  top: (country, count) => topOf(country, count).exec(),
  live(country, count, told) {
    const subscription = topOf(country, count).$.subscribe(told);
    return () => subscription.unsubscribe();
  },
};
