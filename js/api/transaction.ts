/** Transactions: `tx.<table>` with its writes, and the rules for when they are allowed. */
import { ClosedError, ValidationError } from '../core/errors.ts';
import { type RowView, sameItems } from '../core/row-view.ts';
import type { RowObject, TableCodec } from '../core/values.ts';
import type { OpName } from '../core/window-core.ts';
import type { LiveRegistry } from './live.ts';
import { type InRealm, QueryBuilder, realmIn, TableReader } from './query.ts';
import { isOfRow } from './whole-row.ts';

type Values = Readonly<Record<string, unknown>>;
/** A row on its way to the core: its id, its realm, and its values. */
type Batched = readonly [id: string | null, realm: string | null, ...values: unknown[]];

/** Rows that cross to the core at once: more win nothing, and their memory stays the core's. */
const batchRows = 64;
/** The number of characters of a UUID as text. */
const idLength = 36;

/** Whether a transaction still runs; its writers share it, and fail after its end. */
export interface TransactionState {
  open: boolean;
}

export class TableWriter extends TableReader {
  readonly #state: TransactionState;

  constructor(lives: LiveRegistry, table: TableCodec, state: TransactionState) {
    super(lives, table);
    this.#state = state;
  }

  create(row: Values): string {
    return this.createMany([row])[0] as string;
  }

  createMany(rows: readonly Values[]): string[] {
    const ids: string[] = [];
    let names: readonly string[] = [];
    let batch: Batched[] = [];
    const flush = () => {
      const taken = batch;
      batch = [];
      if (taken.length > 0) this.#createBatch(names, taken, ids);
    };
    try {
      for (const row of rows) {
        const { id, realm } = this.#placeOf(row);
        const props = this.#propsOf(row, null);
        const keys = Object.keys(props);
        if (batch.length === batchRows || !sameItems(keys, names)) flush();
        names = keys;
        batch.push([id, realm, ...Object.values(props)]);
      }
    } finally {
      // Those before a row that is refused are created, as one by one.
      flush();
    }
    return ids;
  }

  #createBatch(names: readonly string[], rows: readonly Batched[], ids: string[]): void {
    this.#refuseEnded();
    const made = this.view.core.createMany(this.table.table.index, names, rows);
    let at = 0;
    for (const [id] of rows) {
      ids.push(id ?? made.slice(at, at + idLength));
      if (id === null) at += idLength;
    }
  }

  upsert(row: Values): string {
    if (typeof row['id'] !== 'string')
      throw new ValidationError('invalid_id', 'upsert needs an id.');
    const { id, realm } = this.#placeOf(row);
    const own = () => this.view.get(this.table, row['id'] as string, this.#realmOfName(realm));
    return this.#op('upsert', id, realm, this.#propsOf(row, own)).id;
  }

  update(id: string, patch: Values, options?: InRealm): boolean {
    const realm = realmIn(this.table, options);
    const own = () => this.view.get(this.table, id, realm);
    return this.#op('update', id, realm, this.#propsOf(patch, own)).changed;
  }

  delete(id: string, options?: InRealm): boolean {
    return this.#op('delete', id, realmIn(this.table, options), {}).changed;
  }

  inc(id: string, by: Values, options?: InRealm): boolean {
    const realm = realmIn(this.table, options);
    return this.#op('inc', id, realm, this.table.propsToPlain(by)).changed;
  }

  move(id: string, realm: string): boolean {
    return this.#op('move', id, realm, {}).changed;
  }

  updateWhere(query: unknown, patch: Values): number {
    const rows = this.#rowsOf(query);
    return rows.filter(({ id, realm }) => this.update(id, patch, this.#in(realm))).length;
  }

  deleteWhere(query: unknown): number {
    return this.#rowsOf(query).filter(({ id, realm }) => this.delete(id, this.#in(realm))).length;
  }

  #in(realm: unknown): InRealm | undefined {
    return this.table.table.ids === 'string' ? { realm: realm as string } : undefined;
  }

  /** Of a new row, or of a patch of one that there is: all that `{ ...row }` has besides its props is left out. */
  #propsOf(values: Values, own: (() => RowObject | undefined) | null): Record<string, unknown> {
    return this.table.propsToPlain(values, (key, value) =>
      isOfRow(this.view, this.table, { key, value, own }),
    );
  }

  /** Only application-defined ids need a realm to name a row. */
  #realmOfName(realm: string | null): string | null {
    return this.table.table.ids === 'string' ? realm : null;
  }

  #placeOf(row: Values): { id: string | null; realm: string | null } {
    const { id = null, realm = null } = row as { id?: string | null; realm?: string | null };
    if (id !== null) refuseOtherIds(id);
    return { id, realm };
  }

  #refuseEnded(): void {
    if (!this.#state.open)
      throw new ClosedError('closed', 'The transaction has ended: mutators are synchronous.');
  }

  #op(
    kind: OpName,
    id: string | null,
    realm: string | null,
    props: unknown,
  ): { changed: boolean; id: string } {
    this.#refuseEnded();
    if (id !== null) refuseOtherIds(id);
    return this.view.core.op(kind, this.table.table.index, id, realm, props);
  }

  #rowsOf(query: unknown): readonly RowObject[] {
    if (query instanceof QueryBuilder && query.table === this.table)
      return this.view.run({ ...query.description, include: [] });
    throw new ValidationError(
      'invalid_argument',
      `Give a query of table ${this.table.table.name}.`,
    );
  }
}

function refuseOtherIds(id: unknown): void {
  if (typeof id !== 'string') throw new ValidationError('invalid_id', 'An id is a string.');
}

/** The `tx` of one transaction. */
export function makeTransaction(
  lives: LiveRegistry,
  view: RowView,
  state: TransactionState,
): Record<string, TableWriter> {
  return Object.freeze(
    Object.fromEntries(
      view.codec.tables.map((table) => [table.table.name, new TableWriter(lives, table, state)]),
    ),
  );
}
