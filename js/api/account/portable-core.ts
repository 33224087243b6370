/**
 * PortableCore: the owner of one handle of wasm/portable.cc, which reads a database's confirmed rows, and converts mutations
 * between their stored and their readable form. It is in an instance of its own, because the memory of one never shrinks: that
 * of the window would stay as large as what was exported.
 */
import type { MainModule } from '../../../build/wasm/skerry.js';
import { type BrowserModule, ownModule } from '../../core/browser-module.ts';
import type { ConfirmedAction, MutationRecord } from '../../core/core-types.ts';
import type { DatabaseCore } from '../database-core.ts';

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

/** A mutation that creates rows, and the record of it. */
export interface Creation extends Pick<PlainMutation, 'id' | 'name' | 'ops'> {
  readonly record: MutationRecord;
}

/** Rows that cross at once. */
const rowsAtOnce = 500;

export class PortableCore {
  readonly #module: BrowserModule;
  readonly #handle: number;

  private constructor(module: BrowserModule, handle: number) {
    this.#module = module;
    this.#handle = handle;
  }

  /** Of the window’s module and schema. */
  static async begin({ parts }: DatabaseCore): Promise<PortableCore> {
    const module = await ownModule(parts.module.compiled);
    const schema = parts.codec.describe();
    const seed = parts.host.random.bytes(32);
    const options = module.encoded({ schema, seed });
    return new PortableCore(
      module,
      module.bound((bound) => bound.newPortable(options)),
    );
  }

  close(): void {
    if (!this.#module.broken) this.#call((bound, handle) => bound.freePortable(handle));
  }

  #call(use: (bound: MainModule, handle: number) => number): number {
    return this.#module.bound((bound) => use(bound, this.#handle));
  }

  /** A part of an image. */
  load(pieces: readonly Uint8Array[]): void {
    this.#module.withBytes(pieces, (address, length) =>
      this.#call((bound, handle) => bound.portableLoad(handle, address, length)),
    );
  }

  /** The body of a record of `updates`. */
  apply(body: Uint8Array): void {
    this.#call((bound, handle) => bound.portableApply(handle, body));
  }

  /** All confirmed rows of a table, by its place in the schema. */
  rows(table: number): PlainRow[] {
    const count = this.#call((bound, handle) => bound.portableList(handle, table));
    const rows: PlainRow[] = [];
    for (let from = 0; from < count; from += rowsAtOnce) {
      this.#call((bound, handle) => bound.portableRows(handle, table, from, rowsAtOnce));
      rows.push(...(this.#module.output() as PlainRow[]));
    }
    return rows;
  }

  /** The records of mutations that create rows: parents before rows that refer to them. The ops cross once: there may be many. */
  creating(ops: readonly PlainOp[], name: string, at: number): Creation[] {
    for (let from = 0; from < ops.length; from += rowsAtOnce) {
      const some = this.#module.encoded(ops.slice(from, from + rowsAtOnce));
      this.#call((bound, handle) => bound.portableAdd(handle, some));
    }
    this.#call((bound, handle) => bound.portableOrder(handle));
    const mutations = this.#module.output() as number[][];
    return mutations.map((places) => ({
      record: this.#write({ id: null, name, at, arg: null, base: {}, places }),
      id: null,
      name,
      ops: places.map((place) => ops[place] as PlainOp),
    }));
  }

  /** The content of the body of a row of `actions`. */
  actions(body: Uint8Array): ConfirmedAction[] {
    this.#call((bound, handle) => bound.portableActions(handle, body));
    return this.#module.output() as ConfirmedAction[];
  }

  /** The content of the body of a mutation. `leftOut`: why something of it is not there, if the schema lacks the place. */
  read(body: Uint8Array): PlainMutation & { readonly leftOut?: string } {
    this.#call((bound, handle) => bound.portableRead(handle, body));
    return this.#module.output() as PlainMutation & { readonly leftOut?: string };
  }

  /** The record of a mutation. Throws where a server would refuse it without looking at any row. */
  write(mutation: PlainMutation): MutationRecord {
    return this.#write(mutation);
  }

  #write(mutation: object): MutationRecord {
    const content = this.#module.encoded(mutation);
    this.#call((bound, handle) => bound.portableWrite(handle, content));
    return this.#module.output() as MutationRecord;
  }
}
