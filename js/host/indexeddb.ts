/**
 * Storage on IndexedDB: the connection. A dead handle is never kept, every operation has a time limit, and a client
 * that wants to delete or upgrade the database is not kept waiting. Its states are those of idb-connection.ts.
 */
import { ClosedError, QuotaError, SkerryError, StorageError } from '../core/errors.ts';
import { freshLog } from './fresh-log.ts';
import { type ConnectionState, next } from './idb-connection.ts';
import { deleteWithImages, readIdbfs } from './idb-files.ts';
import { identityKey, openDatabase } from './idb-open.ts';
import { storageError } from './idb-request.ts';
import { type DatabaseSchema, databaseSchema, isUpgrade } from './idb-schema.ts';
import { abortQuietly, begin, runTransaction } from './idb-transaction.ts';
import {
  closeLimitMs,
  type Decision,
  type OnLost,
  readNow,
  type Storage,
  type StorageEnd,
  type StorageHost,
  type StorageLoss,
  type TransactRequest,
  type TransactResult,
} from './storage.ts';

export interface IndexedDbOptions {
  /** The versions of databases: the production's, but in tests. */
  readonly schema?: DatabaseSchema;
  /** The limit of a transaction, and of opening, for which other windows may have to close the database first. */
  readonly timeLimitMs?: number;
  /** The limit of an upgrade since its last progress: one may take as long as its records need. */
  readonly upgradeLimitMs?: number;
  /** How long a connection stays that a newer release waits for. */
  readonly leaveLimitMs?: number;
  /** Attempts to open before the storage is called lost, with doubling pauses in between. */
  readonly openAttempts?: number;
  readonly firstPauseMs?: number;
  /** Resolves when it is safe to write (fresh-log.ts). */
  readonly freshLog?: () => Promise<void>;
}

const defaults: Required<IndexedDbOptions> = {
  schema: databaseSchema,
  timeLimitMs: 10_000,
  upgradeLimitMs: 60_000,
  leaveLimitMs: closeLimitMs,
  openAttempts: 4,
  firstPauseMs: 100,
  freshLog,
};

export function indexedDbStorage(options: IndexedDbOptions = {}): StorageHost {
  const settings = { ...defaults, ...options };
  const { schema, timeLimitMs } = settings;
  const open = async (name: string, onLost: OnLost, mustExist: boolean) => {
    void settings.freshLog();
    const storage = new IndexedDbStorage(name, onLost, settings, mustExist);
    await storage.ready();
    return storage;
  };
  return {
    open: (name, onLost) => open(name, onLost, false),
    reopen: (name, onLost) => open(name, onLost, true),
    // Refused or not known here: the engine evicts when it must, and that is reported (`dataLost`).
    persist: () => void navigator.storage?.persist?.().catch(() => {}),
    delete: (name) => deleteWithImages(name, schema, timeLimitMs),
    readFiles: (mount, paths) => readIdbfs(mount, paths, timeLimitMs),
  };
}

class IndexedDbStorage implements Storage {
  readonly #name: string;
  readonly #onLost: OnLost;
  readonly #settings: Required<IndexedDbOptions>;
  #state: ConnectionState = { type: 'idle' };
  /** It existed before: if it is gone now it is not created again. */
  #mustExist: boolean;
  /** Why it is gone, if it is. While the connection was suspended it could not be notified of a deletion. */
  #loss: StorageLoss = 'evicted';
  /** The identity of the database that was opened first; resolves with undefined where it could not be read. */
  #identity: Promise<unknown> | null = null;
  /** Transactions that have not been asked to commit: in a frozen page they would stay open and block every window. */
  readonly #deciding = new Set<IDBTransaction>();
  dropped: string | null = null;

  constructor(
    name: string,
    onLost: OnLost,
    settings: Required<IndexedDbOptions>,
    mustExist: boolean,
  ) {
    this.#name = name;
    this.#onLost = onLost;
    this.#settings = settings;
    this.#mustExist = mustExist;
  }

  async ready(): Promise<void> {
    await this.#connect();
  }

