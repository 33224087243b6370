// Skerry without a server. VARIANT is its durability, `strict` or `relaxed`; `own-ids` is strict, with ids that are no UUIDs.
import { open, schema, t, table } from 'skerry';

const ownIds = VARIANT === 'own-ids';
const app = schema(
  {
    cities: table(
      {
        name: t.string(),
        country: t.string().index(),
        lat: t.number(),
        lon: t.number(),
        population: t.number(),
        adminCode: t.string(),
        featureCode: t.string(),
        cityId: t.number(),
      },
      ownIds ? { id: t.string() } : {},
    ),
  },
  { version: 1 },
);
/** Rows of one mutation of a bulk. It may have 10,000 operations; smaller ones are stored while the next are made. */
const BATCH = 2000;

let db;
const topOf = (country, count) =>
  db.cities.where('country', '=', country).orderBy('population', 'desc').limit(count);
const update = (id, patch) => db.transact((tx) => tx.cities.update(id, patch)).durable;

export default {
  async open() {
    db = await open({ name: 'bench', schema: app, durability: ownIds ? 'strict' : VARIANT });
  },
  async bulk(rows) {
    const durable = [];
    for (let at = 0; at < rows.length; at += BATCH) {
      const batch = rows.slice(at, at + BATCH);
      durable.push(db.transact((tx) => tx.cities.createMany(batch)).durable);
    }
    await Promise.all(durable);
  },
  count: async (country) => db.cities.where('country', '=', country).count(),
  get: async (id) => db.cities.get(id),
  getSync: (id) => db.cities.get(id),
  update,
  // Each a mutation of its own.
  updateMany: (list) => Promise.all(list.map(([id, patch]) => update(id, patch))),
  increment: (id, by) => db.transact((tx) => tx.cities.inc(id, { population: by })).durable,
  top: async (country, count) => topOf(country, count).all(),
  live: (country, count, told) => topOf(country, count).subscribe((rows) => told(rows)),
};
