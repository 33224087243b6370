/**
 * AccountHost on IndexedDB. A database is looked at while no other client has it open (`alone`). A database of a later
 * version is left as it is: what is unsynced in it cannot be counted here.
 */
import { StorageError } from '../core/errors.ts';
import type { AccountHost } from './account-host.ts';
import { deleteAlone, hasDatabase } from './idb-files.ts';
import { storageNewer } from './idb-request.ts';
import { type DatabaseSchema, databaseSchema } from './idb-schema.ts';

const timeLimitMs = 10_000;

export function accountsOf(schema: DatabaseSchema): AccountHost {
  return {
    exists: hasDatabase,
    deleteIf: (database, reads, decide) => {
      const refusal = (version: number) => ofVersion(database, version, schema);
      return deleteAlone(database, schema, timeLimitMs, refusal, reads, decide);
    },
  };
}

export const browserAccounts = accountsOf(databaseSchema);

function ofVersion(database: string, version: number, schema: DatabaseSchema): StorageError | null {
  if (version === schema.length) return null;
  if (version > schema.length) return storageNewer(database);
  const text = `The database ${database} was made again by an older version of this application: try again.`;
  return new StorageError('storage_failed', text, { retryable: true });
}
