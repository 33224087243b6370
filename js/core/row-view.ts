/**
 * RowView: rows as frozen objects whose identity shows whether they changed. A row is decoded once and kept until the
 * core says that its slot's content is another. Inside of a transaction nothing is kept, because the same slot may change
 * with every operation.
 */
import { SchemaError } from './errors.ts';
import { giving, withMembers } from './mutable-copy.ts';
import type { SchemaDef } from './prop-def.ts';
import { systemColumns } from './prop-def.ts';
import type { RowObject, SchemaCodec, TableCodec } from './values.ts';
import {
  type DrainedWords,
  type IncludeDescription,
  nameOf,
  type QueryDescription,
  type WindowCore,
} from './window-core.ts';

/** A row with its included rows: rebuilt only if one of its parts is another object. */
interface Composite {
  readonly base: RowObject;
  readonly parts: readonly unknown[];
  readonly row: RowObject;
}

/** The memory of one query between runs, so that unchanged rows with included ones stay the same objects. */
export interface QueryMemo {
  readonly rows: Map<number, Composite>;
  readonly includes: readonly QueryMemo[];
}

function hasOwnIds(table: TableCodec | undefined): boolean {
  return table?.table.ids === 'string';
}

export function newMemo(query: QueryDescription): QueryMemo {
  const includes = query.include.map((include) =>
    newMemo(include.query ?? emptyQuery(include.table)),
  );
  return { rows: new Map(), includes };
}

export function emptyQuery(table: string): QueryDescription {
  return { table, where: null, order: [], limit: null, offset: 0, after: null, include: [] };
}

/** Numbers of the system columns in src/model/schema.h; props are numbered from 0. */
const firstSystemColumn = 0xfff0;

/** Slots are numbered without large gaps, so their rows lie in arrays of this many, made when needed. */
const pageBits = 10;
const pageSlots = 1 << pageBits;
type Pages = (RowObject | undefined)[][];

/** So many rows are read together, and no more. */
const fewest = 4;
const most = 128;

export class RowView {
  readonly core: WindowCore;
  readonly codec: SchemaCodec;
  /** By table, and there by slot. */
  readonly #rows: readonly Pages[];
  /** Rows of `#rows` that were asked for by id, twice: a look-up here costs a fraction of one in the core. */
  readonly #byId: readonly Map<string, RowObject>[];
  #version = 0;
  #writing = false;
  #validating = false;

  constructor(core: WindowCore, codec: SchemaCodec) {
    this.core = core;
    this.codec = codec;
    this.#rows = codec.tables.map(() => []);
    this.#byId = codec.tables.map(() => new Map());
  }

  get schema(): SchemaDef {
    return this.codec.schema;
  }

  /** Differs whenever any row may differ. */
  get version(): number {
    return this.#version;
  }

  get writing(): boolean {
    return this.#writing;
  }

  beginWriting(): void {
    this.#writing = true;
  }

  endWriting(): void {
    this.#writing = false;
  }

  /** A rule of the application runs, which only reads. */
  get validating(): boolean {
    return this.#validating;
  }

  beginValidating(): void {
    this.#validating = true;
  }

  endValidating(): void {
    this.#validating = false;
  }

  /** Forgets what changed, as `sk_drain` reports. */
  forget(drained: DrainedWords): void {
    for (const [table, slots] of drained.dirty) {
      for (const slot of slots) {
        const page = this.#rows[table]?.[slot >> pageBits];
        const row = page?.[slot & (pageSlots - 1)];
        if (!page || !row) continue;
        page[slot & (pageSlots - 1)] = undefined;
        this.#byId[table]?.delete(row.id);
      }
      // Which row an id names depends on the realms of all rows that have it.
      if (hasOwnIds(this.codec.tables[table])) this.#byId[table]?.clear();
    }
    if (drained.dirty.length > 0) this.#version++;
  }

  get(table: TableCodec, id: string, realm: string | null = null): RowObject | undefined {
    const { index } = table.table;
    const name = nameOf(id, realm);
    const known = this.#byId[index] as Map<string, RowObject>;
    if (!this.#writing && !this.core.closed) {
      const row = known.get(name);
      if (row) return row;
    }
    const slot = this.core.find(index, id, realm);
    if (slot < 0) return undefined;
    return this.#row(table, slot, id, name);
  }

