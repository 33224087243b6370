import Dexie, { liveQuery } from 'dexie';

let db;
const ofCountry = (country) =>
  db.cities.where('[country+population]').between([country, Dexie.minKey], [country, Dexie.maxKey]);
const top = (country, count) => ofCountry(country).reverse().limit(count).toArray();

export default {
  async open() {
    db = new Dexie('bench');
    db.version(1).stores({ cities: 'id, [country+population]' });
    await db.open();
  },
  bulk: (rows) => db.cities.bulkAdd(rows),
  count: (country) => ofCountry(country).count(),
  get: (id) => db.cities.get(id),
  update: (id, patch) => db.cities.update(id, patch),
  top,
  live(country, count, told) {
    const subscription = liveQuery(() => top(country, count)).subscribe({
      next: told,
      error: reportError,
    });
    return () => subscription.unsubscribe();
  },
};
