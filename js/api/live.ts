/**
 * Live values. The core is asked to keep a query up to date only while it has subscribers; without them
 * `value` asks again when something changed since. Either way `value` is the same object until it differs.
 */
import { ClosedError, reportUncaught } from '../core/errors.ts';
import { newMemo, type QueryMemo, type RowView, sameItems } from '../core/row-view.ts';
import type { LiveChange, QueryDescription } from '../core/window-core.ts';
import { makeStop } from './stop.ts';
import type { Delta, Live, Stop } from './types.ts';

/** The kind of a live value: a query's rows, its first row, or their number. */
export type LiveKind = 'rows' | 'first' | 'count';

/** Live queries that are open in the core, by its number for them. */
export class LiveRegistry {
  readonly view: RowView;
  readonly #open = new Map<number, LiveValue>();
  readonly #calls: (() => void)[] = [];
  #calling = false;

  constructor(view: RowView) {
    this.view = view;
  }

  add(live: number, value: LiveValue): void {
    this.#open.set(live, value);
  }

  remove(live: number): void {
    this.#open.delete(live);
    this.view.core.closeLive(live);
  }

  /**
   * Takes what `sk_drain` gave; all values are up to date before the first subscriber hears of one. A subscriber that
   * writes causes a transaction within these calls: its own calls come after them, so that all subscribers get both in order.
   */
  take(changes: readonly LiveChange[]): () => void {
    for (const change of changes)
      this.guard(() => this.#calls.push(...(this.#open.get(change.live)?.change(change) ?? [])));
    return () => {
      if (this.#calling) return;
      this.#calling = true;
      for (let call = this.#calls.shift(); call; call = this.#calls.shift()) this.guard(call);
      this.#calling = false;
    };
  }

  /**
   * A subscriber's mistake, or a value that cannot be made, must stop neither the others nor the transaction: it is reported
   * like any uncaught error.
   */
  guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      reportUncaught(error);
    }
  }
}

interface Subscriber {
  readonly fn: (value: never, delta?: Delta) => void;
  /** Whether the first call has been made. */
  primed: boolean;
}

const unset: unique symbol = Symbol('unset');

export class LiveValue implements Live<unknown> {
  readonly #registry: LiveRegistry;
  readonly #query: QueryDescription;
  readonly #kind: LiveKind;
  readonly #memo: QueryMemo;
  readonly #subscribers = new Set<Subscriber>();
  #live = 0;
  #value: unknown = unset;
  /** The last change could not be taken: the value is one from before. */
  #failed = false;
  #version = -1;

  constructor(registry: LiveRegistry, query: QueryDescription, kind: LiveKind) {
    this.#registry = registry;
    // The number of rows needs neither their order nor what they include.
    this.#query = kind === 'count' ? { ...query, include: [] } : query;
    this.#kind = kind;
    this.#memo = newMemo(this.#query);
  }

  get value(): unknown {
    const { view } = this.#registry;
    if (view.core.closed) {
      if (this.#value === unset) throw new ClosedError('closed', 'The database is closed.');
      return this.#value;
    }
    // Inside of a transaction its own writes are seen, and nothing is kept of them.
    if (view.writing) return this.#project(view.core.run(this.#query), newMemo(this.#query));
    if (this.#failed || (this.#live === 0 && this.#version !== view.version)) {
      this.#update(view.core.run(this.#query));
      this.#version = view.version;
    }
    return this.#value;
  }

  subscribe(fn: (value: never, delta?: Delta) => void): Stop {
    if (this.#subscribers.size === 0) this.#start();
    const subscriber: Subscriber = { fn, primed: false };
    this.#subscribers.add(subscriber);
    queueMicrotask(() => {
      if (!this.#subscribers.has(subscriber)) return;
      subscriber.primed = true;
      this.#registry.guard(() => fn(this.#value as never));
    });
    return makeStop(() => {
      if (this.#subscribers.delete(subscriber) && this.#subscribers.size === 0) this.#end();
    });
  }

  /** Takes a change of the core, and returns the calls that are due. */
  change({ rows, added, removed, changed, moved }: LiveChange): (() => void)[] {
    const before = this.#value;
    this.#update(rows);
    const value = this.#value;
    if (value === before) return [];
    const delta: Delta = Object.freeze({ added, removed, changed, moved });
    return [...this.#subscribers]
      .filter(({ primed }) => primed)
      .map((subscriber) => () => {
        if (this.#subscribers.has(subscriber)) subscriber.fn(value as never, delta);
      });
  }

  #start(): void {
    const { live, rows } = this.#registry.view.core.openLive(this.#query);
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
    if (this.#kind === 'count') return stream[0] ?? 0;
    const rows = this.#registry.view.rowsOf(this.#query, stream, memo);
    return this.#kind === 'rows' ? rows : rows[0];
  }
}