  #pageOf(index: number, slot: number): Pages[number] {
    const pages = this.#rows[index] as Pages;
    pages[slot >> pageBits] ??= new Array(pageSlots);
    return pages[slot >> pageBits] as Pages[number];
  }

  /** `id` and `name`, if it is asked for by them. */
  #row(table: TableCodec, slot: number, id?: string, name?: string): RowObject {
    const { index } = table.table;
    if (this.#writing) return table.readRow(this.core.row(index, slot), id);
    const page = this.#pageOf(index, slot);
    const at = slot & (pageSlots - 1);
    const known = page[at];
    if (known && name !== undefined) this.#byId[index]?.set(name, known);
    const row = known ?? table.readRow(this.core.row(index, slot), id);
    page[at] = row;
    return row;
  }

  /** Reads those that are not known yet, if they are many: so each costs about half of what it does by itself. */
  #readMany(table: TableCodec, slots: Uint32Array): void {
    if (this.#writing || slots.length < fewest) return;
    const { index } = table.table;
    const isKnown = (slot: number) => this.#pageOf(index, slot)[slot & (pageSlots - 1)];
    let unknown = slots.filter((slot) => !isKnown(slot));
    while (unknown.length >= fewest) {
      const cells = this.core.rows(index, unknown.subarray(0, most));
      if (cells.count === 0) return;
      for (let i = 0; i < cells.count; i++) {
        const slot = unknown[i] as number;
        const row = table.readRow(cells.row(i));
        // The application's own code may have read it meanwhile.
        this.#pageOf(index, slot)[slot & (pageSlots - 1)] ??= row;
      }
      unknown = unknown.subarray(cells.count);
    }
  }

  run(query: QueryDescription, memo: QueryMemo = newMemo(query)): readonly RowObject[] {
    return this.rowsOf(query, this.core.run(query), memo);
  }

  /** Rows out of a stream of slots: n, then per row its slot, then per include n and as many rows. */
  rowsOf(query: QueryDescription, stream: Uint32Array, memo: QueryMemo): readonly RowObject[] {
    return this.#readRows(query, { stream, at: 0 }, memo);
  }

  #readRows(
    query: QueryDescription,
    cursor: { stream: Uint32Array; at: number },
    memo: QueryMemo,
  ): readonly RowObject[] {
    const table = this.codec.table(query.table);
    const count = cursor.stream[cursor.at++] ?? 0;
    const rows = new Array<RowObject>(count);
    if (query.include.length === 0)
      this.#readMany(table, cursor.stream.subarray(cursor.at, cursor.at + count));
    for (let i = 0; i < count; i++) {
      const slot = cursor.stream[cursor.at++] as number;
      const base = this.#row(table, slot);
      rows[i] =
        query.include.length === 0 ? base : this.#composite(query, cursor, memo, slot, base);
    }
    return Object.freeze(rows);
  }

  #composite(
    query: QueryDescription,
    cursor: { stream: Uint32Array; at: number },
    memo: QueryMemo,
    slot: number,
    base: RowObject,
  ): RowObject {
    const before = memo.rows.get(slot);
    const parts = query.include.map((include, i) => {
      const inner = include.query ?? emptyQuery(include.table);
      const rows = this.#readRows(inner, cursor, memo.includes[i] as QueryMemo);
      if (include.kind === 'ref') return rows[0] ?? null;
      const kept = before?.parts[i] as readonly RowObject[] | undefined;
      return kept && sameItems(kept, rows) ? kept : giving(rows);
    });
    if (before && before.base === base && sameItems(before.parts, parts)) return before.row;
    const included = Object.fromEntries(query.include.map(({ name }, i) => [name, parts[i]]));
    const composite = { base, parts, row: withMembers(base, included) as RowObject };
    memo.rows.set(slot, composite);
    return composite.row;
  }

  ids(query: QueryDescription): readonly string[] {
    const plain = query.include.length > 0 ? { ...query, include: [] } : query;
    return this.run(plain).map(({ id }) => id);
  }

  columnNumber(table: TableCodec, column: string): number {
    const system = systemColumns.indexOf(column as (typeof systemColumns)[number]);
    if (system >= 0) return firstSystemColumn + system;
    const prop = table.table.props.findIndex(({ name }) => name === column);
    if (prop < 0) throw table.unknownColumn(column);
    return prop;
  }
}

export function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** How a query includes rows under this name: by a ref of its own table, or rows of another that refer to it. */
export function resolveInclude(
  schema: SchemaDef,
  table: string,
  name: string,
  via: string | undefined,
): Omit<IncludeDescription, 'query'> {
  const own = schema.byName.get(table)?.byName.get(name);
  if (own?.ref) return { name, kind: 'ref', prop: name, table: own.ref.table };
  const prop = resolveBackRef(schema, table, name, via);
  return { name, kind: 'back', prop, table: name };
}

/** The ref of `details` to `table`: the only one, or the one named. */
export function resolveBackRef(
  schema: SchemaDef,
  table: string,
  details: string,
  via: string | undefined,
): string {
  const other = schema.byName.get(details);
  if (!other)
    throw new SchemaError(
      'unknown_table',
      `${table} has no ref ${details}, and there is no such table.`,
    );
  const refs = other.props.filter((prop) => prop.ref?.table === table).map(({ name }) => name);
  if (via !== undefined) {
    if (refs.includes(via)) return via;
    throw new SchemaError('unknown_prop', `${details}.${via} is no ref to ${table}.`);
  }
  const [only, second] = refs;
  if (only === undefined)
    throw new SchemaError('unknown_prop', `${details} has no ref to ${table}.`);
  if (second !== undefined) {
    throw new SchemaError(
      'unknown_prop',
      `${details} has several refs to ${table}: name one with via.`,
    );
  }
  return only;
}
