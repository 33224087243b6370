/** Deleting databases, and reading the files of an image from IDBFS's own database without its code. */
import { inTime, listen, storageBlocked, storageNewer, storageTimeout } from './idb-request.ts';
import { aloneVersion, type DatabaseSchema } from './idb-schema.ts';
import { abortQuietly, runTransaction } from './idb-transaction.ts';
import type { Decision, Read } from './storage.ts';

const idbfsVersion = 21;
const idbfsStore = 'FILE_DATA';

/** Where the images of a client are (kMounts, src/sync/image_job.h). */
export function mountsOf(database: string): string[] {
  return ['1', '2', '3'].map((mount) => `/${database}/${mount}`);
}

export async function deleteWithImages(
  name: string,
  schema: DatabaseSchema,
  timeLimitMs: number,
): Promise<void> {
  // Asked again: a newer release may have upgraded it in between.
  const refusal = (version: number) => (version > schema.length ? storageNewer(name) : null);
  await deleteAlone(name, schema, timeLimitMs, refusal);
}

/**
 * Deletes a database if `decide` says so of what `reads` find in it; returns whether it is gone. Its images go first: so a
 * process that ends in the middle leaves none without its database, and a client whose images are missing loads them again.
 */
export async function deleteAlone(
  database: string,
  schema: DatabaseSchema,
  timeLimitMs: number,
  refusal: (version: number) => Error | null,
  reads: readonly Read[] = [],
  decide: (results: readonly unknown[]) => boolean = () => true,
): Promise<boolean> {
  await refuseNewer(database, schema, timeLimitMs);
  let images: Promise<void> | undefined;
  let emptied = false;
  let deletion: Promise<unknown> | undefined;
  const step = ([sync, ...results]: readonly unknown[]): Decision => {
    if (!images && decide(results))
      images = deleteImages(database, sync, timeLimitMs / 2).finally(() => {
        emptied = true;
      });
    // The transaction lasts for as long as it reads, and nobody opens the database meanwhile.
    if (images && !emptied) return { type: 'more', reads: [readSync] };
    if (images) deletion = deleteDatabase(database, timeLimitMs);
    return { type: 'abort' };
  };
  const gone = await alone(database, timeLimitMs, refusal, async (tx) => {
    try {
      await runTransaction(tx, [readSync, ...reads], step, timeLimitMs);
    } catch (error) {
      if (reads.length > 0) throw error;
      // Nothing depends on what is in it, so it need not be readable.
      images ??= deleteImages(database, null, timeLimitMs / 2);
      deletion ??= deleteDatabase(database, timeLimitMs);
    }
    await Promise.all([images, deletion]);
    return deletion !== undefined;
  });
  return gone === true;
}

const readSync: Read = { store: 'sync', get: 'sync' };

/** Those of former releases are listed where the record `sync` does not say that there are none (src/log/sync_record.h). */
async function deleteImages(database: string, sync: unknown, timeLimitMs: number): Promise<void> {
  const hasNone = typeof sync === 'object' && sync !== null && !('generations' in sync);
  const former = hasNone ? [] : await listIdbfs(database);
  const all = new Set([...mountsOf(database), ...former]);
  await Promise.all([...all].map((mount) => deleteIdbfs(mount, timeLimitMs)));
}

/**
 * Calls `look` in the transaction of an upgrade (to `aloneVersion`), which an engine begins only once all other connections
 * are closed; `look` is to roll it back, so the version stays what it was, whatever happens in between. A deletion is to be
 * requested before that, so that no later `open` comes before it. `refusal`: the error of a database of this version.
 * Returns true, without calling `look`, where there is no such database.
 */
export function alone(
  database: string,
  timeLimitMs: number,
  refusal: (version: number) => Error | null,
  look: (tx: IDBTransaction) => Promise<unknown>,
): Promise<unknown> {
  let isLate = false;
  const late = () => {
    isLate = true;
    return storageBlocked(database);
  };
  return inTime(timeLimitMs, late, 'storage_failed', (resolve, reject) => {
    const request = indexedDB.open(database, aloneVersion);
    let looking = false;
    request.onupgradeneeded = ({ oldVersion }) => {
      const tx = request.transaction as IDBTransaction;
      looking = true;
      const error = refusal(oldVersion);
      if (oldVersion > 0 && !error && !isLate) return void look(tx).then(resolve, reject);
      abortQuietly(tx);
      if (oldVersion === 0) resolve(true);
      else reject(error);
    };
    const opened = (db: IDBDatabase) => {
      // Never, because the upgrade is rolled back.
      db.close();
      reject(storageTimeout(`The database ${database} is of another version.`));
    };
    // The rollback is reported as an error, too.
    listen(request, opened, (error) => {
      if (!looking) reject(error);
    });
  });
}

