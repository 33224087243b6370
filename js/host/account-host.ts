/**
 * AccountHost: what leaving an account and adopting local data need of storage beyond `StorageHost`. Guarantee: while
 * `deleteIf` reads and decides, no other client has the database open. The others were asked to close it, and what they
 * had begun to write has been written. No client writes to it between a decision to delete and the deletion, either.
 */
import type { Read } from './storage.ts';

export interface AccountHost {
  /** Whether there is such a database; true where the engine does not say. */
  exists(database: string): Promise<boolean>;
  /**
   * Deletes a database, and before it those of its images, if `decide` says so of what `reads` find. Returns whether it
   * is gone. Rejects with code `storage_blocked` where another client does not close it, and with `storage_newer` where it
   * is of a later version.
   */
  deleteIf(
    database: string,
    reads: readonly Read[],
    decide: (results: readonly unknown[]) => boolean,
  ): Promise<boolean>;
}
