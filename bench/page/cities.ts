// The data, and the query that most workloads ask.
import { db } from './database.ts';

/** name, country, latitude, longitude, population, admin code, feature code, id: as bench/lib/data.mjs writes them. */
export type City = readonly [string, string, number, number, number, string, string, number];

export async function citiesOfFile(): Promise<City[]> {
  const response = await fetch('/cities.json');
  return (await response.json()) as City[];
}

export const toRow = ([
  name,
  country,
  lat,
  lon,
  population,
  adminCode,
  featureCode,
  cityId,
]: City) => ({ name, country, lat, lon, population, adminCode, featureCode, cityId });

export const topOf = (country: string) =>
  db.cities.where('country', '=', country).orderBy('population', 'desc').limit(50);

/** The sum tells that a query's answer is right. */
export const sumOf = (rows: readonly { readonly population: number }[]) =>
  rows.reduce((sum, { population }) => sum + population, 0);
