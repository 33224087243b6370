/**
 * AccountHost on IndexedDB. A database is looked at in the transaction of an upgrade (to `aloneVersion`), which an engine
 * begins only once all other connections are closed. The upgrade itself is always rolled back, so the version stays what it
 * was, whatever happens in between. A deletion is requested before that, so that no later `open` comes before
 * it. A database of a later version is left alone: what is unsynced in it cannot be counted here.
 */
import { StorageError } from '../core/errors.ts';
import type { AccountHost } from './account-host.ts';
import { deleteDatabase, deleteIdbfs, hasDatabase, listIdbfs, refuseNewer } from './idb-files.ts';
import { inTime, listen, storageBlocked, storageNewer, storageTimeout } from './idb-request.ts';
import { aloneVersion, type DatabaseSchema, databaseSchema } from './idb-schema.ts';
import { abortQuietly, runTransaction } from './idb-transaction.ts';
import type { Read } from './storage.ts';

const timeLimitMs = 10_000;
/** How often image generations are listed and deleted: a worker may have begun one after they were listed. */
const rounds = 5;

export function accountsOf(schema: DatabaseSchema): AccountHost {
  return {
    exists: hasDatabase,
    sweep,
    deleteIf: (database, reads, decide) => deleteIf(schema, database, reads, decide),
  };
}

export const browserAccounts = accountsOf(databaseSchema);

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
  schema: DatabaseSchema,
  database: string,
  reads: readonly Read[],
  decide: (results: readonly unknown[]) => boolean,
): Promise<boolean> {
  await refuseNewer(database, schema, timeLimitMs);
  const mounts = await listIdbfs(database);
  const gone = await alone(database, schema, (tx) => {
    let deletion: Promise<unknown> | null = null;
    const read = runTransaction(
      tx,
      reads,
      (results) => {
        // All at once, so that nothing is left half done if the page ends. Images last: without the database they are orphans.
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

/** Returns true, without calling `look`, where there is no such database. */
function alone(
  database: string,
  schema: DatabaseSchema,
  look: (tx: IDBTransaction) => Promise<boolean>,
): Promise<boolean> {
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
      if (oldVersion === schema.length && !isLate) return void look(tx).then(resolve, reject);
      abortQuietly(tx);
      if (oldVersion === 0) resolve(true);
      else reject(ofVersion(database, oldVersion, schema));
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

function ofVersion(database: string, version: number, schema: DatabaseSchema): StorageError {
  if (version > schema.length) return storageNewer(database);
  const text = `The database ${database} was made again by an older version of this application: try again.`;
  return new StorageError('storage_failed', text, { retryable: true });
}
