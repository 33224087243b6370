/**
 * AccountHost on IndexedDB. A database is looked at while no other client has it open (`alone`). A database of a later
 * version is left as it is: what is unsynced in it cannot be counted here.
 */
import { StorageError } from '../core/errors.ts';
import type { AccountHost } from './account-host.ts';
import {
  alone,
  deleteDatabase,
  deleteIdbfs,
  hasDatabase,
  listIdbfs,
  refuseNewer,
} from './idb-files.ts';
import { storageNewer } from './idb-request.ts';
import { type DatabaseSchema, databaseSchema } from './idb-schema.ts';
import { runTransaction } from './idb-transaction.ts';
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
  const refusal = (version: number) => ofVersion(database, version, schema);
  const gone = await alone(database, timeLimitMs, refusal, (tx) => {
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

function ofVersion(database: string, version: number, schema: DatabaseSchema): StorageError | null {
  if (version === schema.length) return null;
  if (version > schema.length) return storageNewer(database);
  const text = `The database ${database} was made again by an older version of this application: try again.`;
  return new StorageError('storage_failed', text, { retryable: true });
}
