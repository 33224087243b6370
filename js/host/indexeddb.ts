/**
 * Storage on IndexedDB. See storage.ts for the guarantee, FINDINGS-derived rules in short: nothing but the transaction's
 * own requests is awaited inside of one; ranges by getAll and getAllKeys, never cursors; a dead handle is never kept;
 * every operation has a time limit; keys are shown only after completion, because an abort hands them out again.
 */
import { ClosedError, QuotaError, SkerryError, StorageError } from '../core/errors.ts';
import type {
  Committed,
  Decision,
  KeyRange,
  Read,
  Storage,
  StorageHost,
  StorageLoss,
  TransactRequest,
  Write,
} from './storage.ts';
import { skerryStores } from './storage.ts';

export interface IndexedDbOptions {
  readonly timeLimitMs?: number;
  /** Attempts to open before the storage is called lost, with doubling pauses in between. */
  readonly openAttempts?: number;
  readonly firstPauseMs?: number;
}

const idbfsVersion = 21;
const idbfsStore = 'FILE_DATA';

export function indexedDbStorage(options: IndexedDbOptions = {}): StorageHost {
  const limits = { timeLimitMs: 10_000, openAttempts: 4, firstPauseMs: 100, ...options };
  return {
    async open(name, onLost) {
      const storage = new IndexedDbStorage(name, onLost, limits);
      await storage.ready();
      return storage;
    },
    delete: (name) => deleteWithGenerations(name, limits.timeLimitMs),
    readFiles: (mount, paths) => readIdbfs(mount, paths, limits.timeLimitMs),
  };
}

class IndexedDbStorage implements Storage {
  readonly #name: string;
  readonly #onLost: (loss: StorageLoss, error: Error | null) => void;
  readonly #limits: Required<IndexedDbOptions>;
  #connection: IDBDatabase | null = null;
  #opening: Promise<IDBDatabase> | null = null;
  #closed = false;
  #generation = 0;
  /** Transactions that have not been asked to commit: in a frozen page they would stay open and block every window. */
  readonly #deciding = new Set<IDBTransaction>();

  constructor(
    name: string,
    onLost: (loss: StorageLoss, error: Error | null) => void,
    limits: Required<IndexedDbOptions>,
  ) {
    this.#name = name;
    this.#onLost = onLost;
    this.#limits = limits;
  }

  async ready(): Promise<void> {
    await this.#connect();
  }

