// The reducers of the schema module: streams that the server folds, too, so that a newcomer loads a snapshot in place of
// all actions. The functions are the application's: the same ones as on clients.

import { isObject } from '../base/json.ts';
import { SetupError } from '../base/setup-error.ts';

/** A reducer, as `db.stream` of the package `skerry` takes it. */
export interface StreamReducer {
  /** Pure: the same state and action give the same state, here and on every device. */
  // biome-ignore lint/suspicious/noExplicitAny: the application's own types
  readonly reducer: (state: any, action: any) => unknown;
  readonly initialState: unknown;
  /** As on clients; 1 by default. */
  readonly version?: number;
  /** Takes a state of an earlier version over. */
  // biome-ignore lint/suspicious/noExplicitAny: the application's own types
  readonly migrate?: (state: any, version: number) => unknown;
}

/** By the name of a stream, or a prefix followed by `*`. */
export type Reducers = Readonly<Record<string, StreamReducer>>;

/** How typed values (dates, bytes, enums, classes) become JSON, and back. */
export interface ValueCodec {
  encode(value: unknown): unknown;
  decode(json: unknown): unknown;
}

const kAsTheyAre: ValueCodec = { encode: (value) => value, decode: (json) => json };

/** Under this symbol the result of schema() of the package `skerry` has its codec. */
const kValues = Symbol.for('skerry.values');

/** The codec of a schema; for a description of one, which is plain JSON, values are as they are. */
export function valuesOf(schema: unknown): ValueCodec {
  const made = isObject(schema) ? (schema as { [kValues]?: () => ValueCodec })[kValues] : undefined;
  return made === undefined ? kAsTheyAre : made();
}

export interface NamedReducer {
  readonly reducer: StreamReducer['reducer'];
  readonly initialState: unknown;
  readonly version: number;
  readonly migrate: StreamReducer['migrate'] | null;
}

function checked(name: string, given: unknown): NamedReducer {
  const wrong = (what: string) => new SetupError(`\`reducers\`: ${JSON.stringify(name)} ${what}.`);
  if (!isObject(given) || typeof given.reducer !== 'function' || !('initialState' in given))
    throw wrong('has no `reducer` and `initialState`');
  const { reducer, initialState, version = 1, migrate = null } = given as unknown as StreamReducer;
  if (!Number.isSafeInteger(version) || version < 1) throw wrong('has a `version` below 1');
  if (migrate !== null && typeof migrate !== 'function')
    throw wrong('has a `migrate` that is no function');
  return { reducer, initialState, version, migrate };
}

/** Finds the reducer of a stream: that of its name, else that of the longest prefix. */
export class ReducerTable {
  readonly #exact = new Map<string, NamedReducer>();
  /** The longest prefix first. */
  readonly #prefixes: (readonly [string, NamedReducer])[] = [];

  /** Throws SetupError. */
  constructor(reducers: unknown) {
    if (reducers === undefined) return;
    if (!isObject(reducers)) throw new SetupError('`reducers` is no object of reducers by stream.');
    for (const [name, given] of Object.entries(reducers)) {
      const reducer = checked(name, given);
      if (name.endsWith('*')) this.#prefixes.push([name.slice(0, -1), reducer]);
      else this.#exact.set(name, reducer);
    }
    this.#prefixes.sort(([a], [b]) => b.length - a.length);
  }

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefixes.length === 0;
  }

  of(stream: string): NamedReducer | null {
    const exact = this.#exact.get(stream);
    if (exact !== undefined) return exact;
    return this.#prefixes.find(([prefix]) => stream.startsWith(prefix))?.[1] ?? null;
  }
}
