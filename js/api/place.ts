/** The place after which a page begins: where a row was when it was read, whatever has become of it since. */
import { ValidationError } from '../core/errors.ts';
import type { TableCodec } from '../core/values.ts';
import type { QueryDescription } from '../core/window-core.ts';

export interface RowWithId {
  readonly id: string;
}

/** Throws ValidationError for what is no row. */
export function checkRow(row: unknown): RowWithId | null {
  if (row === null || row === undefined) return null;
  if (typeof (row as Partial<RowWithId>).id === 'string') return row as RowWithId;
  throw new ValidationError('invalid_argument', 'after() takes a row, or null.');
}

/**
 * By what the row has in the columns of the order; only by its id where it lacks one of these: then the place is where the row is
 * now, and there is none once the row is deleted.
 */
export function placeOf(
  codec: TableCodec,
  row: RowWithId,
  { order, include }: QueryDescription,
): QueryDescription['after'] {
  const values = row as RowWithId & Readonly<Record<string, unknown>>;
  const { id, realm } = values;
  // The same application-defined id may exist in several realms.
  if (typeof realm !== 'string' && codec.table.ids === 'string') return id;
  const plain: unknown[] = [];
  for (const [column] of order) {
    let value = values[column];
    // In place of a ref, include() puts a row: null may also mean that it is not here.
    if (include.some(({ kind, name }) => kind === 'ref' && name === column))
      value = (value as Partial<RowWithId> | null | undefined)?.id;
    if (value === undefined) return id;
    plain.push(codec.toPlain(column, value));
  }
  return { id, realm: typeof realm === 'string' ? realm : '', values: plain };
}
