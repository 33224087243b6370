import type { Decision, Read } from '../core/effects.ts';

export type { Decision, Key, KeyBounds, Read, Write } from '../core/effects.ts';

/**
 * Storage: what the core needs of IndexedDB, and no more: one shape of transaction (docs/internals.md, section 4).
 *
 * Guarantee. `transact` opens one transaction over `stores`, does the reads, and calls `decide` with their results inside
 * of it; the writes that `decide` returns are applied in the same transaction, all or none. Nothing else happens between
 * the reads and the writes: a concurrent transaction over one of these stores comes wholly before or wholly after.
 * When `transact` resolves, the writes are as durable as `durability` says, and `keys` holds the keys of the `add`s in
 * their order; keys of a store are handed out in the order of commits, and never twice for what was committed. When it
 * rejects, nothing was written, except after the code `storage_timeout`, where the outcome is unknown. An exception out
 * of `decide` rolls back and rejects.
 *
 * Values are structured clones: the caller owns what it reads. Every operation ends within its time limit.
 */
export interface Storage {
  /** The engine's message that it has dropped this database, or all of the site's; null if there is none. */
  readonly dropped: string | null;
  transact(
    request: TransactRequest,
    decide: (results: readonly unknown[]) => Decision,
  ): Promise<TransactResult>;
  /**
   * For the last moments of a page, where no later callback can be counted on: puts one value without reading, and asks
   * for the commit at once. Only on a connection that is open; returns whether it was.
   */
  putNow(store: string, key: string, value: unknown): boolean;
  /** The same for values under new keys, in their order, all or none. It comes after what was begun before. */
  addNow(store: string, values: readonly unknown[]): boolean;
  /**
   * Releases the connection, so that a frozen page does not block other clients. Transactions that have not written yet
   * are rolled back, and none begins before `resume`: it rejects with code `storage_suspended`.
   */
  suspend(): void;
  resume(): void;
  /** Final. What is under way is rolled back or completes; later calls reject with ClosedError. */
  close(): void;
}

export interface TransactRequest {
  readonly stores: readonly string[];
  readonly mode: 'readonly' | 'readwrite';
  readonly durability?: 'strict' | 'relaxed' | undefined;
  readonly reads: readonly Read[];
}

export interface TransactResult {
  /** False after an `abort` decision. */
  readonly committed: boolean;
  readonly keys: readonly number[];
}

/** `evicted`: by the browser, for want of room or because its user cleared the site's data. */
export type StorageLoss = 'deleted-or-upgraded' | 'evicted' | 'connection-lost';

/**
 * `newer-version`: another window, of a newer release, waits to upgrade the database, or has upgraded it. The owner of
 * the storage may still store what it received, and then closes it. It is closed after a moment in any case.
 */
export type StorageEnd = StorageLoss | 'newer-version';

/**
 * How long a window that closes waits for what it stores. A newer release that wants the database lets it have this time, too.
 */
export const closeLimitMs = 5000;

export type OnLost = (end: StorageEnd, error: Error | null) => void;

export interface StorageHost {
  /**
   * Opens the database of this name, makes it if need be, and brings one of an earlier version up to date (idb-schema.ts),
   * which waits until the windows of the earlier release have closed it. `onLost` is called when another program deletes
   * or upgrades it, or has done so while it was suspended, or the browser evicts it (the storage is then closed for good),
   * or when repeated attempts to open it have failed.
   *
   * Rejects with code `storage_newer` where it is of a later version (`onLost` is called first), and with
   * `storage_blocked` where other windows do not close it in time. Nothing has changed then.
   */
  open(name: string, onLost: OnLost): Promise<Storage>;
  /** As `open`, but creates none: where there is none, `onLost` is called and the promise rejects (`closed`). */
  reopen(name: string, onLost: OnLost): Promise<Storage>;
  /** Asks the engine not to evict what is stored. The engine or its user decides; the answer is not reported. */
  persist(): void;
  /**
   * Deletes a database, and those of its images. Rejects with code `storage_blocked` while others hold it, and
   * with `storage_newer`, deleting nothing, where it is of a later version.
   */
  delete(name: string): Promise<void>;
  /**
   * Files of an image, by full path, read straight out of IDBFS's database, each as soon as it is there; null
   * for what is not.
   */
  readFiles(mount: string, paths: readonly string[]): readonly Promise<Uint8Array | null>[];
}

/** The results of these reads, in one transaction that writes nothing. */
export async function readNow(
  storage: Pick<Storage, 'transact'>,
  reads: readonly Read[],
): Promise<readonly unknown[]> {
  let found: readonly unknown[] = [];
  await storage.transact(
    { stores: reads.map(({ store }) => store), mode: 'readonly', reads },
    (results) => {
      found = results;
      return { type: 'write', writes: [] };
    },
  );
  return found;
}
