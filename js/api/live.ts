/**
 * Live values. The core is asked to keep a query up to date only while it has subscribers; without them
 * `value` asks again when something changed since. Either way `value` is the same object until it differs.
 */
import { ClosedError } from '../core/errors.ts';
import { newMemo, type QueryMemo, type RowView, sameItems } from '../core/row-view.ts';
import type { LiveChange, QueryDescription } from '../core/window-core.ts';
import { CallQueue, guard } from './call-queue.ts';
import { makeStop } from './stop.ts';
import { Subscribers } from './subscribers.ts';
import type { Delta, Live, Stop } from './types.ts';

/** The kind of a live value: a query's rows, its first row, or their number. */
export type LiveKind = 'rows' | 'first' | 'count';

type LiveCalls = (() => void)[];

/** Live queries that are open in the core, by its number for them. */
export class LiveRegistry {
  readonly view: RowView;
  readonly open = new Map<number, LiveValue>();
  /** Of an inspector: it runs each update of a value, and may measure it. */
  watch: ((live: number, update: () => LiveCalls) => LiveCalls) | null = null;
  /** Of subscribers, also of those that are not of queries: all get the changes of one transaction before those of the next. */
  readonly calls = new CallQueue();

  constructor(view: RowView) {
    this.view = view;
  }

  add(live: number, value: LiveValue): void {
    this.open.set(live, value);
  }

  remove(live: number): void {
    this.open.delete(live);
    this.view.core.closeLive(live);
  }

  /**
   * Takes what `sk_drain` gave; all values are up to date before the first subscriber hears of one. A subscriber that
   * writes causes a transaction within these calls: its own calls come after them, so that all subscribers get both in order.
   */
  take(changes: readonly LiveChange[]): () => void {
    for (const change of changes) {
      const update = () => this.open.get(change.live)?.change(change) ?? [];
      guard(() => this.calls.add(this.watch?.(change.live, update) ?? update()));
    }
    return () => this.calls.run();
  }
}

const unset: unique symbol = Symbol('unset');

export class LiveValue implements Live<unknown> {
  readonly #registry: LiveRegistry;
  readonly query: QueryDescription;
  readonly kind: LiveKind;
  readonly #memo: QueryMemo;
  readonly #subscribers = new Subscribers<unknown>(() => this.#value);
  #live = 0;
  #value: unknown = unset;
  /** The last change could not be taken: the value is one from before. */
  #failed = false;
  #version = -1;

  constructor(registry: LiveRegistry, query: QueryDescription, kind: LiveKind) {
    this.#registry = registry;
    // The number of rows needs neither their order nor what they include.
    this.query = kind === 'count' ? { ...query, include: [] } : query;
    this.kind = kind;
    this.#memo = newMemo(this.query);
  }

  get value(): unknown {
    const { view } = this.#registry;
    if (view.core.closed) {
      if (this.#value === unset) throw new ClosedError('closed', 'The database is closed.');
      return this.#value;
    }
    // Inside of a transaction its own writes are seen, and nothing is kept of them.
    if (view.writing) return this.#project(view.core.run(this.query), newMemo(this.query));
    if (this.#failed || (this.#live === 0 && this.#version !== view.version)) {
      this.#update(view.core.run(this.query));
      this.#version = view.version;
    }
    return this.#value;
  }

  subscribe(fn: (value: never, delta?: Delta) => void): Stop {
    if (this.#subscribers.isEmpty) this.#start();
    const stop = this.#subscribers.add(fn as (value: unknown, delta?: Delta) => void);
    return makeStop(() => {
      const wasHeard = !this.#subscribers.isEmpty;
      stop();
      if (wasHeard && this.#subscribers.isEmpty) this.#end();
    });
  }

  /** Takes a change of the core, and returns the calls that are due. */
  change({ rows, added, removed, changed, moved }: LiveChange): (() => void)[] {
    const before = this.#value;
    this.#update(rows);
    const value = this.#value;
    if (value === before) return [];
    const delta: Delta = Object.freeze({ added, removed, changed, moved });
    return this.#subscribers.calls(value, delta);
  }

  #start(): void {
    const { live, rows } = this.#registry.view.core.openLive(this.query);
    this.#live = live;
    this.#registry.add(live, this);
    try {
      this.#update(rows);
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): void {
    this.#registry.remove(this.#live);
    this.#live = 0;
    this.#version = this.#registry.view.version;
  }

  #update(stream: Uint32Array): void {
    const before = this.#value;
    this.#failed = true;
    const value = this.#project(stream, this.#memo);
    this.#failed = false;
    const same = Array.isArray(value) && Array.isArray(before) && sameItems(value, before);
    if (!same) this.#value = value;
  }

  #project(stream: Uint32Array, memo: QueryMemo): unknown {
    if (this.kind === 'count') return stream[0] ?? 0;
    const rows = this.#registry.view.rowsOf(this.query, stream, memo);
    return this.kind === 'rows' ? rows : rows[0];
  }
}
