// Runs reducers over one stream at a time, and measures the state meanwhile. It is the same in the process of the schema
// module and in the server's own.

import { createHash } from 'node:crypto';
import { thrownText } from '../base/thrown.ts';
import {
  type FoldBegin,
  type FoldDone,
  type FoldedAction,
  type MadeState,
  type PageDone,
  Unfoldable,
} from './folder.ts';
import type { NamedReducer, ReducerTable, ValueCodec } from './reducers.ts';

export interface FoldLimits {
  /** The most bytes of a state, as JSON. */
  readonly stateBytes: number;
  /** It is measured after so many bytes of arguments. */
  readonly measureBytes: number;
}

/** JSON.stringify writes these as escapes, and nothing else so. */
const halfPair = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;
/** Other work waits for no longer than this. */
const kAtOnceMs = 10;

/** The application's code ran, and its mistake is the stream's. */
function ofStream<Value>(what: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof Unfoldable) throw error;
    throw new Unfoldable('failed', `${what}: ${thrownText(error)}`);
  }
}

export class FoldWork {
  readonly #table: ReducerTable;
  readonly #values: ValueCodec;
  readonly #limits: FoldLimits;
  readonly #otherWork: () => Promise<unknown>;
  #reducer: NamedReducer['reducer'] = () => null;
  #state: unknown = null;
  #unmeasured = 0;
  #kept: MadeState | null = null;

  constructor(
    table: ReducerTable,
    values: ValueCodec,
    limits: FoldLimits,
    otherWork: () => Promise<unknown>,
  ) {
    this.#table = table;
    this.#values = values;
    this.#limits = limits;
    this.#otherWork = otherWork;
  }

  begin({ stream, version, from }: FoldBegin): void {
    const named = this.#table.of(stream);
    if (named?.version !== version)
      throw new Error(
        `The module has version ${named?.version ?? 'none'} of the reducer of ${JSON.stringify(stream)}, and not ${version}: it has changed since the server has started.`,
      );
    const { reducer, migrate, initialState } = named;
    this.#reducer = reducer;
    this.#unmeasured = 0;
    this.#kept = null;
    this.#state = ofStream('Its state could not be taken over', () => {
      if (from === null) return initialState;
      const stored = this.#values.decode(JSON.parse(from.state));
      return from.version !== version && migrate ? migrate(stored, from.version) : stored;
    });
  }

  async page(actions: readonly FoldedAction[]): Promise<PageDone> {
    let failed = 0;
    let first: PageDone['first'] = null;
    let since = performance.now();
    for (const { id, arg } of actions) {
      try {
        this.#state = this.#reducer(this.#state, this.#values.decode(JSON.parse(arg ?? 'null')));
      } catch (error) {
        failed++;
        first ??= { id, reason: thrownText(error) };
      }
      this.#unmeasured += arg?.length ?? 0;
      if (performance.now() - since < kAtOnceMs) continue;
      await this.#otherWork();
      since = performance.now();
    }
    if (this.#unmeasured < this.#limits.measureBytes)
      return { failed, first, isMeasured: false, over: null };
    const over = this.#measure();
    return { failed, first, isMeasured: over === null, over };
  }

  finish(): FoldDone {
    const over = this.#measure();
    return { made: over === null ? this.#kept : null, over };
  }

  kept(): MadeState | null {
    return this.#kept;
  }

  /** Keeps the state as text, or returns its bytes if they are too many. */
  #measure(): number | null {
    return ofStream('Its state could not be written', () => {
      const state = JSON.stringify(this.#values.encode(this.#state));
      const bytes = Buffer.byteLength(state);
      if (bytes > this.#limits.stateBytes) return bytes;
      if (halfPair.test(state))
        throw new Unfoldable(
          'failed',
          'Its state holds half of a surrogate pair: no client could read it.',
        );
      this.#unmeasured = 0;
      this.#kept = { state, hash: createHash('sha256').update(state).digest('hex').slice(0, 32) };
      return null;
    });
  }
}
