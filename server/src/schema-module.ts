// Modules that the command line names: the schema and the seed.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isObject } from './http/body.ts';
import type { Seed } from './seed/seed.ts';
import { checkDescription, type SchemaDescription, SchemaError } from './sql/description.ts';

/** What schema() of the package `skerry` made, or its description: the first becomes the second as JSON. */
export function describeSchema(schema: unknown): SchemaDescription {
  const text = JSON.stringify(schema);
  if (text === undefined) throw new SchemaError('There is no schema.');
  return checkDescription(JSON.parse(text));
}

async function load(path: string): Promise<Record<string, unknown>> {
  return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
}

export async function loadSchema(path: string): Promise<SchemaDescription> {
  const module = await load(path);
  return describeSchema(module.default ?? module.app);
}

export async function loadSeed(path: string): Promise<Seed> {
  const module = await load(path);
  const seed = module.default ?? module.seed;
  const fits =
    typeof seed === 'function' ||
    (isObject(seed) && (Symbol.iterator in seed || Symbol.asyncIterator in seed)) ||
    Array.isArray(seed);
  if (!fits)
    throw new Error(`${path} exports no seed: a list of rows, or a function that gives one.`);
  return seed as Seed;
}