/**
 * Rejects with code `storage_newer` where the database is of a later version: this code knows neither what is in it nor
 * what belongs to it. Its windows are not disturbed by the question.
 */
export async function refuseNewer(
  name: string,
  schema: DatabaseSchema,
  timeLimitMs: number,
): Promise<void> {
  if ((await versionOf(name, timeLimitMs)) > schema.length) throw storageNewer(name);
}

/**
 * 0 where there is none. Not by `databases()`: after Chromium 156 was killed in an upgrade, that gives the version that was
 * never reached, until the database is opened.
 */
function versionOf(name: string, timeLimitMs: number): Promise<number> {
  const late = () => storageBlocked(name);
  return inTime(timeLimitMs, late, 'storage_failed', (resolve, reject) => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => {
      request.transaction?.abort();
      resolve(0);
    };
    const opened = (db: IDBDatabase) => {
      db.close();
      resolve(db.version);
    };
    listen(request, opened, reject);
  });
}

/** Whether there is such a database; true where the engine does not say. */
export async function hasDatabase(name: string): Promise<boolean> {
  const list = await indexedDB.databases?.();
  return list?.some((info) => info.name === name) ?? true;
}

/** None without `databases()` (old Firefox). */
export async function listDatabases(): Promise<string[]> {
  return ((await indexedDB.databases?.()) ?? []).map(({ name = '' }) => name);
}

async function listIdbfs(database: string): Promise<string[]> {
  return (await listDatabases()).filter((mount) => mount.startsWith(`/${database}/`));
}

/** The engine deletes it when the last connection is closed: being blocked is no failure. */
export async function deleteIdbfs(mount: string, timeLimitMs: number): Promise<void> {
  try {
    await deleteDatabase(mount, timeLimitMs);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'storage_blocked') throw error;
  }
}

/** Rejects with code `storage_blocked` when it takes too long, because another client has not closed it. */
export function deleteDatabase(name: string, timeLimitMs: number): Promise<unknown> {
  const late = () => storageBlocked(name);
  return inTime(timeLimitMs, late, 'storage_failed', (resolve, reject) =>
    listen(indexedDB.deleteDatabase(name), resolve, reject),
  );
}

/** Makes nothing where there is nothing. */
export function readIdbfs(
  mount: string,
  paths: readonly string[],
  timeLimitMs: number,
): readonly Promise<Uint8Array | null>[] {
  const found: ((contents: Uint8Array | null) => void)[] = [];
  const all = inIdbfs(mount, 'readonly', timeLimitMs, (store) => {
    paths.forEach((path, index) => {
      const get = store.get(path);
      get.onsuccess = () => {
        found[index]?.(contentsOf(get.result));
      };
    });
  });
  return paths.map(
    (_, index) =>
      new Promise((resolve, reject) => {
        found[index] = resolve;
        all.then(() => resolve(null), reject);
      }),
  );
}

/** One transaction over the files of a mount. Nothing is called, and nothing made, where there is no such database. */
export function inIdbfs(
  mount: string,
  mode: IDBTransactionMode,
  timeLimitMs: number,
  ask: (store: IDBObjectStore) => void,
): Promise<void> {
  const late = () => storageTimeout(`The files of ${mount} took longer than ${timeLimitMs} ms.`);
  return inTime<void>(timeLimitMs, late, 'storage_failed', (resolve, reject) => {
    const request = indexedDB.open(mount, idbfsVersion);
    request.onupgradeneeded = () => request.transaction?.abort();
    const opened = (db: IDBDatabase) => {
      db.onversionchange = () => db.close();
      const tx = db.transaction(idbfsStore, mode);
      ask(tx.objectStore(idbfsStore));
      tx.oncomplete = () => {
        db.close();
        resolve();
      };
      tx.onabort = () => {
        db.close();
        reject(tx.error);
      };
    };
    listen(request, opened, (error) => {
      if ((error as Error | null)?.name === 'AbortError') resolve();
      else reject(error);
    });
  });
}

/** `contents` is a Uint8Array or an Int8Array, depending on its writer. */
function contentsOf(entry: unknown): Uint8Array | null {
  const contents = (entry as { contents?: unknown } | undefined)?.contents;
  if (!ArrayBuffer.isView(contents)) return null;
  return new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength);
}
