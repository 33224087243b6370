// Modules that the command line names: the schema and the seed. Their mistakes are explained in one sentence, for the
// operator or the module's author.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isObject } from './base/json.ts';
import { SetupError } from './base/setup-error.ts';
import type { Seed } from './seed/seed.ts';
import { checkDescription, type SchemaDescription, SchemaError } from './sql/description.ts';
import { withMembers } from './sql/members.ts';

/** The result of schema() of the package `skerry`, or its description: the former becomes the latter as JSON. */
export function describeSchema(schema: unknown): SchemaDescription {
  return withMembers(checkDescription(JSON.parse(JSON.stringify(schema) ?? 'null')));
}

function whyNotLoaded(flag: string, path: string, error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return `${flag} ${path}: this Node (${process.version}) cannot load such a file. Compile it to JavaScript; TypeScript is loaded by Node 22.18 or newer, or through tsx.`;
  }
  return `${flag} ${path} could not be loaded: ${String(message ?? error).trim()}`;
}

async function load(flag: string, path: string): Promise<Record<string, unknown>> {
  const file = resolve(path);
  if (!existsSync(file)) throw new SetupError(`${flag}: there is no file ${file}.`);
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw new SetupError(whyNotLoaded(flag, path, error), { cause: error });
  }
}

/** What the module of `--schema` exports. */
export interface SchemaModule {
  readonly schema: unknown;
  /** Checked when the server starts (stream/reducers.ts). */
  readonly reducers: unknown;
}

export async function loadSchema(path: string): Promise<SchemaModule> {
  const module = await load('--schema', path);
  const schema = module.default ?? module.app;
  try {
    describeSchema(schema);
    return { schema, reducers: module.reducers };
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new SetupError(`--schema ${path}: ${error.message}`, { cause: error });
  }
}

export async function loadSeed(path: string): Promise<Seed> {
  const module = await load('--seed', path);
  const seed = module.default ?? module.seed;
  const fits =
    typeof seed === 'function' ||
    (isObject(seed) && (Symbol.iterator in seed || Symbol.asyncIterator in seed)) ||
    Array.isArray(seed);
  if (!fits)
    throw new SetupError(
      `--seed ${path} exports no seed, as default or as \`seed\`: a list of rows, or a function that gives one.`,
    );
  return seed as Seed;
}
