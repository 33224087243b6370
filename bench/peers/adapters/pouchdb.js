import PouchDB from 'pouchdb-browser';
import find from 'pouchdb-find';

PouchDB.plugin(find);
const BATCH = 10_000;
const CONFLICT = 409;
const MISSING = 404;
const fields = ['country', 'population'];

let db;
let index;
/** Made when it is needed first, after the bulk. */
async function search(request) {
  index ??= db.createIndex({ index: { fields } });
  await index;
  return (await db.find(request)).docs;
}
const ofCountry = (country) => ({ selector: { country, population: { $gte: -1 } } });
const top = async (country, limit) =>
  (
    await search({
      ...ofCountry(country),
      sort: [{ country: 'desc' }, { population: 'desc' }],
      limit,
    })
  ).map((row) => ({ id: row._id, ...row }));

export default {
  async open() {
    db = new PouchDB('bench', { auto_compaction: true });
    await db.info();
  },
  async bulk(rows) {
    for (let at = 0; at < rows.length; at += BATCH) {
      const batch = rows.slice(at, at + BATCH).map(({ id, ...row }) => ({ _id: id, ...row }));
      const refused = (await db.bulkDocs(batch)).filter(({ error }) => error);
      if (refused.length > 0) throw new Error(`${refused.length} rows were refused`);
    }
  },
  count: async (country) =>
    (await search({ ...ofCountry(country), fields: ['_id'], limit: 1e6 })).length,
  async get(id) {
    try {
      return await db.get(id);
    } catch (error) {
      if (error.status !== MISSING) throw error;
      return undefined;
    }
  },
  async update(id, patch) {
    for (;;) {
      try {
        await db.put({ ...(await db.get(id)), ...patch });
        return;
      } catch (error) {
        // Somebody else wrote meanwhile: once more.
        if (error.status !== CONFLICT) throw error;
      }
    }
  },
  top,
  live(country, count, told) {
    const tell = async () => told(await top(country, count));
    void tell();
    const changes = db
      .changes({ since: 'now', live: true, include_docs: true })
      .on('change', ({ doc }) => {
        if (doc.country === country) void tell();
      });
    return () => changes.cancel();
  },
};
