/**
 * AccountHost: what leaving an account and adopting local data need of storage beyond `StorageHost`. Guarantee: while
 * `deleteIf` reads and decides, nobody else has the database open: whoever had was told to let go of it, and what they
 * had begun to write has been written. Nobody writes to it either between a decision to delete and the deletion.
 */
import type { Read } from './storage.ts';

export interface AccountHost {
  /** Whether there is such a database; where the engine does not tell, yes. */
  exists(database: string): Promise<boolean>;
  /** Deletes image generations whose databases are gone: something ended between the two deletions. */
  sweep(): Promise<void>;
  /**
   * Deletes a database, and those of its image generations, if `decide` says so of what `reads` find. Gives whether it is
   * gone. Rejects with code `storage_blocked` where somebody does not let go of it, and with `storage_newer` where it is of
   * a later version.
   */
  deleteIf(
    database: string,
    reads: readonly Read[],
    decide: (results: readonly unknown[]) => boolean,
  ): Promise<boolean>;
}
