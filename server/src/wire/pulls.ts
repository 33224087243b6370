// Checks what a pull, or a socket's hello, asks for before any work begins. Lists are bounded, filters are bounded in
// depth and size, over all scopes together, and every text can be stored. The core computes the exact cost of a
// filter and checks it against the schema (src/model/filter_cost.h) before any filter becomes SQL.

import { isRealmName } from '../auth/user.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { isStorable } from '../db/database.ts';

function bad(detail: string): Problem {
  return new Problem('bad_request', detail);
}

function invalid(detail: string): Problem {
  return new Problem('invalid', detail);
}

function tooMuch(detail: string): Problem {
  return new Problem('limit', detail);
}

/** Counts the parts and values in the filters of all scopes. */
class FilterCount {
  #parts = 0;
  #values = 0;

  add(where: unknown): void {
    const waiting: { readonly filter: unknown; readonly depth: number }[] = [
      { filter: where, depth: 1 },
    ];
    // Not recursive: a body may be nested as deeply as it is long.
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { filter, depth } = next;
      if (!Array.isArray(filter)) throw invalid('A filter is not a list.');
      if (depth > limits.filterDepth) throw tooMuch('A filter is nested too deeply.');
      if (++this.#parts > limits.filterParts) throw tooMuch('The filters have too many parts.');
      const [kind, ...rest] = filter as unknown[];
      if (kind === 'and' || kind === 'or' || kind === 'not') {
        if (rest.length > limits.filterParts) throw tooMuch('The filters have too many parts.');
        for (const part of rest) waiting.push({ filter: part, depth: depth + 1 });
      } else this.#comparison(rest, depth, waiting);
    }
  }

  #comparison(
    rest: readonly unknown[],
    depth: number,
    waiting: { readonly filter: unknown; readonly depth: number }[],
  ): void {
    if (rest.length > 2) throw invalid('A filter has a part of an unknown form.');
    for (const value of rest) {
      if (Array.isArray(value)) {
        this.#values += value.length;
        if (this.#values > limits.filterValues) throw tooMuch('The filters list too many values.');
        for (const one of value) checkValue(one);
      } else if (isObject(value) && value.table !== undefined) {
        checkValue(value.table);
        checkValue(value.select);
        if (value.where !== undefined && value.where !== null)
          waiting.push({ filter: value.where, depth: depth + 1 });
      } else checkValue(value);
    }
  }
}

function checkValue(given: unknown): void {
  const value = isObject(given) ? given.v : given;
  if (typeof value === 'string' && !isStorable(value))
    throw invalid('A filter has a text that no database can store.');
  // JSON may contain 1e309.
  if (typeof value === 'number' && !Number.isFinite(value))
    throw invalid('A filter has a number that is not finite.');
  if (isObject(given) && typeof given.$type !== 'string')
    throw invalid('A filter has something that is not a value.');
  if (typeof value === 'object' && value !== null)
    throw invalid('A filter has something that is not a value.');
}

/** The scopes of a pull or a hello, reduced to the members known here. */
export function scopesOf(scopes: unknown): JsonObject[] {
  if (!Array.isArray(scopes) || !scopes.every(isObject)) throw bad('`scopes` is not a list.');
  if (scopes.length > limits.scopes) throw tooMuch('The request names too many scopes.');
  const filters = new FilterCount();
  return scopes.map(({ table, where = ['true'], filled = false }) => {
    if (typeof table !== 'string' || !isStorable(table)) throw bad('A scope names no table.');
    if (where !== null) filters.add(where);
    const isId = typeof filled === 'string' && isStorable(filled);
    if (!isId && typeof filled !== 'boolean') throw bad('`filled` is no id, true or false.');
    if (isId && Buffer.byteLength(filled) > limits.idBytes) throw bad('`filled` is no id.');
    return { table, where, filled };
  });
}

function idsOf(list: unknown, name: string): string[] {
  if (!Array.isArray(list)) throw bad(`\`${name}\` is not a list of ids.`);
  if (list.length > limits.haveIds) throw tooMuch(`\`${name}\` may have ${limits.haveIds} ids.`);
  if (!list.every(isRealmName)) throw bad(`\`${name}\` is not a list of ids.`);
  return list;
}

