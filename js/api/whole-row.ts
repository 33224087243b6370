/**
 * A whole row that is given back: `update(id, { ...row, text })`, `upsert({ ...row, text })`, `create({ ...row, id: undefined })`. What
 * it has besides its props (`id`, `realm`, the two times, lists that `include` added) changes nothing, so it is taken where it is
 * what the row has or gave. Anything else there is a wish that cannot be fulfilled, and is refused.
 */
import { isDate, timeOf } from '../core/brand.ts';
import { ValidationError } from '../core/errors.ts';
import { wasGiven } from '../core/mutable-copy.ts';
import type { RowView } from '../core/row-view.ts';
import type { RowObject, TableCodec } from '../core/values.ts';

interface RowMember {
  readonly key: string;
  readonly value: unknown;
  /** The row that is to be changed; null: it is to be created. */
  readonly own: (() => RowObject | undefined) | null;
}

/** Whether a member that is no prop is one of the row's own. False: the table knows no such name. Throws ValidationError. */
export function isOfRow(
  view: RowView,
  { table }: TableCodec,
  { key, value, own }: RowMember,
): boolean {
  switch (key) {
    case 'id':
    case 'realm': {
      const mine = own?.();
      if (mine === undefined || mine[key] === value) return true;
      throw refused(
        table.name,
        key,
        key === 'id'
          ? 'the id of a row does not change.'
          : 'only move() brings a row to another realm.',
      );
    }
    case 'createdAt':
    case 'modifiedAt':
      if (wasGiven(value) || isTime(value, own?.()?.[key])) return true;
      throw refused(
        table.name,
        key,
        'the database sets it. Leave it out, or give back what the row has.',
      );
    default: {
      const refers = view.schema.byName
        .get(key)
        ?.props.some(({ ref }) => ref?.table === table.name);
      if (!refers) return false;
      if (wasGiven(value)) return true;
      throw refused(
        table.name,
        key,
        `rows of ${key} are changed in their own table. Leave out what include() added.`,
      );
    }
  }
}

function isTime(value: unknown, own: Date | undefined): boolean {
  return own !== undefined && isDate(value) && timeOf(value) === timeOf(own);
}

function refused(table: string, key: string, why: string): ValidationError {
  return new ValidationError('invalid_argument', `${table}.${key}: ${why}`);
}
