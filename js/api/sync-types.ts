/** `db.sync`, as the application sees it. */

import type { Verified, VerifyOptions } from './comparing.ts';
import type { Scope } from './scopes.ts';
import type { SyncStatus } from './sync-status.ts';
import type { Stop } from './types.ts';

export interface SyncApi {
  readonly status: SyncStatus;
  subscribe(fn: (status: SyncStatus) => void): Stop;
  /** Pushes and pulls now, whatever the pause. */
  now(): Promise<void>;
  pause(): void;
  resume(): void;
  /**
   * Resolves once all earlier changes of this device are confirmed and all earlier changes of others are here. Rejects with `held`
   * where the application's rules hold back what is left.
   */
  waitForSync(options?: { signal?: AbortSignal; timeoutMs?: number }): Promise<void>;
  /**
   * Compares what this device holds of the server's rows with the server, after a pull, and makes equal what differs (`on('mended')`).
   * The window does this by itself about once a week. Changes that are pending are not touched. Rejects where the server cannot
   * be asked (NetworkError), and as `signal` says.
   */
  verify(options?: VerifyOptions): Promise<Verified>;
  /**
   * Asks for one more part of a table, until it is unsubscribed: `ready` rejects (`closed`) where that comes first. Throws
   * LimitError where the server would refuse the scopes of this window together: more than 500, or filters that cost too
   * much. Where all windows together want too much, `ready` rejects (`scope_left_out`); the part comes when other windows
   * have unsubscribed enough.
   */
  scope(query: { readonly live: unknown }): Scope;
}
