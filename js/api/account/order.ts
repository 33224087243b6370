/** Orders rows for mutations: parents before rows that refer to them, in batches within the limits of a mutation. */
import { ConflictError } from '../../core/errors.ts';
import type { SchemaDef } from '../../core/prop-def.ts';
import type { PlainMutation, PlainOp, PlainRow } from './portable-core.ts';

export interface TableRow {
  readonly table: string;
  readonly row: PlainRow;
}

/** Half of what one update holds, so that grouping has room, and a window's group commits stay short. */
const maxRows = 500;
const maxBytes = 256 << 10;

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

/**
 * A server judges each update by itself: one whose row refers to a row of a later one would lose it again. Where refs form a
 * cycle, one row has to be first; the others follow it directly.
 */
export function parentsFirst(rows: readonly TableRow[], schema: SchemaDef): TableRow[] {
  const keyOf = ({ table, row }: TableRow) => rowKey(row.realm, table, row.id);
  const waiting = new Map(rows.map((each) => [keyOf(each), each]));
  const refs = new Map(
    schema.tables.map(({ name, props }) => [
      name,
      props.flatMap((prop) => (prop.ref ? [{ name: prop.name, table: prop.ref.table }] : [])),
    ]),
  );
  const ordered: TableRow[] = [];
  for (const first of rows) {
    // With an explicit stack: a chain of refs may be longer than the call stack is deep.
    const path: { readonly each: TableRow; entered: boolean }[] = [{ each: first, entered: false }];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const { each, entered } = top;
      if (entered) {
        path.pop();
        ordered.push(each);
        continue;
      }
      if (!waiting.delete(keyOf(each))) {
        path.pop();
        continue;
      }
      top.entered = true;
      for (const ref of refs.get(each.table) ?? []) {
        const target = each.row.props[ref.name];
        // A ref leads to a row of its own realm.
        const parent =
          typeof target === 'string' && waiting.get(rowKey(each.row.realm, ref.table, target));
        if (parent) path.push({ each: parent, entered: false });
      }
    }
  }
  return ordered;
}

/** Mutations that create the rows, in their order. */
export function creating(rows: readonly TableRow[], name: string, at: number): PlainMutation[] {
  const mutations: PlainMutation[] = [];
  let ops: PlainOp[] = [];
  let bytes = 0;
  const flush = () => {
    if (ops.length > 0) mutations.push({ id: null, name, at, arg: null, base: {}, ops });
    ops = [];
    bytes = 0;
  };
  for (const { table, row } of rows) {
    const op = { op: 'create', table, id: row.id, realm: row.realm, set: row.props };
    const size = JSON.stringify(op).length;
    if (ops.length === maxRows || bytes + size > maxBytes) flush();
    ops.push(op);
    bytes += size;
  }
  flush();
  return mutations;
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
