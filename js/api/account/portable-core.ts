/**
 * PortableCore: the owner of one handle of the module `skerry-portable` (wasm/portable.cc), which reads a database's
 * confirmed rows, and converts mutations between their stored and their readable form. Loaded when it is first needed.
 */
import glue, { type MainModule } from '../../../build/wasm/skerry-portable.js';
import { type CoreModule, loadCore } from '../../core/module.ts';
import type { ConfirmedAction } from '../../core/window-effects.ts';
import type { Host } from '../../host/host.ts';

/** A row in plain form (docs/internals.md, section 2); bytes are base64 text. */
export interface PlainRow {
  readonly id: string;
  readonly realm: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly revision: number;
  readonly props: Readonly<Record<string, unknown>>;
}

/** An op of the wire (docs/protocol.md). */
export interface PlainOp {
  readonly op: string;
  readonly table?: string;
  readonly id?: string;
  readonly stream?: string;
  readonly realm: string;
  readonly to?: string;
  readonly [member: string]: unknown;
}

/** A mutation as a file holds it. */
export interface PlainMutation {
  /** The id of its action; null: a new one is made. */
  readonly id: string | null;
  readonly name: string;
  readonly at: number;
  readonly arg: unknown;
  readonly base: Readonly<Record<string, number>>;
  readonly ops: readonly PlainOp[];
}

/** A record of the store `mutations` (docs/internals.md, section 3). */
export interface MutationRecord {
  readonly v: number;
  readonly id: string;
  readonly name: string;
  readonly at: number;
  readonly body: Uint8Array;
  readonly [member: string]: unknown;
}

/** Rows that cross from the core at once. */
const rowsAtOnce = 500;

export class PortableCore {
  readonly #module: CoreModule<MainModule>;
  readonly #handle: number;

  private constructor(module: CoreModule<MainModule>, handle: number) {
    this.#module = module;
    this.#handle = handle;
  }

  /** `wasmUrl`: where the application keeps `skerry.wasm`; this one is in the same folder, under the same query. */
  static async begin(host: Host, wasmUrl: URL | undefined, schema: unknown): Promise<PortableCore> {
    const module = await loadCore(glue, (url) => host.wasm(url), addressOf(wasmUrl));
    const seed = host.random.bytes(32);
    return new PortableCore(module, module.callWith('_sk_portable_new', { schema, seed }));
  }

  close(): void {
    if (!this.#module.broken) this.#module.call('_sk_portable_free', this.#handle);
  }

  /** A part of an image. */
  load(pieces: readonly Uint8Array[]): void {
    this.#module.withBytes(pieces, (pointer, length) =>
      this.#module.call('_sk_portable_load', this.#handle, pointer, length),
    );
  }

  /** The body of a record of `updates`. */
  apply(body: Uint8Array): void {
    this.#module.callWithBytes('_sk_portable_apply', body, this.#handle);
  }

  /** All confirmed rows of a table, by its place in the schema. */
  rows(table: number): PlainRow[] {
    const count = this.#module.call('_sk_portable_list', this.#handle, table);
    const rows: PlainRow[] = [];
    for (let from = 0; from < count; from += rowsAtOnce) {
      this.#module.call('_sk_portable_rows', this.#handle, table, from, rowsAtOnce);
      rows.push(...(this.#module.output() as PlainRow[]));
    }
    return rows;
  }

  /** The content of the body of a row of `actions`. */
  actions(body: Uint8Array): ConfirmedAction[] {
    this.#module.callWithBytes('_sk_portable_actions', body, this.#handle);
    return this.#module.output() as ConfirmedAction[];
  }

  /** The content of the body of a mutation. `leftOut`: why something of it is not there, if the schema lacks the place. */
  read(body: Uint8Array): PlainMutation & { readonly leftOut?: string } {
    this.#module.callWithBytes('_sk_portable_read', body, this.#handle);
    return this.#module.output() as PlainMutation & { readonly leftOut?: string };
  }

  /** The record of a mutation. Throws where a server would refuse it without looking at any row. */
  write(mutation: PlainMutation): MutationRecord {
    this.#module.callWith('_sk_portable_write', mutation, this.#handle);
    return this.#module.output() as MutationRecord;
  }
}

function addressOf(wasmUrl: URL | undefined): URL {
  // Written out, because bundlers look for exactly this expression.
  if (!wasmUrl) return new URL('./skerry-portable.wasm', import.meta.url);
  const url = new URL('skerry-portable.wasm', wasmUrl);
  url.search = wasmUrl.search;
  return url;
}