export function cursorsOf(cursors: unknown, name = 'cursors'): Record<string, string> {
  if (!isObject(cursors)) throw bad(`\`${name}\` is not an object.`);
  const entries = Object.entries(cursors);
  if (entries.length > limits.cursors) throw tooMuch(`A pull may name ${limits.cursors} realms.`);
  if (!entries.every(([realm, at]) => isRealmName(realm) && typeof at === 'string'))
    throw bad(`\`${name}\` is not an object of realms and cursors.`);
  return cursors as Record<string, string>;
}

function isStreamName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    Buffer.byteLength(name) <= limits.streamNameBytes &&
    isStorable(name)
  );
}

function streamItems(streams: unknown): readonly unknown[] {
  if (!Array.isArray(streams)) throw bad('`streams` is not a list.');
  if (streams.length > limits.streams)
    throw tooMuch(`A request may name ${limits.streams} streams.`);
  return streams;
}

/** The streams of a pull, reduced to the members known here. */
function streamsOf(streams: unknown): JsonObject[] {
  return streamItems(streams).map((item) => {
    if (!isObject(item) || !isStreamName(item.stream)) throw bad('A stream has no name.');
    const { stream, last = null, version = null, migrates = false, filled } = item;
    if (typeof migrates !== 'boolean') throw bad('`migrates` of a stream is true or false.');
    return { stream, last, version, migrates, filled: filledOf(filled ?? {}) };
  });
}

function filledOf(filled: unknown): JsonObject {
  if (!isObject(filled) || !Object.keys(filled).every(isRealmName))
    throw bad('`filled` of a stream is not an object of realms and revisions.');
  return filled;
}

/** Whether a listener wants pokes of a stream. Without a list it wants those of all. */
export type WantsStream = (stream: string) => boolean;

/** The streams of a hello: names, and prefixes followed by `*`, each alone or as in a pull. */
export function wantedStreams(streams: unknown): WantsStream {
  if (streams === undefined || streams === null) return () => true;
  const names = new Set<string>();
  const prefixes: string[] = [];
  for (const item of streamItems(streams)) {
    const name = isObject(item) ? item.stream : item;
    if (!isStreamName(name)) throw bad('A stream has no name.');
    if (name.endsWith('*')) prefixes.push(name.slice(0, -1));
    else names.add(name);
  }
  return (stream) => names.has(stream) || prefixes.some((prefix) => stream.startsWith(prefix));
}

/** A pull's body, reduced to the members known here (docs/protocol.md). */
export interface CheckedPull {
  readonly client: unknown;
  readonly schema: unknown;
  readonly limit: number;
  readonly refill: boolean;
  readonly have: readonly string[];
  readonly cursors: Readonly<Record<string, string>>;
  readonly scopes: readonly unknown[];
  readonly streams?: readonly unknown[];
  readonly known?: readonly string[];
  readonly lost?: readonly string[];
  readonly given?: Readonly<Record<string, string>>;
  readonly floors?: true;
  readonly images?: false;
}

/** Refuses a pull that is larger than any client's, or has names that cannot exist. */
export function pullOf(body: JsonObject, limit: number): CheckedPull {
  const { client, schema, cursors = {}, have = [], known, lost, scopes = [], refill } = body;
  const { streams, floors, given, images } = body;
  return {
    ...{ client, schema, limit, refill: refill === true, have: idsOf(have, 'have') },
    cursors: cursorsOf(cursors),
    scopes: scopesOf(scopes),
    ...(streams === undefined || streams === null ? {} : { streams: streamsOf(streams) }),
    ...(known === undefined || known === null ? {} : { known: idsOf(known, 'known') }),
    ...(lost === undefined || lost === null ? {} : { lost: idsOf(lost, 'lost') }),
    ...(given === undefined || given === null ? {} : { given: cursorsOf(given, 'given') }),
    ...(floors === true ? { floors } : {}),
    ...(images === false ? { images } : {}),
  };
}
