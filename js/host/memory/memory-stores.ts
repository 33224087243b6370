/** The object stores of a database in memory: what a transaction does to them, and what an upgrade does. */
import type { SchemaChange } from '../idb-schema.ts';
import type { Key, KeyBounds, Read, Write } from '../storage.ts';

export interface StoredRecords {
  readonly autoIncrement: boolean;
  records: Map<Key, unknown>;
  nextKey: number;
}

/** The stores after these changes; the stores of the argument stay as they are. */
export function changedStores(
  stores: ReadonlyMap<string, StoredRecords>,
  changes: readonly SchemaChange[],
): ReadonlyMap<string, StoredRecords> {
  const after = new Map<string, StoredRecords>();
  for (const [name, { records, ...rest }] of stores)
    after.set(name, { ...rest, records: new Map(records) });
  for (const change of changes) {
    if ('rewrite' in change) rewrite(after.get(change.rewrite), change.change);
    else if (after.has(change.addStore)) throw new Error(`${change.addStore} is there already`);
    else {
      const { addStore, autoIncrement } = change;
      after.set(addStore, { autoIncrement, records: new Map(), nextKey: 1 });
    }
  }
  return after;
}

function rewrite(
  store: StoredRecords | undefined,
  change: (value: unknown, key: Key) => unknown,
): void {
  if (!store) throw new Error('there is no such store');
  for (const { key, value } of readRange(store, {})) {
    const after = change(value, key);
    if (after !== undefined) store.records.set(key, structuredClone(after));
  }
}

export function applyOne(store: StoredRecords, write: Write, keys: number[]): void {
  if ('put' in write) store.records.set(write.key, structuredClone(write.put));
  else if ('add' in write) {
    const key = store.nextKey++;
    store.records.set(key, structuredClone(write.add));
    keys.push(key);
  } else if ('delete' in write) store.records.delete(write.delete);
  else
    for (const { key } of readRange(store, { ...write.deleteRange, limit: null, last: false }))
      store.records.delete(key);
}

export function readOne(store: StoredRecords, read: Read): unknown {
  if ('get' in read) return structuredClone(store.records.get(read.get)) ?? null;
  if ('count' in read) return store.records.size;
  return readRange(store, read.range);
}

/** IndexedDB's order of keys: numbers before strings. */
function compareKeys(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function readRange(store: StoredRecords, range: KeyBounds): { key: Key; value: unknown }[] {
  const { above = null, from = null, to = null } = range;
  const found = [...store.records]
    .filter(
      ([key]) =>
        (above === null || compareKeys(key, above) > 0) &&
        (from === null || compareKeys(key, from) >= 0) &&
        (to === null || compareKeys(key, to) <= 0),
    )
    .sort(([a], [b]) => compareKeys(a, b));
  if (range.last) found.reverse();
  return found
    .slice(0, range.limit ?? undefined)
    .map(([key, value]) => ({ key, value: structuredClone(value) }));
}
