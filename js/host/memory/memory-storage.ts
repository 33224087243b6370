/**
 * Storage in memory, for tests and Node: the same guarantee as IndexedDB's (storage.ts), with faults to order. All
 * databases of one `MemoryStorageHost` are shared by whoever opens them, like those of one browser profile.
 */
import { ClosedError, QuotaError, StorageError } from '../../core/errors.ts';
import type { AccountHost } from '../account-host.ts';
import {
  type Committed,
  type Decision,
  type Key,
  type KeyRange,
  type OnLost,
  type Read,
  type Storage,
  type StorageHost,
  skerryStores,
  type TransactRequest,
  type Write,
} from '../storage.ts';

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

interface Store {
  readonly autoIncrement: boolean;
  records: Map<Key, unknown>;
  nextKey: number;
}

interface Database {
  readonly stores: Map<string, Store>;
  readonly connections: Set<MemoryStorage>;
  /** Transactions run one after the other: stricter than IndexedDB, and the same to whoever keeps the contract. */
  last: Promise<void>;
}

export class MemoryStorageHost implements StorageHost, AccountHost {
  readonly faults: StorageFaults = { refuseOpen: false, quota: false, fail: false, hold: false };
  readonly #databases = new Map<string, Database>();
  readonly #files = new Map<string, Map<string, Uint8Array>>();
  #released: (() => void)[] = [];

  persist(): void {}

  async reopen(name: string, onLost: OnLost): Promise<Storage> {
    if (this.#databases.has(name)) return this.open(name, onLost);
    onLost('evicted', null);
    throw new ClosedError('closed', 'The database is gone.');
  }

  async open(name: string, onLost: OnLost): Promise<Storage> {
    if (this.faults.refuseOpen)
      throw new StorageError('storage_refused', 'Storage is refused by order of the test.');
    let database = this.#databases.get(name);
    if (!database) {
      database = { stores: new Map(), connections: new Set(), last: Promise.resolve() };
      for (const { name: store, autoIncrement } of skerryStores) {
        database.stores.set(store, { autoIncrement, records: new Map(), nextKey: 1 });
      }
      this.#databases.set(name, database);
    }
    return new MemoryStorage(this, name, database, onLost);
  }

  /** The database of this name as it is now; null where there is none. */
  find(name: string): Database | null {
    return this.#databases.get(name) ?? null;
  }

  async delete(name: string): Promise<void> {
    for (const storage of [...(this.#databases.get(name)?.connections ?? [])]) storage.evict();
    this.#databases.delete(name);
    for (const mount of await this.listFiles(name)) this.#files.delete(mount);
  }

  async exists(name: string): Promise<boolean> {
    return this.#databases.has(name);
  }

  async sweep(): Promise<void> {
    for (const mount of [...this.#files.keys()]) {
      const database = mount.slice(1, mount.lastIndexOf('/'));
      if (!this.#databases.has(database)) this.#files.delete(mount);
    }
  }

  async deleteIf(
    name: string,
    reads: readonly Read[],
    decide: (results: readonly unknown[]) => boolean,
  ): Promise<boolean> {
    const database = this.#databases.get(name);
    if (!database) return true;
    for (const storage of [...database.connections]) storage.evict();
    const results = reads.map((read) => readOne(database.stores.get(read.store) as Store, read));
    if (!decide(results)) return false;
    await this.delete(name);
    return true;
  }

  async deleteFiles(mount: string): Promise<void> {
    this.#files.delete(mount);
  }

  async listFiles(name: string): Promise<readonly string[]> {
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
  readonly #database: Database;
  readonly #onLost: OnLost;
  #closed = false;
  #suspended = false;

  constructor(host: MemoryStorageHost, name: string, database: Database, onLost: OnLost) {
    this.#host = host;
    this.#name = name;
    this.#database = database;
    this.#onLost = onLost;
    database.connections.add(this);
  }

  transact(
    request: TransactRequest,
    decide: (results: readonly unknown[]) => Decision,
  ): Promise<Committed> {
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
    this.#suspended = true;
    this.#database.connections.delete(this);
  }

  resume(): void {
    this.#suspended = false;
  }

  /**
   * After it was suspended. A database that was deleted meanwhile is not made anew, and one that others have made is
   * another.
   */
  #connect(): void {
    if (this.#closed || this.#suspended) return;
    if (this.#host.find(this.#name) === this.#database) this.#database.connections.add(this);
    else this.evict();
  }

  close(): void {
    this.#closed = true;
    this.#database.connections.delete(this);
  }

  /** Another program deletes the database. */
  evict(): void {
    this.close();
    this.#onLost('deleted-or-upgraded', null);
  }

  #run(request: TransactRequest, decide: (results: readonly unknown[]) => Decision): Committed {
    if (this.#closed) throw new ClosedError('closed', 'The storage is closed.');
    if (this.#suspended)
      throw new StorageError('storage_suspended', 'The page stands still.', { retryable: true });
    if (this.#host.faults.fail)
      throw new StorageError('storage_failed', 'A failure by order of the test.');
    const store = (name: string): Store => {
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
    store: (name: string) => Store,
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

function applyOne(store: Store, write: Write, keys: number[]): void {
  if ('put' in write) store.records.set(write.key, structuredClone(write.put));
  else if ('add' in write) {
    const key = store.nextKey++;
    store.records.set(key, structuredClone(write.add));
    keys.push(key);
  } else if ('delete' in write) store.records.delete(write.delete);
  else
    for (const { key } of readRange(store, { ...write.deleteRange, limit: null }))
      store.records.delete(key);
}

function readOne(store: Store, read: Read): unknown {
  if ('get' in read) return structuredClone(store.records.get(read.get)) ?? null;
  if ('count' in read) return store.records.size;
  return readRange(store, read.range);
}

/** IndexedDB's order of keys: numbers before strings. */
function compareKeys(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function readRange(store: Store, range: KeyRange): { key: Key; value: unknown }[] {
  const { above = null, from = null, to = null } = range;
  return [...store.records]
    .filter(
      ([key]) =>
        (above === null || compareKeys(key, above) > 0) &&
        (from === null || compareKeys(key, from) >= 0) &&
        (to === null || compareKeys(key, to) <= 0),
    )
    .sort(([a], [b]) => compareKeys(a, b))
    .slice(0, range.limit ?? undefined)
    .map(([key, value]) => ({ key, value: structuredClone(value) }));
}
