/** Orders rows for mutations: parents before rows that refer to them, in batches within the limits of a mutation. */
import type { SchemaDef } from '../../core/prop-def.ts';
import type { PlainMutation, PlainOp, PlainRow } from './portable-core.ts';

export interface TableRow {
  readonly table: string;
  readonly row: PlainRow;
}

/** Half of what one update holds, so that grouping has room, and a window's group commits stay short. */
const maxRows = 500;
const maxBytes = 256 << 10;

/**
 * A server judges each update by itself: one whose row refers to a row of a later one would lose it again. Where refs form a
 * cycle, one row has to be first; the others follow it directly.
 */
export function parentsFirst(rows: readonly TableRow[], schema: SchemaDef): TableRow[] {
  const key = (table: string, id: string) => `${table}\0${id}`;
  const waiting = new Map(rows.map((each) => [key(each.table, each.row.id), each]));
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
      if (!waiting.delete(key(each.table, each.row.id))) {
        path.pop();
        continue;
      }
      top.entered = true;
      for (const ref of refs.get(each.table) ?? []) {
        const target = each.row.props[ref.name];
        const parent = typeof target === 'string' && waiting.get(key(ref.table, target));
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
  const base = Object.fromEntries(
    Object.entries(mutation.base).map(([realm, revision]) => [of(realm), revision]),
  );
  return { ...mutation, base, ops };
}
