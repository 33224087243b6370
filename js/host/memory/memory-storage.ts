/**
 * Storage in memory, for tests and Node: the same guarantee as IndexedDB's (storage.ts), with faults to order. All
 * databases of one `MemoryStorageHost` are shared by all clients that open them, like those of one browser profile.
 */
import { ClosedError, QuotaError, StorageError } from '../../core/errors.ts';
import type { AccountHost } from '../account-host.ts';
import { inTime, storageBlocked, storageNewer } from '../idb-request.ts';
import { changesSince, type DatabaseSchema, databaseSchema } from '../idb-schema.ts';
import {
  closeLimitMs,
  type Decision,
  type Key,
  type OnLost,
  type Read,
  type Storage,
  type StorageHost,
  type TransactRequest,
  type TransactResult,
  type Write,
} from '../storage.ts';
import {
  applyOne,
  changedStores,
  readOne,
  readRange,
  type StoredRecords,
} from './memory-stores.ts';

/** Faults that tests order. Each holds until it is taken back. */
export interface StorageFaults {
  /** Opening is refused, as in a browser that forbids storage. */
  refuseOpen: boolean;
  /** Every commit that writes fails for lack of space. */
  quota: boolean;
  /** Every transaction fails before anything is written. */
  fail: boolean;
  /** Transactions wait, as behind one that another window holds open. */
  hold: boolean;
}

interface StoredDatabase {
  /** 0: it is being made. */
  version: number;
  stores: ReadonlyMap<string, StoredRecords>;
  readonly connections: Set<MemoryStorage>;
  /** Transactions run one after the other: stricter than IndexedDB, and the same to a client that keeps the contract. */
  last: Promise<void>;
}

export interface MemoryStorageOptions {
  /** The versions of databases: the production's, but in tests. */
  readonly schema?: DatabaseSchema;
  /** As of IndexedDbOptions. */
  readonly timeLimitMs?: number;
  readonly leaveLimitMs?: number;
}

interface Profile {
  readonly faults: StorageFaults;
  readonly databases: Map<string, StoredDatabase>;
  readonly files: Map<string, Map<string, Uint8Array>>;
}

export class MemoryStorageHost implements StorageHost, AccountHost {
  readonly faults: StorageFaults;
  readonly #options: Required<MemoryStorageOptions>;
  readonly #profile: Profile;
  readonly #databases: Map<string, StoredDatabase>;
  readonly #files: Map<string, Map<string, Uint8Array>>;
  #released: (() => void)[] = [];

  /** `profile`: that of another host, as windows of another release have it. */
  constructor(options: MemoryStorageOptions = {}, profile?: MemoryStorageHost) {
    const limits = { timeLimitMs: 10_000, leaveLimitMs: closeLimitMs };
    this.#options = { schema: databaseSchema, ...limits, ...options };
    this.#profile = profile
      ? profile.#profile
      : {
          faults: { refuseOpen: false, quota: false, fail: false, hold: false },
          databases: new Map(),
          files: new Map(),
        };
    this.faults = this.#profile.faults;
    this.#databases = this.#profile.databases;
    this.#files = this.#profile.files;
  }

  persist(): void {}