  async transact(
    request: TransactRequest,
    decide: (results: readonly unknown[]) => Decision,
  ): Promise<Committed> {
    let db = await this.#connect();
    let tx: IDBTransaction;
    try {
      tx = begin(db, request);
    } catch {
      // The handle died without a `close` event: one fresh connection, then the failure is the caller's.
      this.#drop();
      db = await this.#connect();
      try {
        tx = begin(db, request);
      } catch (error) {
        throw storageError(error, 'storage_lost');
      }
    }
    this.#deciding.add(tx);
    const decideOnce = (results: readonly unknown[]) => {
      const decision = decide(results);
      if (decision.type !== 'more') this.#deciding.delete(tx);
      return decision;
    };
    try {
      return await runTransaction(tx, request.reads, decideOnce, this.#limits.timeLimitMs);
    } finally {
      this.#deciding.delete(tx);
    }
  }

  putNow(store: string, key: string, value: unknown): boolean {
    if (!this.#connection) return false;
    try {
      const tx = this.#connection.transaction(store, 'readwrite', { durability: 'relaxed' });
      tx.objectStore(store).put(value, key);
      tx.commit?.();
      return true;
    } catch {
      return false; // The connection is gone: the caller hears it, and time-outs do the rest.
    }
  }

  suspend(): void {
    this.#drop();
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #drop(): void {
    this.#generation++;
    for (const tx of this.#deciding) abortQuietly(tx);
    this.#deciding.clear();
    this.#connection?.close();
    this.#connection = null;
    this.#opening = null;
  }

  async #connect(): Promise<IDBDatabase> {
    if (this.#closed) throw new ClosedError('closed', 'The storage is closed.');
    if (this.#connection) return this.#connection;
    this.#opening ??= this.#openWithRetries();
    const opening = this.#opening;
    try {
      return await opening;
    } finally {
      if (this.#opening === opening) this.#opening = null;
    }
  }

  async #openWithRetries(): Promise<IDBDatabase> {
    const generation = this.#generation;
    let pauseMs = this.#limits.firstPauseMs;
    for (let attempt = 1; ; attempt++) {
      try {
        const db = await openDatabase(this.#name, this.#limits.timeLimitMs);
        if (this.#closed || generation !== this.#generation) {
          db.close();
          throw new ClosedError(
            'closed',
            'The storage was closed or suspended while it was opened.',
          );
        }
        this.#adopt(db);
        return db;
      } catch (error) {
        const final = attempt >= this.#limits.openAttempts || !isWorthRetrying(error);
        if (final) {
          if (!(error instanceof ClosedError)) this.#onLost('connection-lost', error as Error);
          throw error;
        }
        await pause(pauseMs);
        pauseMs *= 2;
      }
    }
  }

  #adopt(db: IDBDatabase): void {
    this.#connection = db;
    db.onversionchange = () => {
      // Somebody deletes or upgrades the database: to hold on would block them.
      this.close();
      this.#onLost('deleted-or-upgraded', null);
    };
    db.onclose = () => {
      if (this.#connection === db) this.#connection = null;
    };
  }
}

function begin(db: IDBDatabase, request: TransactRequest): IDBTransaction {
  return db.transaction([...request.stores], request.mode, {
    durability: request.durability ?? 'strict',
  });
}

/** Reads, decides, writes. Each continuation runs in a request's own event, so the transaction stays active. */
function runTransaction(
  tx: IDBTransaction,
  reads: readonly Read[],
  decide: (results: readonly unknown[]) => Decision,
  timeLimitMs: number,
): Promise<Committed> {
  return new Promise((resolve, reject) => {
    let failure: unknown = null;
    let aborted = false;
    const keys: number[] = [];
    const limit = setTimeout(() => {
      failure = new StorageError(
        'storage_timeout',
        `IndexedDB did not answer within ${timeLimitMs} ms.`,
        { retryable: true },
      );
      abortQuietly(tx);
      // An engine that hangs may never report the abort either.
      reject(failure);
    }, timeLimitMs);
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
      clearTimeout(limit);
      if (failure) reject(storageError(failure, 'storage_failed'));
      else resolve({ committed: true, keys });
    };
    tx.onabort = () => {
      clearTimeout(limit);
      if (aborted && !failure) resolve({ committed: false, keys: [] });
      else reject(storageError(failure ?? tx.error, 'storage_failed'));
    };
    try {
      runReads(tx, reads, next, fail);
    } catch (error) {
      fail(error);
    }
  });
}

function abortQuietly(tx: IDBTransaction): void {
  try {
    tx.abort();
  } catch {
    // It has ended already, which is what was wanted; its own event tells how.
  }
}

function runReads(
  tx: IDBTransaction,
  reads: readonly Read[],
  then: (results: readonly unknown[]) => void,
  fail: (error: unknown) => void,
): void {
  const results = new Array<unknown>(reads.length);
  // A range is two requests: keys and values. One more holds the transaction when there is nothing to read.
  let open = reads.length || 1;
  const done = () => {
    if (--open === 0) then(results);
  };
  if (reads.length === 0) {
    const store = tx.objectStore(tx.objectStoreNames[0] as string);
    listen(store.getKey(0), done, fail);
    return;
  }
  reads.forEach((read, index) => {
    const store = tx.objectStore(read.store);
    if ('get' in read) {
      listen(
        store.get(read.get),
        (value) => {
          results[index] = value ?? null;
          done();
        },
        fail,
      );
    } else if ('count' in read) {
      listen(
        store.count(),
        (count) => {
          results[index] = count;
          done();
        },
        fail,
      );
    } else {
      readRange(
        store,
        read.range,
        (rows) => {
          results[index] = rows;
          done();
        },
        fail,
      );
    }
  });
}

function readRange(
  store: IDBObjectStore,
  range: KeyRange,
  then: (rows: { key: IDBValidKey; value: unknown }[]) => void,
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
    (values) => then(keys.map((key, i) => ({ key, value: values[i] as unknown }))),
    fail,
  );
}

function toIdbRange(range: KeyRange): IDBKeyRange | null {
  const lower = range.above ?? range.from ?? null;
  const open = range.above !== undefined && range.above !== null;
  const upper = range.to ?? null;
  if (lower !== null && upper !== null)
    return lower > upper ? emptyRange() : IDBKeyRange.bound(lower, upper, open, false);
  if (lower !== null) return IDBKeyRange.lowerBound(lower, open);
  return upper === null ? null : IDBKeyRange.upperBound(upper);
}

/** IndexedDB throws on bounds that cross; no key of ours is an array, so this finds nothing. */
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

function listen<T>(
  request: IDBRequest<T>,
  then: (value: T) => void,
  fail: (error: unknown) => void,
): void {
  request.onsuccess = () => then(request.result);
  request.onerror = () => fail(request.error);
}

function openDatabase(name: string, timeLimitMs: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    let request: IDBOpenDBRequest;
    try {
      request = indexedDB.open(name, 1);
    } catch (error) {
      reject(storageError(error, 'storage_refused'));
      return;
    }
    let late = false;
    const limit = setTimeout(() => {
      late = true;
      reject(
        new StorageError('storage_timeout', `IndexedDB did not open within ${timeLimitMs} ms.`, {
          retryable: true,
        }),
      );
    }, timeLimitMs);
    request.onupgradeneeded = () => {
      for (const { name: store, autoIncrement } of skerryStores)
        request.result.createObjectStore(store, { autoIncrement });
    };
    request.onsuccess = () => {
      clearTimeout(limit);
      if (late) request.result.close();
      else resolve(request.result);
    };
    request.onerror = () => {
      clearTimeout(limit);
      reject(storageError(request.error, 'storage_refused'));
    };
  });
}

function isWorthRetrying(error: unknown): boolean {
  const cause = error instanceof SkerryError ? error.cause : error;
  const name = (cause as { name?: unknown } | null | undefined)?.name;
  // WebKit's lost connection shows as UnknownError; refusals (private mode, policy, a newer version) do not change.
  return name === 'UnknownError' || name === 'AbortError' || name === 'TimeoutError';
}

function storageError(error: unknown, code: string): Error {
  if (error instanceof SkerryError) return error;
  const name = (error as { name?: unknown } | null)?.name;
  const message = (error as { message?: unknown } | null)?.message;
  const text = `IndexedDB: ${typeof message === 'string' && message ? message : String(name ?? 'failed')}`;
  if (name === 'QuotaExceededError')
    return new QuotaError('quota', text, { cause: error, retryable: true });
  if (name === 'VersionError') return new StorageError('storage_newer', text, { cause: error });
  return new StorageError(code, text, { cause: error, retryable: code === 'storage_failed' });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function deleteWithGenerations(name: string, timeLimitMs: number): Promise<void> {
  await deleteDatabase(name, timeLimitMs);
  // Without `databases()` (old Firefox) generations stay behind; they hold nothing that a new database would read.
  const list = (await indexedDB.databases?.()) ?? [];
  for (const { name: other } of list) {
    if (other?.startsWith(`/${name}/`)) await deleteDatabase(other, timeLimitMs);
  }
}

function deleteDatabase(name: string, timeLimitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    const limit = setTimeout(() => {
      reject(
        new StorageError('storage_blocked', `Other windows keep the database ${name} open.`, {
          retryable: true,
        }),
      );
    }, timeLimitMs);
    request.onsuccess = () => {
      clearTimeout(limit);
      resolve();
    };
    request.onerror = () => {
      clearTimeout(limit);
      reject(storageError(request.error, 'storage_failed'));
    };
  });
}

