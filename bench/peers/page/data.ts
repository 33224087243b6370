// The rows that every system gets, and the ids to ask for: the same ones in each run.
import { numbers } from '../../page/measure.ts';
import type { City } from './adapter.ts';

/** As bench/lib/data.mjs counts them. */
export const ROWS = 100_000;
export const COUNTRY = 'PT';
/** Each is asked for once, so that nothing is remembered. */
export const COUNTRIES =
  'AR HU RO HR NG PA NO CH PL AT AU BE BG BR CA CL CN CO CU CZ DK EC EG FI GR ID IR JP KR MX'.split(
    ' ',
  );

type Listed = readonly [string, string, number, number, number, string, string, number];

function mixed(seed: number): number {
  let value = seed;
  for (let i = 0; i < 2; i++) value = Math.imul(value ^ (value >>> 16), 0x45d9f3b) >>> 0;
  return (value ^ (value >>> 16)) >>> 0;
}

/** A version 4 UUID of the row with this number; in no order, as random ones are. */
export function idOf(row: number): string {
  const hex = [1, 7919, 104_729, 1_299_709]
    .map((prime) =>
      mixed(row + prime)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
  const third = `4${hex.slice(13, 16)}`;
  const fourth = `a${hex.slice(17, 20)}`;
  return [hex.slice(0, 8), hex.slice(8, 12), third, fourth, hex.slice(20)].join('-');
}

/** Cities of the file, by default all of them. */
export async function cities(count = ROWS): Promise<City[]> {
  const listed = (await (await fetch('/cities.json')).json()) as Listed[];
  return listed
    .slice(0, count)
    .map(([name, country, lat, lon, population, adminCode, featureCode, cityId], i) => ({
      id: idOf(i),
      name,
      country,
      lat,
      lon,
      population,
      adminCode,
      featureCode,
      cityId,
    }));
}

const random = numbers();
export const anyId = () => idOf(random(ROWS));
