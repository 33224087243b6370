// Reads, queries and live queries, each beside the same of plain objects.
import { type City, citiesOfFile, sumOf, topOf, toRow } from './cities.ts';
import { db, openAgain } from './database.ts';
import { median, medianOf, numbers } from './measure.ts';

/** The country of the warm-up and of the cold starts; none of those measured. */
const COUNTRY = 'PT';
const COUNTRIES =
  'AR HU RO HR NG PA NO CH PL AT AU BE BG BR CA CL CN CO CU CZ DK EC EG FI GR ID IR JP KR MX'.split(
    ' ',
  );
const AGAIN = 5;

/** The top 50 of an array of objects. */
const topOfArray = (rows: readonly ReturnType<typeof toRow>[], country: string, count: number) =>
  rows
    .filter((row) => row.country === country)
    .sort((a, b) => b.population - a.population)
    .slice(0, count);

async function arrayOfObjects() {
  return (await citiesOfFile()).map((city: City) => toRow(city));
}

/** Reads by id in random order, in ns a read: each row for the first time, again, and from a Map of objects. */
export async function reads() {
  const ids = [...db.cities.ids()];
  const random = numbers(3);
  for (let i = ids.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [ids[i], ids[j]] = [ids[j] ?? '', ids[i] ?? ''];
  }
  const lengths = new Set<number>();
  const perRead = (get: (id: string) => { name: string } | undefined) => {
    let length = 0;
    const start = performance.now();
    for (const id of ids) length += get(id)?.name.length ?? 0;
    const ns = ((performance.now() - start) * 1e6) / ids.length;
    lengths.add(length);
    return ns;
  };
  // To ask for all ids has decoded all rows.
  await openAgain();
  const first = perRead((id) => db.cities.get(id));
  const again = Array.from({ length: AGAIN }, () => perRead((id) => db.cities.get(id)));
  // Of the same texts, in the same order: engines find a key faster by the very text that it was set by, and objects that
  // are read in the order of their making.
  const map = new Map(ids.map((id) => [id, { ...(db.cities.get(id) ?? { name: '' }) }]));
  const floor = Array.from({ length: AGAIN }, () => perRead((id) => map.get(id)));
  if (lengths.size !== 1 || lengths.has(0)) throw new Error('the Map gave other rows');
  return { first, again: median(again), floor: median(floor) };
}

/** The first 50 of a country by population, each query new, beside filter, sort and slice of an array of objects. */
export async function top() {
  const rows = await arrayOfObjects();
  for (let i = 0; i < 20; i++) {
    topOf(COUNTRY).all();
    topOfArray(rows, COUNTRY, 50);
  }
  let oursSum = 0;
  let floorSum = 0;
  const ours = await medianOf(COUNTRIES.length, (i) => {
    oursSum += sumOf(topOf(COUNTRIES[i] ?? '').all());
  });
  const floor = await medianOf(COUNTRIES.length, (i) => {
    floorSum += sumOf(topOfArray(rows, COUNTRIES[i] ?? '', 50));
  });
  if (oursSum !== floorSum) throw new Error('the top 50 differ from those of the arrays');
  return { ours, floor };
}

/** A write until the subscriber of a live query hears of it, beside running the query on an array again. */
export async function live(count: number) {
  const first = topOf(COUNTRY).first();
  if (!first) throw new Error('no city');
  let heard: (population: number | undefined) => void = () => {};
  const said = () =>
    new Promise<number | undefined>((resolve) => {
      heard = resolve;
    });
  const primed = said();
  const stop = topOf(COUNTRY).subscribe((rows) => heard(rows[0]?.population));
  await primed;
  const ours = await medianOf(count, async (i) => {
    const told = said();
    db.transact((tx) => tx.cities.update(first.id, { population: 5e7 + i }));
    if ((await told) !== 5e7 + i) throw new Error('the live query tells of something else');
  });
  stop();
  const rows = await arrayOfObjects();
  const changed = rows.find((row) => row.country === COUNTRY);
  if (!changed) throw new Error('no city');
  const floor = await medianOf(count, (i) => {
    changed.population = 5e7 + i;
    topOfArray(rows, COUNTRY, 50);
  });
  return { ours, floor };
}