/** Reads IDBFS's own database with none of its code; makes nothing where there is nothing. */
function readIdbfs(
  mount: string,
  paths: readonly string[],
  timeLimitMs: number,
): Promise<readonly (Uint8Array | null)[]> {
  return new Promise((resolve, reject) => {
    const nothing = paths.map(() => null);
    const request = indexedDB.open(mount, idbfsVersion);
    const limit = setTimeout(() => {
      reject(
        new StorageError(
          'storage_timeout',
          `Reading ${mount} took longer than ${timeLimitMs} ms.`,
          { retryable: true },
        ),
      );
    }, timeLimitMs);
    const end = (outcome: () => void) => {
      clearTimeout(limit);
      outcome();
    };
    request.onupgradeneeded = () => request.transaction?.abort();
    request.onerror = () => {
      const missing = request.error?.name === 'AbortError';
      end(() =>
        missing ? resolve(nothing) : reject(storageError(request.error, 'storage_failed')),
      );
    };
    request.onsuccess = () => {
      const db = request.result;
      db.onversionchange = () => db.close();
      const found: (Uint8Array | null)[] = [...nothing];
      const tx = db.transaction(idbfsStore, 'readonly');
      const store = tx.objectStore(idbfsStore);
      paths.forEach((path, index) => {
        const get = store.get(path);
        get.onsuccess = () => {
          found[index] = contentsOf(get.result);
        };
      });
      tx.oncomplete = () => {
        db.close();
        end(() => resolve(found));
      };
      tx.onabort = () => {
        db.close();
        end(() => reject(storageError(tx.error, 'storage_failed')));
      };
    };
  });
}

/** Depending on who wrote it, `contents` is a Uint8Array or an Int8Array. */
function contentsOf(entry: unknown): Uint8Array | null {
  const contents = (entry as { contents?: unknown } | undefined)?.contents;
  if (!ArrayBuffer.isView(contents)) return null;
  return new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength);
}
