/**
 * WindowCore: the owner of one window's core, and the typed face of its calls (docs/window.md). It converts and
 * copies, and decides nothing. After `close` every call throws ClosedError.
 */
import type { BrowserModule } from './browser-module.ts';
import type {
  ClientOptions,
  Drained,
  KeptProp,
  LeaseRecord,
  LiveNews,
  StreamNews,
} from './core-types.ts';
import type { Times } from './effects.ts';
import { ClosedError } from './errors.ts';
import { RowCells, RowsCells } from './row-cells.ts';
import type { WindowEffect, WindowEvent } from './window-effects.ts';

/** Numbers of `TxCall` in src/client/transaction_input.h. */
const txCalls = { create: 1, update: 2, inc: 3, delete: 4, move: 5, upsert: 7, append: 8 } as const;
export type OpName = Exclude<keyof typeof txCalls, 'append'>;

export interface QueryDescription {
  readonly table: string;
  readonly where: unknown;
  readonly order: readonly (readonly [
    column: string,
    direction: 'asc' | 'desc',
    locale?: string,
  ])[];
  readonly limit: number | null;
  readonly offset: number;
  /** A row by its id, where it is now; or where it was, by what it had in the columns of the order. */
  readonly after:
    | string
    | { readonly id: string; readonly realm: string; readonly values: readonly unknown[] }
    | null;
  readonly include: readonly IncludeDescription[];
}
export interface IncludeDescription {
  readonly name: string;
  readonly kind: 'ref' | 'back';
  readonly prop: string;
  readonly table: string;
  readonly query: QueryDescription | null;
}

/** `rows`: slots as `sk_query_run` puts them out. */
export type LiveChange = Omit<LiveNews, 'rows'> & { readonly rows: Uint32Array };

/** Drained, with its bytes as words. */
export interface DrainedWords {
  readonly dirty: readonly (readonly [table: number, slots: Uint32Array])[];
  readonly live: readonly LiveChange[];
  readonly streams: readonly StreamNews[];
}

/** An action that is to be appended to a stream. `arg`: JSON text. */
export interface StreamItem {
  readonly name: string;
  readonly arg: string;
}

/** How a transaction ends. */
export interface CommitHow {
  /** The entry of the inbox in whose place it is made. */
  readonly amends?: number;
  /** False: it cannot be undone. */
  readonly undoable?: boolean;
  /** Of an action of a stream: what undoes it. */
  readonly inverseName?: string;
  readonly inverseArg?: string;
}

/** What became of a transaction; null in all of it: nothing was changed. */
export interface Committed {
  readonly id: string | null;
  /** Not the one that was given, if an action of a stream was undone or redone. */
  readonly name: string | null;
  /** Why the inverse cannot be appended; null: it can, or there is none. */
  readonly unfit: string | null;
  readonly effects: readonly WindowEffect[];
}

/** The one negative number that is an answer: there is no such row. */
const notFound = -9;
const aggregates = { sum: 0, min: 1, max: 2 } as const;

/** What the core finds a row by: no id has U+0000. */
export function nameOf(id: string, realm: string | null): string {
  return realm === null ? id : `${id}\0${realm}`;
}

export class WindowCore {
  readonly #module: BrowserModule;
  readonly #cells = new RowCells();
  #handle: number;

  /** @internal */
  constructor(module: BrowserModule, config: ClientOptions) {
    this.#module = module;
    this.#handle = module.bound((bound) => bound.newClient(module.encoded(config)));
  }

