// The page of `npm run bench -- visit`: what the visitor of a page waits for, in ms since the page was asked for.
import { sumOf } from './cities.ts';
import { db, openDatabase, parameters } from './database.ts';

const rows = Number(parameters.get('rows'));

/** A query that a page would show: it is answered at once, and again when rows have come. */
function shown() {
  return db.cities.orderBy('population', 'desc').limit(50);
}

async function visited() {
  await openDatabase();
  sumOf(shown().all());
  const opened = performance.now();
  const filled = await new Promise<number>((resolve) => {
    const stop = shown().subscribe((cities) => {
      if (cities.length === 0 || db.cities.count() !== rows) return;
      queueMicrotask(() => stop());
      resolve(performance.now());
    });
  });
  return { opened, filled, sum: sumOf(shown().all()) };
}

globalThis.bench = { visit: visited() };
