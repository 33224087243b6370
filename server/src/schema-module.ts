// Modules that the command line names: the schema and the seed. Their mistakes are explained in one sentence, for the
// operator or the module's author.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
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

/** The URL of a module's file; a path is relative to the current folder. */
function urlOf(flag: string, path: string | URL): URL {
  const url = path instanceof URL ? path : pathToFileURL(resolve(path));
  if (url.protocol === 'file:' && !existsSync(url))
    throw new SetupError(`${flag}: there is no file ${fileURLToPath(url)}.`);
  return url;
}

async function load(flag: string, path: string | URL): Promise<Record<string, unknown>> {
  const url = urlOf(flag, path);
  try {
    return (await import(url.href)) as Record<string, unknown>;
  } catch (error) {
    throw new SetupError(whyNotLoaded(flag, String(path), error), { cause: error });
  }
}

/** The schema that the module of `--schema` exports. */
export async function loadSchema(path: string): Promise<unknown> {
  const module = await load('--schema', path);
  const schema = module.default ?? module.app;
  try {
    describeSchema(schema);
    return schema;
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    throw new SetupError(`--schema ${path}: ${error.message}`, { cause: error });
  }
}

/** The module of the schema, and where it is for the processes that run what it exports. */
export async function loadSchemaModule(
  path: string | URL,
): Promise<{ readonly url: URL; readonly module: Readonly<Record<string, unknown>> }> {
  const module = await load('`schemaModule`', path);
  return { url: urlOf('`schemaModule`', path), module };
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
