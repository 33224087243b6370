/**
 * One transaction of IndexedDB in the shape of storage.ts: reads, a decision, writes. Nothing but the transaction's own
 * requests is awaited inside of it; ranges are read by getAll and getAllKeys. A cursor only finds where the last rows of
 * a range begin.
 */
import { inTime, listen, storageTimeout } from './idb-request.ts';
import type {
  Decision,
  Key,
  KeyBounds,
  Read,
  TransactRequest,
  TransactResult,
  Write,
} from './storage.ts';

export function begin(db: IDBDatabase, request: TransactRequest): IDBTransaction {
  return db.transaction([...request.stores], request.mode, {
    durability: request.durability ?? 'strict',
  });
}

/** Reads, decides, writes. Each continuation runs in a request's own event, so the transaction stays active. */
export function runTransaction(
  tx: IDBTransaction,
  reads: readonly Read[],
  decide: (results: readonly unknown[]) => Decision,
  timeLimitMs: number,
): Promise<TransactResult> {
  let failure: unknown = null;
  const late = () => {
    const error = storageTimeout(`IndexedDB did not answer within ${timeLimitMs} ms.`);
    failure = error;
    // An engine that hangs may never report the abort, so nothing waits for it.
    abortQuietly(tx);
    return error;
  };
  return inTime(timeLimitMs, late, 'storage_failed', (resolve, reject) => {
    let aborted = false;
    const keys: number[] = [];
    const fail = (error: unknown) => {
      failure ??= error;
      abortQuietly(tx);
    };
    const step = (results: readonly unknown[]) => {
      const decision = decide(results);
      if (decision.type === 'more') runReads(tx, decision.reads, next, fail);
      else if (decision.type === 'write') applyWrites(tx, decision.writes, keys, fail);
      else {
        aborted = true;
        abortQuietly(tx);
      }
    };
    const next = (results: readonly unknown[]) => {
      try {
        step(results);
      } catch (error) {
        fail(error);
      }
    };
    tx.oncomplete = () => {
      if (failure) reject(failure);
      else resolve({ committed: true, keys });
    };
    tx.onabort = () => {
      if (aborted && !failure) resolve({ committed: false, keys: [] });
      else reject(failure ?? tx.error);
    };
    try {
      runReads(tx, reads, next, fail);
    } catch (error) {
      fail(error);
    }
  });
}

export function abortQuietly(tx: IDBTransaction): void {
  try {
    tx.abort();
  } catch {
    // It has ended already, which is what was wanted; its own event reports how.
  }
}

function runReads(
  tx: IDBTransaction,
  reads: readonly Read[],
  then: (results: readonly unknown[]) => void,
  fail: (error: unknown) => void,
): void {
  const results = new Array<unknown>(reads.length);
  let open = reads.length;
  // Nothing to wait for: the transaction was begun in this task and is active still.
  if (open === 0) then(results);
  reads.forEach((read, index) => {
    const store = tx.objectStore(read.store);
    const take = (result: unknown) => {
      results[index] = result ?? null;
      if (--open === 0) then(results);
    };
    if ('get' in read) listen(store.get(read.get), take, fail);
    else if ('count' in read) listen(store.count(), take, fail);
    else if (read.range.last) readLast(store, read.range, take, fail);
    else readRange(store, read.range, take, fail);
  });
}

type TakeRows = (rows: { key: IDBValidKey; value: unknown }[]) => void;

/** One step of a cursor goes over all of them but the first, whose key is then known. */
function readLast(
  store: IDBObjectStore,
  range: KeyBounds,
  then: TakeRows,
  fail: (error: unknown) => void,
): void {
  const { limit, ...whole } = range;
  const descending: TakeRows = (rows) => then(rows.reverse());
  if (limit === null || limit === undefined) {
    readRange(store, whole, descending, fail);
    return;
  }
  let isThere = limit <= 1;
  listen(
    store.openKeyCursor(toIdbRange(range), 'prev'),
    (cursor) => {
      if (cursor === null) readRange(store, whole, descending, fail);
      else if (isThere)
        readRange(store, { ...whole, above: null, from: cursor.key as Key }, descending, fail);
      else {
        isThere = true;
        cursor.advance(limit - 1);
      }
    },
    fail,
  );
}

function readRange(
  store: IDBObjectStore,
  range: KeyBounds,
  then: TakeRows,
  fail: (error: unknown) => void,
): void {
  const bounds = toIdbRange(range);
  const limit = range.limit ?? undefined;
  let keys: IDBValidKey[] = [];
  listen(
    store.getAllKeys(bounds, limit),
    (found) => {
      keys = found;
    },
    fail,
  );
  // Requests of one transaction are answered in their order, so the keys are there.
  listen(
    store.getAll(bounds, limit),
    (values) =>
      then(keys.map((key, i) => ({ key, value: values[i] as unknown })).filter(hasOurKey)),
    fail,
  );
}

/** No record of this package has a date, a list or bytes as its key: another script of the origin has put it there. */
function hasOurKey({ key }: { key: IDBValidKey }): boolean {
  return typeof key === 'number' || typeof key === 'string';
}

function toIdbRange(range: KeyBounds): IDBKeyRange | null {
  const lower = range.above ?? range.from ?? null;
  const open = range.above !== undefined && range.above !== null;
  const upper = range.to ?? null;
  if (lower !== null && upper !== null)
    return lower > upper ? emptyRange() : IDBKeyRange.bound(lower, upper, open, false);
  if (lower !== null) return IDBKeyRange.lowerBound(lower, open);
  return upper === null ? null : IDBKeyRange.upperBound(upper);
}

/** IndexedDB throws on bounds that cross; no key of this package is an array, so this finds nothing. */
function emptyRange(): IDBKeyRange {
  return IDBKeyRange.lowerBound([]);
}

function applyWrites(
  tx: IDBTransaction,
  writes: readonly Write[],
  keys: number[],
  fail: (error: unknown) => void,
): void {
  for (const write of writes) {
    const store = tx.objectStore(write.store);
    if ('put' in write) listen(store.put(write.put, write.key), ignore, fail);
    else if ('add' in write) {
      const at = keys.push(0) - 1;
      listen(
        store.add(write.add),
        (key) => {
          keys[at] = key as number;
        },
        fail,
      );
    } else if ('delete' in write) listen(store.delete(write.delete), ignore, fail);
    else {
      const range = toIdbRange(write.deleteRange);
      listen(range ? store.delete(range) : store.clear(), ignore, fail);
    }
  }
  if (writes.length > 0) tx.commit?.();
}

function ignore(): void {}
