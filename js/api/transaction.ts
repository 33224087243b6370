/** Transactions: `tx.<table>` with its writes, and the rules about who may write when. */
import { ClosedError, ValidationError } from '../core/errors.ts';
import type { RowView } from '../core/row-view.ts';
import type { TableCodec } from '../core/values.ts';
import type { OpName } from '../core/window-core.ts';
import type { LiveRegistry } from './live.ts';
import { QueryBuilder, TableReader } from './query.ts';

type Values = Readonly<Record<string, unknown>>;

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
    return this.#put('create', row);
  }

  createMany(rows: readonly Values[]): string[] {
    return rows.map((row) => this.#put('create', row));
  }

  upsert(row: Values): string {
    if (typeof row['id'] !== 'string')
      throw new ValidationError('invalid_id', 'upsert needs an id.');
    return this.#put('upsert', row);
  }

  update(id: string, patch: Values): boolean {
    return this.#op('update', id, null, this.table.propsToPlain(patch, [])).changed;
  }

  delete(id: string): boolean {
    return this.#op('delete', id, null, {}).changed;
  }

  inc(id: string, by: Values): boolean {
    return this.#op('inc', id, null, this.table.propsToPlain(by, [])).changed;
  }

  move(id: string, realm: string): boolean {
    return this.#op('move', id, realm, {}).changed;
  }

  updateWhere(query: unknown, patch: Values): number {
    return this.#idsOf(query).filter((id) => this.update(id, patch)).length;
  }

  deleteWhere(query: unknown): number {
    return this.#idsOf(query).filter((id) => this.delete(id)).length;
  }

  #put(kind: OpName, row: Values): string {
    const { id = null, realm = null } = row as { id?: string | null; realm?: string | null };
    return this.#op(kind, id, realm, this.table.propsToPlain(row, ['id', 'realm'])).id;
  }

  #op(
    kind: OpName,
    id: string | null,
    realm: string | null,
    props: unknown,
  ): { changed: boolean; id: string } {
    if (!this.#state.open)
      throw new ClosedError('closed', 'The transaction has ended: mutators are synchronous.');
    if (id !== null && typeof id !== 'string')
      throw new ValidationError('invalid_id', 'An id is a string.');
    return this.view.core.op(kind, this.table.table.index, id, realm, props);
  }

  #idsOf(query: unknown): readonly string[] {
    if (query instanceof QueryBuilder && query.table === this.table) return query.ids();
    throw new ValidationError(
      'invalid_argument',
      `Give a query of table ${this.table.table.name}.`,
    );
  }
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