  async reopen(name: string, onLost: OnLost): Promise<Storage> {
    if (this.#databases.has(name)) return this.open(name, onLost);
    onLost('evicted', null);
    throw new ClosedError('closed', 'The database is gone.');
  }

  async open(name: string, onLost: OnLost): Promise<Storage> {
    if (this.faults.refuseOpen)
      throw new StorageError('storage_refused', 'Storage is refused by order of the test.');
    const { schema, leaveLimitMs } = this.#options;
    let database = this.#databases.get(name);
    if (!database) {
      database = { version: 0, stores: new Map(), connections: new Set(), last: Promise.resolve() };
      this.#databases.set(name, database);
    }
    if (database.version > schema.length) onLost('newer-version', null);
    this.#refuseNewer(name);
    if (database.version < schema.length) await this.#upgrade(name, database);
    return new MemoryStorage(this, name, database, onLost, leaveLimitMs);
  }

  #refuseNewer(name: string): void {
    const { version = 0 } = this.#databases.get(name) ?? {};
    if (version > this.#options.schema.length) throw storageNewer(name);
  }

  /** All of it or nothing, once all clients that had the database open have closed it. */
  async #upgrade(name: string, database: StoredDatabase): Promise<void> {
    const { schema, timeLimitMs } = this.#options;
    const before = [...database.connections].map((storage) => storage.leave());
    if (before.length > 0) {
      const closed = Promise.all([...before, database.last]);
      const late = () => storageBlocked(name);
      await inTime(timeLimitMs, late, 'storage_failed', (resolve, reject) =>
        closed.then(resolve, reject),
      );
    }
    // Another window of the same release may have been faster.
    if (database.version >= schema.length) return this.#refuseNewer(name);
    const { version } = database;
    try {
      database.stores = changedStores(database.stores, changesSince(schema, version));
    } catch (error) {
      if (version === 0) this.#databases.delete(name);
      const text = `The database ${name} could not be upgraded from version ${version} to ${schema.length}`;
      throw new StorageError('storage_failed', `${text}: ${error}`, { cause: error });
    }
    database.version = schema.length;
  }

  /** The database of this name as it is now; null where there is none. */
  find(name: string): StoredDatabase | null {
    return this.#databases.get(name) ?? null;
  }