  close(): void {
    if (this.#handle === 0) return;
    if (!this.#module.broken) this.#module.bound((bound) => bound.freeClient(this.#handle));
    this.#handle = 0;
  }

  get closed(): boolean {
    return this.#handle === 0;
  }

  get #open(): number {
    if (this.#handle === 0) throw new ClosedError('closed', 'The database is closed.');
    return this.#handle;
  }

  handle(event: WindowEvent & Times): readonly WindowEffect[] {
    this.#module.callWith('_sk_client_handle', event, this.#open);
    return this.#module.output() as WindowEffect[];
  }

  /** A part of that many bytes: its files are copied to where they stay, each as soon as it comes. */
  async loadImagePart(bytes: number, files: readonly Promise<Uint8Array>[]): Promise<void> {
    const module = this.#module;
    const start = module.call('_sk_alloc', bytes);
    let isOwned = false;
    try {
      let at = start;
      for (const file of files) at += module.copyIn(await file, at);
      const handle = this.#open;
      isOwned = true;
      module.call('_sk_client_load', handle, start);
    } finally {
      if (!isOwned && !module.broken) module.call('_sk_free', start);
    }
  }

  /** Throws where a window may not want all of these scopes. */
  checkScopes(scopes: readonly { readonly table: string; readonly where: unknown }[]): void {
    const bytes = this.#module.encoded(scopes);
    this.#module.bound((bound) => bound.checkScopes(this.#open, bytes));
  }

  /** Throws ReadOnlyError if the user's own role forbids what is logged from outside: the body of its record. */
  checkLogged(body: Uint8Array): void {
    this.#module.bound((bound) => bound.checkLogged(this.#open, body));
  }

  /** Whether the user's own role lets rows of the realm be changed, as far as is known here. */
  mayWrite(realm: string): boolean {
    return this.#module.bound((bound) => bound.mayWrite(this.#open, realm)) > 0;
  }

  /** The ids of the pending mutations that change a row. */
  pendingOf(table: number, id: string, realm: string | null): readonly string[] {
    this.#module.bound((bound) => bound.pendingOf(this.#open, table, nameOf(id, realm)));
    return this.#module.output() as string[];
  }

  begin(now: number): void {
    this.#module.call('_sk_tx_begin', this.#open, now);
  }

  /** The action of the open transaction was made elsewhere, or before, under this id. False: it is pending here. */
  again(id: string): boolean {
    const module = this.#module;
    return module.throwing(module.callWithText('_sk_tx_again', id, this.#open)) === 1;
  }

  /** One operation of the open transaction. Returns whether it changed something, and a new row's id. */
  op(
    kind: OpName,
    table: number,
    id: string | null,
    realm: string | null,
    props: unknown,
  ): { changed: boolean; id: string } {
    const changed =
      this.#module.callWith('_sk_tx_op', [id, realm, props], this.#open, txCalls[kind], table) ===
      1;
    const named = kind === 'create' || kind === 'upsert';
    return { changed, id: named ? this.#module.outputText() : (id ?? '') };
  }

  /** Appends the action of the open transaction to a stream. */
  append(stream: string, realm: string): void {
    this.#module.callWith('_sk_tx_op', [stream, realm], this.#open, txCalls.append, 0);
  }

  /**
   * Creates rows of the open transaction, each [id or null, realm or null, ...values of `names`]. Returns the ids that were
   * made, 36 letters each, one behind the other.
   */
  createMany(
    table: number,
    names: readonly string[],
    rows: readonly (readonly unknown[])[],
  ): string {
    this.#module.callWith('_sk_tx_create', [names, ...rows], this.#open, table);
    return this.#module.outputText();
  }

  /** `arg`: JSON text, or null for the operations themselves. */
  commit(name: string, arg: string | null, how: CommitHow): Committed {
    this.#module.callWith('_sk_tx_commit', { name, arg, ...how }, this.#open);
    return this.#module.output() as Committed;
  }

  /** Undoes, or redoes, in the open transaction what comes next; null if there is nothing. */
  undo(redo: boolean): readonly KeptProp[] | null {
    this.#module.bound((bound) => bound.txUndo(this.#open, redo));
    return this.#module.output() as readonly KeptProp[] | null;
  }

  rollback(): readonly WindowEffect[] {
    this.#module.call('_sk_tx_rollback', this.#open);
    return this.#module.output() as WindowEffect[];
  }

  /** The slot of a row, or -1. `realm`: of a table with application-defined ids; null: see `Reader.get`. */
  find(table: number, id: string, realm: string | null): number {
    const slot = this.#module.callWithText('_sk_find', nameOf(id, realm), this.#open, table);
    return slot === notFound ? -1 : this.#module.throwing(slot);
  }

  /** One row, to be used up before the next call. */
  row(table: number, slot: number): RowCells {
    this.#module.call('_sk_row', this.#open, table, slot);
    return this.#module.outputOver(this.#cells);
  }

  /** The first of several, as many as come at once. */
  rows(table: number, slots: Uint32Array): RowsCells {
    const packed = new Uint8Array(slots.buffer, slots.byteOffset, slots.byteLength);
    this.#module.callWithBytes('_sk_rows', packed, this.#open, table);
    return new RowsCells(this.#module.outputBytes(), slots.length);
  }

  isPending(table: number, id: string, realm: string | null): boolean {
    const name = nameOf(id, realm);
    const found = this.#module.callWithText('_sk_is_pending', name, this.#open, table);
    return this.#module.throwing(found) === 1;
  }

  /** Runs `use` with a parsed query, which it must not keep. */
  #withQuery<T>(query: QueryDescription, use: (handle: number, query: number) => T): T {
    const handle = this.#open;
    const parsed = this.#module.callWith('_sk_query_new', query, handle);
    try {
      return use(handle, parsed);
    } finally {
      this.#module.call('_sk_query_free', handle, parsed);
    }
  }

  run(query: QueryDescription): Uint32Array {
    return this.#withQuery(query, (handle, parsed) => {
      this.#module.call('_sk_query_run', handle, parsed);
      return this.#module.outputWords();
    });
  }

  count(query: QueryDescription): number {
    return this.#withQuery(query, (handle, parsed) =>
      this.#module.call('_sk_query_count', handle, parsed),
    );
  }

  aggregate(query: QueryDescription, kind: keyof typeof aggregates, column: number): unknown {
    return this.#withQuery(query, (handle, parsed) => {
      this.#module.call('_sk_query_aggregate', handle, parsed, aggregates[kind], column);
      return this.#module.output();
    });
  }

  openLive(query: QueryDescription): { live: number; rows: Uint32Array } {
    return this.#withQuery(query, (handle, parsed) => {
      const live = this.#module.call('_sk_live_open', handle, parsed);
      return { live, rows: this.#module.outputWords() };
    });
  }

  closeLive(live: number): void {
    if (!this.closed) this.#module.call('_sk_live_close', this.#handle, live);
  }

  drain(): DrainedWords {
    this.#module.call('_sk_drain', this.#open);
    const { dirty, live, streams } = this.#module.output() as Drained;
    return {
      streams,
      dirty: dirty.map(({ table, slots }) => [table, toWords(slots)] as const),
      live: live.map((change) => ({ ...change, rows: toWords(change.rows) })),
    };
  }

  /** The record to write, without reading it first, for a lease of the worker that is released. */
  releasedLease({ owner, epoch }: { owner: string; epoch: number }, now: number): LeaseRecord {
    this.#module.bound((bound) => bound.releaseLease(owner, epoch, now));
    return this.#module.output() as LeaseRecord;
  }
}

/** The codec copies bytes, so they begin where their buffer does. */
function toWords(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
}
