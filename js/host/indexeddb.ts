/**
 * Storage on IndexedDB: the connection. A dead handle is never kept, every operation has a time limit, and whoever wants
 * to delete or upgrade the database is not kept waiting.
 */
import { ClosedError, QuotaError, SkerryError, StorageError } from '../core/errors.ts';
import { deleteIdbfs, deleteWithGenerations, listIdbfs, readIdbfs } from './idb-files.ts';
import { inTime, listen, storageError, storageTimeout } from './idb-request.ts';
import { abortQuietly, begin, runTransaction } from './idb-transaction.ts';
import {
  type Committed,
  type Decision,
  type OnLost,
  readNow,
  type Storage,
  type StorageHost,
  type StorageLoss,
  skerryStores,
  type TransactRequest,
} from './storage.ts';

/** In the store `sync`: tells a database from one that is made anew under its name. */
const identityKey = 'made';

export interface IndexedDbOptions {
  readonly timeLimitMs?: number;
  /** Attempts to open before the storage is called lost, with doubling pauses in between. */
  readonly openAttempts?: number;
  readonly firstPauseMs?: number;
}

export function indexedDbStorage(options: IndexedDbOptions = {}): StorageHost {
  const limits = { timeLimitMs: 10_000, openAttempts: 4, firstPauseMs: 100, ...options };
  const open = async (name: string, onLost: OnLost, mustExist: boolean) => {
    const storage = new IndexedDbStorage(name, onLost, limits, mustExist);
    await storage.ready();
    return storage;
  };
  return {
    open: (name, onLost) => open(name, onLost, false),
    reopen: (name, onLost) => open(name, onLost, true),
    // Refused or not known here: the engine evicts when it must, and that is told (`dataLost`).
    persist: () => void navigator.storage?.persist?.().catch(() => {}),
    delete: (name) => deleteWithGenerations(name, limits.timeLimitMs),
    deleteFiles: (mount) => deleteIdbfs(mount, limits.timeLimitMs),
    listFiles: listIdbfs,
    readFiles: (mount, paths) => readIdbfs(mount, paths, limits.timeLimitMs),
  };
}

class IndexedDbStorage implements Storage {
  readonly #name: string;
  readonly #onLost: OnLost;
  readonly #limits: Required<IndexedDbOptions>;
  #connection: IDBDatabase | null = null;
  #opening: Promise<IDBDatabase> | null = null;
  #closed = false;
  #generation = 0;
  /** It was there before: if it is gone now it is not made anew. */
  #mustExist: boolean;
  /** How it went, if it is gone. While it was suspended nobody could tell that it was deleted. */
  #loss: StorageLoss = 'evicted';
  #suspended = false;
  /** Of the database that was opened first; resolves with undefined where it could not be read. */
  #identity: Promise<unknown> | null = null;
  /** Transactions that have not been asked to commit: in a frozen page they would stay open and block every window. */
  readonly #deciding = new Set<IDBTransaction>();
  dropped: string | null = null;