  async delete(name: string): Promise<void> {
    this.#refuseNewer(name);
    for (const storage of [...(this.#databases.get(name)?.connections ?? [])]) storage.evict();
    this.#databases.delete(name);
    for (const mount of this.mounts(name)) this.#files.delete(mount);
  }

  async exists(name: string): Promise<boolean> {
    return this.#databases.has(name);
  }

  async deleteIf(
    name: string,
    reads: readonly Read[],
    decide: (results: readonly unknown[]) => boolean,
  ): Promise<boolean> {
    const database = this.#databases.get(name);
    if (!database) return true;
    this.#refuseNewer(name);
    for (const storage of [...database.connections]) storage.evict();
    const results = reads.map((read) =>
      readOne(database.stores.get(read.store) as StoredRecords, read),
    );
    if (!decide(results)) return false;
    await this.delete(name);
    return true;
  }

  /** The files of a mount are no more. */
  emptyFiles(mount: string): void {
    this.#files.delete(mount);
  }

  /** Where a database has images. */
  mounts(name: string): readonly string[] {
    return [...this.#files.keys()].filter((mount) => mount.startsWith(`/${name}/`));
  }

  readFiles(mount: string, paths: readonly string[]): readonly Promise<Uint8Array | null>[] {
    return paths.map(async (path) => this.#files.get(mount)?.get(path)?.slice() ?? null);
  }

  /** What IDBFS would have written. */
  writeFile(mount: string, path: string, contents: Uint8Array): void {
    const files = this.#files.get(mount) ?? new Map<string, Uint8Array>();
    this.#files.set(mount, files);
    files.set(path, contents.slice());
  }

  /** All records of a store, for tests that look behind the curtain. */
  dump(name: string, store: string): { key: Key; value: unknown }[] {
    const found = this.#databases.get(name)?.stores.get(store);
    return found ? readRange(found, {}) : [];
  }

  /** Resolves when no test holds transactions up. */
  async unheld(): Promise<void> {
    while (this.faults.hold) await new Promise<void>((resolve) => this.#released.push(resolve));
  }

  /** Lets held transactions go on. */
  release(): void {
    this.faults.hold = false;
    const waiting = this.#released;
    this.#released = [];
    for (const resolve of waiting) resolve();
  }
}

class MemoryStorage implements Storage {
  readonly dropped = null;
  readonly #host: MemoryStorageHost;
  readonly #name: string;
  readonly #database: StoredDatabase;
  readonly #onLost: OnLost;
  readonly #version: number;
  readonly #leaveLimitMs: number;
  #left: { readonly closed: () => void; readonly promise: Promise<void> } | null = null;
  #closed = false;
  #suspended = false;

  constructor(
    host: MemoryStorageHost,
    name: string,
    database: StoredDatabase,
    onLost: OnLost,
    leaveLimitMs: number,
  ) {
    this.#host = host;
    this.#version = database.version;
    this.#leaveLimitMs = leaveLimitMs;
    this.#name = name;
    this.#database = database;
    this.#onLost = onLost;
    database.connections.add(this);
  }

  transact(
    request: TransactRequest,
    decide: (results: readonly unknown[]) => Decision,
  ): Promise<TransactResult> {
    this.#connect();
    const run = this.#database.last.then(async () => {
      await this.#host.unheld();
      return this.#run(request, decide);
    });
    this.#database.last = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  putNow(store: string, key: string, value: unknown): boolean {
    const found = this.#database.stores.get(store);
    if (this.#closed || !found) return false;
    found.records.set(key, structuredClone(value));
    return true;
  }

  addNow(store: string, values: readonly unknown[]): boolean {
    const found = this.#database.stores.get(store);
    if (this.#closed || this.#suspended || !found) return false;
    for (const add of structuredClone(values)) applyOne(found, { store, add }, []);
    return true;
  }

  suspend(): void {
    if (this.#left) this.close();
    this.#suspended = true;
    this.#database.connections.delete(this);
  }

  resume(): void {
    this.#suspended = false;
  }

  /**
   * After it was suspended. A database that was deleted meanwhile is not created again, and one that others
   * have created is another.
   */
  #connect(): void {
    if (this.#closed || this.#suspended) return;
    if (this.#host.find(this.#name) !== this.#database) this.evict();
    else if (this.#database.version === this.#version) this.#database.connections.add(this);
    else {
      this.close();
      this.#onLost('newer-version', null);
    }
  }

  close(): void {
    this.#closed = true;
    this.#database.connections.delete(this);
    this.#left?.closed();
  }

  /** A newer release wants to upgrade the database. Resolves when this one has closed it. */
  leave(): Promise<void> {
    if (!this.#left) {
      let closed = () => {};
      const promise = new Promise<void>((resolve) => {
        closed = resolve;
      });
      this.#left = { closed, promise };
      const limit = setTimeout(() => this.close(), this.#leaveLimitMs);
      void promise.then(() => clearTimeout(limit));
      this.#onLost('newer-version', null);
    }
    return this.#left.promise;
  }

  /** Another program deletes the database. */
  evict(): void {
    this.close();
    this.#onLost('deleted-or-upgraded', null);
  }

  #run(
    request: TransactRequest,
    decide: (results: readonly unknown[]) => Decision,
  ): TransactResult {
    if (this.#closed) throw new ClosedError('closed', 'The storage is closed.');
    if (this.#suspended)
      throw new StorageError('storage_suspended', 'The page is frozen.', { retryable: true });
    if (this.#host.faults.fail)
      throw new StorageError('storage_failed', 'A failure by order of the test.');
    const store = (name: string): StoredRecords => {
      const found = request.stores.includes(name) ? this.#database.stores.get(name) : undefined;
      if (!found)
        throw new StorageError('storage_failed', `Store ${name} is not part of the transaction.`);
      return found;
    };
    let decision = decide(request.reads.map((read) => readOne(store(read.store), read)));
    while (decision.type === 'more') {
      decision = decide(decision.reads.map((read) => readOne(store(read.store), read)));
    }
    if (decision.type === 'abort') return { committed: false, keys: [] };
    return { committed: true, keys: this.#apply(request, decision.writes, store) };
  }

  #apply(
    request: TransactRequest,
    writes: readonly Write[],
    store: (name: string) => StoredRecords,
  ): number[] {
    if (writes.length === 0) return [];
    if (request.mode === 'readonly')
      throw new StorageError('storage_failed', 'The transaction is read-only.');
    if (this.#host.faults.quota)
      throw new QuotaError('quota', 'Storage is full by order of the test.', { retryable: true });
    const before = request.stores.map((name) => {
      const { records, nextKey } = store(name);
      return { name, records: new Map(records), nextKey };
    });
    try {
      const keys: number[] = [];
      for (const write of writes) applyOne(store(write.store), write, keys);
      return keys;
    } catch (error) {
      for (const { name, records, nextKey } of before)
        Object.assign(store(name), { records, nextKey });
      throw new StorageError('storage_failed', 'The values cannot be stored.', { cause: error });
    }
  }
}
