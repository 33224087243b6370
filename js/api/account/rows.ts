/** Rows and mutations on their way into another database: the realms in which they are then, and what creates the rows. */
import { ConflictError } from '../../core/errors.ts';
import type { Creation, PlainMutation, PlainRow, PortableCore } from './portable-core.ts';

export interface TableRow {
  readonly table: string;
  readonly row: PlainRow;
}

/** What names a row: the same id in two realms is two rows. */
export function rowKey(realm: string, table: string, id: string): string {
  return `${realm}\0${table}\0${id}`;
}

/**
 * The rows in the realms where they are to be, as `inRealms` places ops. Throws ConflictError where rows of two realms would become
 * one: one of them would be lost.
 */
export function rowsInRealms(
  rows: readonly TableRow[],
  realms: ReadonlyMap<string, string>,
): TableRow[] {
  const from = new Map<string, string>();
  return rows.map(({ table, row }) => {
    const realm = realms.get(row.realm) ?? row.realm;
    const key = rowKey(realm, table, row.id);
    const other = from.get(key);
    if (other !== undefined && other !== row.realm)
      throw new ConflictError(
        'conflict',
        `The realms ${other} and ${row.realm} both have a row ${row.id} of ${table}, and both become the realm ${realm}: delete one of the two, or create it under another id, where they were made.`,
      );
    from.set(key, row.realm);
    return { table, row: { ...row, realm } };
  });
}

/** Mutations that create the rows. In which order, and how many, the core decides (src/log/creation_order.h). */
export function creating(
  portable: PortableCore,
  rows: readonly TableRow[],
  name: string,
  at: number,
): Creation[] {
  const creates = rows.map(({ table, row: { id, realm, props } }) => ({
    ...{ op: 'create', table, id, realm, set: props },
  }));
  return portable.creating(creates, name, at);
}

/** The same in another realm, wherever it names one of the keys of `realms`. */
export function inRealms(
  mutation: PlainMutation,
  realms: ReadonlyMap<string, string>,
): PlainMutation {
  const of = (realm: string) => realms.get(realm) ?? realm;
  const ops = mutation.ops.map((op) => ({
    ...op,
    realm: of(op.realm),
    ...(op.to === undefined ? {} : { to: of(op.to) }),
  }));
  // A realm's own revision counts, not that of one that becomes it.
  const revisions = Object.entries(mutation.base).sort(
    ([a], [b]) => Number(of(a) === a) - Number(of(b) === b),
  );
  const base = Object.fromEntries(revisions.map(([realm, revision]) => [of(realm), revision]));
  return { ...mutation, base, ops };
}
