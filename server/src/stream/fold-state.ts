// The state of one stream while it is folded, by the application's reducer. It runs in a thread (fold-thread.ts), or in this process.

import { limits } from '../base/limits.ts';
import type { NamedReducer, ReducerTable, ValueCodec } from './reducers.ts';
import type { StoredState } from './snapshot-rows.ts';

/** Why a stream cannot be folded, whatever is tried: `limit`, `time`, `memory`, `ended`, `failed`. */
export type FaultKind = 'limit' | 'time' | 'memory' | 'ended' | 'failed';

/** A stream cannot be folded by this version of its reducer. */
export class FoldFault extends Error {
  readonly kind: FaultKind;
  constructor(kind: FaultKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export interface FoldedAction {
  readonly id: string;
  /** JSON text; null: null. */
  readonly arg: string | null;
}

/** Actions by which the reducer threw: they are left out, as on clients. */
export interface Failed {
  readonly count: number;
  readonly first: { readonly id: string; readonly message: string } | null;
}

/** After so many bytes of arguments the state is measured. */
const kMeasureEvery = 4 << 20;

/** JSON.stringify writes these as escapes, and nothing else so. */
const halfPair = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** What the application's functions throw, beside a reducer, makes the stream one that cannot be folded. */
function own<V>(what: string, call: () => V): V {
  try {
    return call();
  } catch (error) {
    if (error instanceof FoldFault) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FoldFault('failed', `${what}: ${reason}`, { cause: error });
  }
}

export class FoldState {
  readonly #reducers: ReducerTable;
  readonly #values: ValueCodec;
  readonly #stateBytes: number;
  #reducer: NamedReducer['reducer'] | null = null;
  #state: unknown = null;
  /** Bytes of arguments since the state was measured. */
  #unmeasured = 0;

  constructor(reducers: ReducerTable, values: ValueCodec, stateBytes: number = limits.stateBytes) {
    this.#reducers = reducers;
    this.#values = values;
    this.#stateBytes = stateBytes;
  }

  /** `stored`: the state from which the fold goes on; null: the first one. */
  begin(stream: string, stored: StoredState | null): void {
    const found = this.#reducers.of(stream);
    if (found === null) throw new FoldFault('failed', 'It has no reducer.');
    const { version, migrate, initialState, reducer } = found;
    this.#reducer = reducer;
    this.#unmeasured = 0;
    this.#state = own('Its state could not be read', () => {
      if (stored === null) return initialState;
      const state = this.#values.decode(JSON.parse(stored.state));
      return stored.version !== version && migrate ? migrate(state, stored.version) : state;
    });
  }

  /** Folds one action. Returns what the reducer has thrown, or null. */
  fold({ id, arg }: FoldedAction): Failed['first'] {
    const text = arg ?? 'null';
    let failed: Failed['first'] = null;
    try {
      this.#state = this.#reducer?.(this.#state, this.#values.decode(JSON.parse(text)));
    } catch (error) {
      failed = { id, message: error instanceof Error ? error.message : String(error) };
    }
    this.#unmeasured += text.length;
    if (this.#unmeasured >= kMeasureEvery) this.text();
    return failed;
  }

  /** The state as JSON text. Throws FoldFault if it is too large, or if no client could read it. */
  text(): string {
    this.#unmeasured = 0;
    const text = own('Its state has no JSON', () => {
      const json = JSON.stringify(this.#values.encode(this.#state));
      if (json === undefined) throw new Error('it is undefined');
      return json;
    });
    if (Buffer.byteLength(text) > this.#stateBytes)
      throw new FoldFault('limit', `Its state has more than ${this.#stateBytes} bytes.`);
    if (halfPair.test(text))
      throw new FoldFault(
        'failed',
        'Its state holds half of a surrogate pair: no client could read it.',
      );
    return text;
  }

  /** Lets go of the state. */
  end(): void {
    this.#state = null;
    this.#reducer = null;
  }
}
