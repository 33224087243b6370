/**
 * Opening a database of this package, which may have to be created or upgraded first (idb-schema.ts). An upgrade waits until all
 * other connections are closed, and is one transaction: where it fails, stands still or is cut off, the database is as before.
 */
import { StorageError } from '../core/errors.ts';
import { broadcastChannels, type Channel } from './channel.ts';
import { inTime, listen, storageBlocked, storageNewer, storageTimeout } from './idb-request.ts';
import { changesSince, type DatabaseSchema, type SchemaChange } from './idb-schema.ts';
import { abortQuietly } from './idb-transaction.ts';
import type { Key } from './storage.ts';

/** In the store `sync`: distinguishes a database from one that is made later under the same name. */
export const identityKey = 'made';

/** An upgrade sends so many heartbeats within its limit to the windows that wait for it: the engine reports no progress. */
const heartbeats = 60;

export interface OpenRequest {
  readonly name: string;
  readonly schema: DatabaseSchema;
  /** Where there is no such database, none is made. */
  readonly mustExist: boolean;
  /** Until it is open, or an upgrade may begin: other windows have to close their connections for that. */
  readonly timeLimitMs: number;
  /** The limit of each step of an upgrade, also of one in another window, which this one waits for. */
  readonly upgradeLimitMs: number;
  onUpgrade(event: UpgradeEvent): void;
}

/** With what Chromium adds to it: `none`, or `total` where it found its files damaged and dropped all databases. */
export interface UpgradeEvent extends IDBVersionChangeEvent {
  readonly dataLoss?: string;
  readonly dataLossMessage?: string;
}

/**
 * Resolves with null where there is none and it must exist.
 *
 * The first attempt names no version, so that the engine opens what is there and does not fail. After an open that fails
 * because the database is newer, while another connection has a transaction in flight, Firefox 153 opens this database for
 * nobody until the browser is started again. So a release that was rolled back would have blocked the newer one.
 */
export function openDatabase(what: OpenRequest): Promise<IDBDatabase | null> {
  const { name, schema, timeLimitMs } = what;
  let isLate = false;
  let isBlocked = false;
  let isElsewhere = false;
  let upgrading: IDBTransaction | null = null;
  let channel: Channel | undefined;
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  const late = () => {
    isLate = true;
    if (upgrading) abortQuietly(upgrading);
    if (isBlocked) return storageBlocked(name);
    if (isElsewhere && !upgrading)
      return storageTimeout(
        `Another window upgrades the database ${name}, and stands still. Look at that window, then try again.`,
      );
    // An engine fires no event `blocked` for a window that is stopped.
    return storageTimeout(
      `IndexedDB did not open ${name} in time. If it goes on, close the other windows and try again.`,
    );
  };
  const opening = inTime<IDBDatabase | null>(
    timeLimitMs,
    late,
    'storage_refused',
    (resolve, reject, restart) => {
      channel = broadcastChannels.open(`${name}/upgrade`, () => {
        isElsewhere = true;
        restart(what.upgradeLimitMs);
      });
      const attempt = (version?: number) => {
        let isOther = false;
        const request = indexedDB.open(name, version);
        request.onblocked = () => {
          isBlocked = true;
        };
        request.onupgradeneeded = (event) => {
          isBlocked = false;
          const transaction = request.transaction as IDBTransaction;
          const isMissing = what.mustExist && event.oldVersion === 0;
          if (isMissing) resolve(null);
          // Where it is late the caller has been refused, and nothing happens behind its back.
          if (isMissing || isLate) return abortQuietly(transaction);
          what.onUpgrade(event);
          // There was none, and without a version the engine makes one of version 1.
          isOther = event.newVersion !== schema.length;
          if (isOther) return abortQuietly(transaction);
          upgrading = transaction;
          const goesOn = () => restart(what.upgradeLimitMs);
          goesOn();
          // The listener captures, so it hears of the request of each record.
          transaction.addEventListener('success', goesOn, true);
          heartbeat = setInterval(() => channel?.post(null), what.upgradeLimitMs / heartbeats);
          upgrade(request, what, event.oldVersion, reject);
        };
        const opened = (db: IDBDatabase) => {
          if (!isLate && db.version === schema.length) return resolve(db);
          db.close();
          if (isLate) return;
          if (db.version > schema.length) return reject(storageNewer(name));
          attempt(schema.length);
        };
        listen(request, opened, (error) => {
          if (isOther && !isLate) return attempt(schema.length);
          reject(isNewer(error) ? storageNewer(name, error) : error);
        });
      };
      attempt();
    },
  );
  return opening.finally(() => {
    clearInterval(heartbeat);
    channel?.close();
  });
}

/** Whether the database was upgraded after this code had asked for its version. */
function isNewer(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'VersionError';
}

function upgrade(
  { result: database, transaction }: IDBOpenDBRequest,
  { name, schema }: OpenRequest,
  from: number,
  reject: (error: unknown) => void,
): void {
  const tx = transaction as IDBTransaction;
  let failure: Error | null = null;
  const fail = (cause: unknown) => {
    const text = `The database ${name} could not be upgraded from version ${from} to ${schema.length}`;
    failure = new StorageError('storage_failed', `${text}: ${cause}`, { cause });
    abortQuietly(tx);
  };
  // Where the engine says no more than that it was aborted, the request's own error does.
  tx.onabort = () => {
    const error = failure ?? tx.error;
    if (error) reject(error);
  };
  runChanges(database, tx, changesSince(schema, from), fail);
  if (from > 0) return;
  const id = crypto.getRandomValues(new Uint32Array(4)).join();
  tx.objectStore('sync').put({ v: 1, id }, identityKey);
}

/** One after the other: a change finds what the one before it has made. */
function runChanges(
  database: IDBDatabase,
  tx: IDBTransaction,
  changes: readonly SchemaChange[],
  fail: (error: unknown) => void,
): void {
  const next = (at: number) => {
    const change = changes[at];
    if (!change) return;
    if ('rewrite' in change)
      return rewrite(tx.objectStore(change.rewrite), change.change, () => next(at + 1), fail);
    database.createObjectStore(change.addStore, { autoIncrement: change.autoIncrement });
    next(at + 1);
  };
  try {
    next(0);
  } catch (error) {
    fail(error);
  }
}

/** Record by record, so that a store of any size needs the memory of one. */
function rewrite(
  store: IDBObjectStore,
  change: (value: unknown, key: Key) => unknown,
  then: () => void,
  fail: (error: unknown) => void,
): void {
  const step = (cursor: IDBCursorWithValue | null) => {
    if (!cursor) return then();
    const changed = change(cursor.value, cursor.key as Key);
    if (changed !== undefined) cursor.update(changed);
    cursor.continue();
  };
  const safely = (cursor: IDBCursorWithValue | null) => {
    try {
      step(cursor);
    } catch (error) {
      fail(error);
    }
  };
  listen(store.openCursor(), safely, fail);
}