  constructor(
    name: string,
    onLost: OnLost,
    limits: Required<IndexedDbOptions>,
    mustExist: boolean,
  ) {
    this.#name = name;
    this.#onLost = onLost;
    this.#limits = limits;
    this.#mustExist = mustExist;
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
    } catch (error) {
      if (error instanceof QuotaError) spendNext(db, request);
      throw error;
    } finally {
      this.#deciding.delete(tx);
    }
  }

  putNow(store: string, key: string, value: unknown): boolean {
    return this.#writeNow(store, (into) => into.put(value, key));
  }

  addNow(store: string, values: readonly unknown[]): boolean {
    return this.#writeNow(store, (into) => {
      for (const value of values) into.add(value);
    });
  }

  #writeNow(store: string, write: (into: IDBObjectStore) => void): boolean {
    if (!this.#connection) return false;
    try {
      const tx = this.#connection.transaction(store, 'readwrite', { durability: 'relaxed' });
      write(tx.objectStore(store));
      tx.commit?.();
      return true;
    } catch {
      return false; // The connection is gone: the caller hears it, and time-outs do the rest.
    }
  }

  suspend(): void {
    this.#suspended = true;
    this.#loss = 'deleted-or-upgraded';
    this.#drop();
  }

  resume(): void {
    this.#suspended = false;
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
    if (this.#suspended) {
      throw new StorageError('storage_suspended', 'The page stands still.', { retryable: true });
    }
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
        const { timeLimitMs } = this.#limits;
        const db = await openDatabase(this.#name, timeLimitMs, this.#mustExist, (event) => {
          if ((event.dataLoss ?? 'none') !== 'none') this.dropped = event.dataLossMessage ?? '';
        });
        if (db === null || (await this.#isAnother(db))) {
          db?.close();
          if (!this.#closed) {
            this.close();
            this.#onLost(this.#loss, null);
          }
          throw new ClosedError('closed', 'The database is gone.');
        }
        if (this.#closed || generation !== this.#generation) {
          db.close();
          throw new ClosedError(
            'closed',
            'The storage was closed or suspended while it was opened.',
          );
        }
        this.#mustExist = true;
        this.#loss = 'evicted';
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

  /** Whether this one was made anew, under the same name, since the first was opened: nothing in memory fits it. */
  async #isAnother(db: IDBDatabase): Promise<boolean> {
    const identity = identityOf(db, this.#limits.timeLimitMs);
    if (!this.#identity) {
      this.#identity = identity.catch(() => undefined);
      return false;
    }
    try {
      const [first, now] = await Promise.all([this.#identity, identity]);
      return now !== first && first !== undefined;
    } catch (error) {
      // Nobody would close it, and it would keep whoever wants to delete the database waiting.
      db.close();
      throw error;
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
      if (this.#connection !== db) return;
      this.#connection = null;
      // By the browser: whether the database is still there is found out at once, and told (`onLost`).
      this.#connect().catch(() => {});
    };
  }
}

/**
 * After a transaction that found no room, Firefox lets only deletions into the connection's next one (mode `cleanup` of its
 * IDBTransaction; a put throws InvalidStateError there): that one is spent on nothing.
 */
function spendNext(db: IDBDatabase, request: TransactRequest): void {
  try {
    abortQuietly(begin(db, request));
  } catch {
    // The connection is gone meanwhile, and what was to be spent with it.
  }
}

/** With what Chromium adds to it: `none`, or `total` where it found its files damaged and dropped all databases. */
interface MakingEvent {
  readonly dataLoss?: string;
  readonly dataLossMessage?: string;
}

/** Gives null where there is none and it must exist. */
function openDatabase(
  name: string,
  timeLimitMs: number,
  mustExist: boolean,
  onMaking: (event: MakingEvent) => void,
): Promise<IDBDatabase | null> {
  let isLate = false;
  const late = () => {
    isLate = true;
    return storageTimeout(`IndexedDB did not open within ${timeLimitMs} ms.`);
  };
  return inTime<IDBDatabase | null>(timeLimitMs, late, 'storage_refused', (resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = (event) => {
      if (mustExist) {
        abortQuietly(request.transaction as IDBTransaction);
        return resolve(null);
      }
      onMaking(event as MakingEvent);
      for (const { name: store, autoIncrement } of skerryStores)
        request.result.createObjectStore(store, { autoIncrement });
      const id = crypto.getRandomValues(new Uint32Array(4)).join();
      request.transaction?.objectStore('sync').put({ v: 1, id }, identityKey);
    };
    const opened = (db: IDBDatabase) => (isLate ? db.close() : resolve(db));
    listen(request, opened, reject);
  });
}

/** Null in a database of an earlier version of this file. */
async function identityOf(db: IDBDatabase, timeLimitMs: number): Promise<unknown> {
  const transact: Storage['transact'] = (request, decide) =>
    runTransaction(begin(db, request), request.reads, decide, timeLimitMs);
  const [found] = await readNow({ transact }, [{ store: 'sync', get: identityKey }]);
  return (found as { id: string } | null)?.id ?? null;
}

function isWorthRetrying(error: unknown): boolean {
  const cause = error instanceof SkerryError ? error.cause : error;
  const name = (cause as { name?: unknown } | null | undefined)?.name;
  // WebKit's lost connection shows as UnknownError; refusals (private mode, policy, a newer version) do not change.
  return name === 'UnknownError' || name === 'AbortError' || name === 'TimeoutError';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
