/**
 * AccountHost on IndexedDB. A database is looked at in the transaction of an upgrade, which an engine begins only once all
 * other connections are closed. The upgrade itself is always rolled back, so the version stays what it was, whatever
 * happens in between; a deletion is asked for before that, so that nobody's `open` that comes later stands before it.
 */
import type { AccountHost } from './account-host.ts';
import { deleteDatabase, deleteIdbfs, hasDatabase, listIdbfs } from './idb-files.ts';
import { inTime, listen, storageBlocked, storageTimeout } from './idb-request.ts';
import { abortQuietly, runTransaction } from './idb-transaction.ts';
import type { Read } from './storage.ts';

const timeLimitMs = 10_000;
/** Of deleting image generations: a worker that was making one may have begun it after they were listed. */
const rounds = 5;

export const browserAccounts: AccountHost = { exists: hasDatabase, sweep, deleteIf };

async function sweep(): Promise<void> {
  const names = ((await indexedDB.databases?.()) ?? []).map(({ name = '' }) => name);
  for (const name of names) {
    // `/skerry/<name>/<user>/<generation>` is made after `skerry/<name>/<user>`.
    const database = name.slice(1, name.lastIndexOf('/'));
    if (name.startsWith('/skerry/') && !names.includes(database))
      await deleteIdbfs(name, timeLimitMs);
  }
}

async function deleteIf(
  database: string,
  reads: readonly Read[],
  decide: (results: readonly unknown[]) => boolean,
): Promise<boolean> {
  const mounts = await listIdbfs(database);
  const gone = await alone(database, (tx) => {
    let deletion: Promise<unknown> | null = null;
    const read = runTransaction(
      tx,
      reads,
      (results) => {
        // All at once, so that what ends this page leaves nothing half done; images last, which cannot be without it.
        if (decide(results)) {
          const first = deleteDatabase(database, timeLimitMs);
          const images = mounts.map((mount) => deleteIdbfs(mount, timeLimitMs));
          deletion = Promise.all([first, ...images]);
        }
        return { type: 'abort' };
      },
      timeLimitMs,
    );
    return read.then(async () => {
      await deletion;
      return deletion !== null;
    });
  });
  if (!gone) return false;
  for (let round = 0; round < rounds; round++) {
    const late = await listIdbfs(database);
    if (late.length === 0) break;
    for (const mount of late) await deleteIdbfs(mount, timeLimitMs);
  }
  return true;
}

/** Gives true without asking where there is no such database. */
function alone(database: string, look: (tx: IDBTransaction) => Promise<boolean>): Promise<boolean> {
  let isLate = false;
  const late = () => {
    isLate = true;
    return storageBlocked(database);
  };
  return inTime(timeLimitMs, late, 'storage_failed', (resolve, reject) => {
    const request = indexedDB.open(database, 2);
    let looking = false;
    request.onupgradeneeded = ({ oldVersion }) => {
      const tx = request.transaction as IDBTransaction;
      looking = true;
      if (oldVersion === 1 && !isLate) look(tx).then(resolve, reject);
      else {
        abortQuietly(tx);
        resolve(true);
      }
    };
    const opened = (db: IDBDatabase) => {
      // Never, because the upgrade is rolled back.
      db.close();
      reject(storageTimeout(`The database ${database} is of another version.`));
    };
    // That it was rolled back shows as an error too.
    listen(request, opened, (error) => {
      if (!looking) reject(error);
    });
  });
}
