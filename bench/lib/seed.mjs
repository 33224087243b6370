// The cities as the first fill of a server (skerry-server --seed).

import { createHash } from 'node:crypto';
import { cityRows, kCities } from './data.mjs';

function idOf(number) {
  const hex = createHash('sha256').update(`city ${number}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export default function* seed(count = kCities) {
  const kProps = 'name country lat lon population adminCode featureCode cityId'.split(' ');
  for (const [number, row] of cityRows().slice(0, count).entries()) {
    const set = Object.fromEntries(kProps.map((prop, i) => [prop, row[i]]));
    yield { table: 'cities', id: idOf(number), realm: 'public', set };
  }
}