  async transact(
    request: TransactRequest,
    decide: (results: readonly unknown[]) => Decision,
  ): Promise<TransactResult> {
    // Whoever is told that it is stored is told the truth.
    if (request.mode === 'readwrite') await this.#settings.freshLog();
    let db = await this.#connect();
    let tx: IDBTransaction;
    try {
      tx = begin(db, request);
    } catch {
      // The handle died without a `close` event: one fresh connection, then the failure is the caller's.
      this.#died(db);
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
      return await runTransaction(tx, request.reads, decideOnce, this.#settings.timeLimitMs);
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
    const db = this.#handle();
    if (!db) return false;
    try {
      const tx = db.transaction(store, 'readwrite', { durability: 'relaxed' });
      write(tx.objectStore(store));
      tx.commit?.();
      return true;
    } catch {
      return false; // The connection is gone: the caller hears it, and time-outs do the rest.
    }
  }

  suspend(): void {
    // A newer release waits for a connection that is leaving: there is nothing to come back to.
    if (this.#state.type === 'leaving') this.close();
    if (this.#state.type === 'closed' || this.#state.type === 'suspended') return;
    this.#loss = 'deleted-or-upgraded';
    this.#release({ type: 'suspended' });
  }

  resume(): void {
    if (this.#state.type === 'suspended') this.#go({ type: 'idle' });
  }

  close(): void {
    if (this.#state.type !== 'closed') this.#release({ type: 'closed' });
  }

  #go(state: ConnectionState): void {
    this.#state = next(this.#state, state);
  }

  #handle(): IDBDatabase | null {
    return this.#state.type === 'open' || this.#state.type === 'leaving' ? this.#state.db : null;
  }

  /** Releases the connection. Transactions that were asked to commit still do. */
  #release(state: ConnectionState): void {
    const db = this.#handle();
    if (this.#state.type === 'leaving') clearTimeout(this.#state.limit);
    this.#go(state);
    for (const tx of this.#deciding) abortQuietly(tx);
    this.#deciding.clear();
    db?.close();
  }

  #died(db: IDBDatabase): void {
    if (this.#handle() !== db) return;
    // A connection that was leaving is not opened again.
    this.#release({ type: this.#state.type === 'leaving' ? 'closed' : 'idle' });
  }

  async #connect(): Promise<IDBDatabase> {
    const state = this.#state;
    switch (state.type) {
      case 'closed':
        throw new ClosedError('closed', 'The storage is closed.');
      case 'suspended':
        throw new StorageError('storage_suspended', 'The page is frozen.', { retryable: true });
      case 'open':
      case 'leaving':
      case 'opening':
        return state.db;
      case 'idle': {
        const opening: ConnectionState = {
          type: 'opening',
          db: Promise.resolve().then(() => this.#openWithRetries(opening)),
        };
        this.#go(opening);
        return opening.db;
      }
    }
  }

  async #openWithRetries(opening: ConnectionState): Promise<IDBDatabase> {
    let pauseMs = this.#settings.firstPauseMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#openOnce(opening);
      } catch (error) {
        const isOver = this.#state !== opening;
        const isFinal = attempt >= this.#settings.openAttempts || !isWorthRetrying(error);
        if (!isOver && isFinal) {
          this.#go({ type: 'idle' });
          this.#onLost('connection-lost', error as Error);
        }
        if (isOver || isFinal) throw error;
        await pause(pauseMs);
        pauseMs *= 2;
      }
    }
  }

  async #openOnce(opening: ConnectionState): Promise<IDBDatabase> {
    const db = await openDatabase({
      ...this.#settings,
      name: this.#name,
      mustExist: this.#mustExist,
      onUpgrade: ({ dataLoss = 'none', dataLossMessage = '' }) => {
        if (dataLoss !== 'none') this.dropped = dataLossMessage;
      },
    }).catch((error: unknown) => {
      const isNewer = error instanceof StorageError && error.code === 'storage_newer';
      if (isNewer && this.#state === opening) this.#lost('newer-version', null);
      throw error;
    });
    /** A `versionchange` before it is known whether the database is the same: looked at after that. */
    const asked: IDBVersionChangeEvent[] = [];
    if (db) db.onversionchange = (event) => void asked.push(event);
    const isGone = db === null || (await this.#isAnother(db));
    if (this.#state !== opening) {
      db?.close();
      throw new ClosedError('closed', 'The storage was closed or suspended while it was opened.');
    }
    if (isGone) {
      db?.close();
      this.#lost(this.#loss, null);
      throw new ClosedError('closed', 'The database is gone.');
    }
    this.#mustExist = true;
    this.#loss = 'evicted';
    this.#adopt(db);
    for (const event of asked) this.#asked(event);
    return db;
  }

  /** Whether this one was created again, under the same name, since the first was opened: nothing in memory fits it. */
  async #isAnother(db: IDBDatabase): Promise<boolean> {
    const identity = identityOf(db, this.#settings.timeLimitMs);
    if (!this.#identity) {
      this.#identity = identity.catch(() => undefined);
      return false;
    }
    try {
      const [first, now] = await Promise.all([this.#identity, identity]);
      return now !== first && first !== undefined;
    } catch (error) {
      // Nothing else would close it, and it would block a client that wants to delete the database.
      db.close();
      throw error;
    }
  }

  #adopt(db: IDBDatabase): void {
    this.#go({ type: 'open', db });
    db.onversionchange = (event) => this.#asked(event);
    db.onclose = () => {
      if (this.#handle() !== db) return;
      this.#died(db);
      // By the browser. Whether the database still exists is checked at once, and reported (`onLost`).
      this.#connect().catch(() => {});
    };
  }

  /** Another client deletes or upgrades the database: an open connection would block it. */
  #asked({ newVersion }: IDBVersionChangeEvent): void {
    if (this.#state.type !== 'open') return;
    if (!isUpgrade(newVersion)) {
      this.#lost('deleted-or-upgraded', null);
      return;
    }
    const { db } = this.#state;
    const limit = setTimeout(() => this.close(), this.#settings.leaveLimitMs);
    this.#go({ type: 'leaving', db, limit });
    this.#onLost('newer-version', null);
  }

  #lost(end: StorageEnd, error: Error | null): void {
    this.close();
    this.#onLost(end, error);
  }
}

/**
 * After a transaction that found no room, Firefox lets only deletions into the connection's next one (mode `cleanup` of its
 * IDBTransaction; a put throws InvalidStateError there): that one is used up by an empty one.
 */
function spendNext(db: IDBDatabase, request: TransactRequest): void {
  try {
    abortQuietly(begin(db, request));
  } catch {
    // The connection is gone meanwhile, and what was to be spent with it.
  }
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
