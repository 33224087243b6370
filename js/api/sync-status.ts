/** The synchronisation's state as the application sees it: one frozen object, replaced when something in it changes. */

import type {
  StatusLease,
  StatusRecord,
  SyncError,
  Phase as SyncPhase,
  WorkerRole as SyncRole,
  WindowState,
} from '../core/core-types.ts';
import { errorFromCode, SkerryError } from '../core/errors.ts';

export interface SyncStatus {
  readonly mode: 'service-worker' | 'lease' | 'local';
  /** Why this mode, in words. */
  readonly modeReason: string;
  readonly phase: SyncPhase;
  /** Whether this window pushes and pulls for all windows. */
  readonly role: SyncRole;
  /** The window that pushes, as last seen. */
  readonly lease: StatusLease | null;
  /** Whether the browser has a network (`navigator.onLine`). It may have one, and not reach the server. */
  readonly online: boolean;
  /**
   * Whether the server can be reached now: the socket for pokes is open and answers, or else the last request was
   * answered. A server that stops shows within seconds, a network in which nothing passes any more within a minute.
   */
  readonly connected: boolean;
  /** When the server last answered or sent a message, to the second; null: not since the database was opened. */
  readonly lastHeardAt: Date | null;
  readonly needsAuth: boolean;
  readonly writable: boolean;
  /** Mutations that are not confirmed yet. */
  readonly pending: number;
  readonly conflicts: number;
  readonly clockOffsetMs: number;
  readonly oldestPendingAt: Date | null;
  readonly lastSyncedAt: Date | null;
  readonly nextTryAt: Date | null;
  /** By realm. */
  readonly revisions: Readonly<Record<string, number>>;
  /**
   * Realms that the server has lost, or of which it has another history, because it was restored from a backup: until the rows that
   * this device has of them are given back. A realm that the server does not have at all can only be read meanwhile.
   */
  readonly lost: readonly string[];
  /** Rows that this window has given back to a restored server since the database was opened. */
  readonly restored: number;
  /** Rows that differed from the server's, and were mended, since the database was opened (`db.sync.verify`). */
  readonly mended: number;
  /** How far the initial sync is, in bytes. */
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly error: SkerryError | null;
}

export interface StatusInput {
  readonly local: boolean;
  readonly online: boolean;
  readonly window: WindowState | null;
  readonly worker: StatusRecord | null;
  /** A failure that the worker cannot report: its own, or that of a token. */
  readonly error: SkerryError | null;
  /** Why this window can store nothing; it ends by itself, whatever becomes of the worker meanwhile. */
  readonly storage: SkerryError | null;
  /** Why scopes of this window were left out; all others are served. */
  readonly scopes: SkerryError | null;
  /** Which streams of this window were left out. */
  readonly streams: SkerryError | null;
  /** Why no newer image could be made: starts take longer, and nothing else is the matter. */
  readonly image: SkerryError | null;
  readonly restored: number;
  readonly mended: number;
}

export function makeStatus(input: StatusInput): SyncStatus {
  const { local, window, worker } = input;
  return {
    mode: local ? 'local' : (worker?.mode ?? 'lease'),
    modeReason: local ? 'no remote was given' : (worker?.modeReason ?? ''),
    phase: phaseOf(input),
    role: worker?.role ?? 'none',
    lease: worker?.lease ?? null,
    online: worker?.online ?? input.online,
    connected: !local && worker?.connected === true,
    lastHeardAt: local ? null : toDate(worker?.lastHeardAt),
    needsAuth: worker?.needsAuth === true,
    writable: true,
    pending: window?.pending ?? 0,
    conflicts: window?.conflicts ?? 0,
    clockOffsetMs: worker?.clockOffsetMs ?? window?.clockOffset ?? 0,
    oldestPendingAt: toDate(window?.oldestPendingAt),
    lastSyncedAt: toDate(worker?.lastSyncedAt ?? window?.lastSyncedAt),
    nextTryAt: toDate(worker?.nextTryAt),
    revisions: revisionsOf(window?.cursors ?? {}),
    lost: window?.lost ?? [],
    restored: input.restored,
    mended: input.mended,
    progress: worker?.progress ?? null,
    error:
      input.storage ??
      input.error ??
      workerError(worker) ??
      input.scopes ??
      input.streams ??
      input.image,
  };
}

function phaseOf({ local, window, worker, ...failures }: StatusInput): SyncStatus['phase'] {
  if (window === null || window.phase === 'opening') return 'opening';
  const isStuck = [failures.storage, failures.error].some((error) => error?.retryable === false);
  if (isStuck) return 'blocked';
  if (local) return 'idle';
  const phase = worker?.phase ?? 'opening';
  // Rows are in storage, and not in this window yet; the first of them, too, come by another way than the status.
  const lacks = window.phase === 'loading' || (window.n === 0 && (worker?.n ?? 0) > 0);
  return lacks && ['idle', 'pulling', 'pushing'].includes(phase) ? 'filling' : phase;
}

/** The error that a message of the worker has. */
export function workerError(
  worker: { readonly error: SyncError | null } | null,
): SkerryError | null {
  const error = worker?.error;
  if (!error) return null;
  return errorFromCode(error.code, error.message, error);
}

/** "57@1760000000123" is revision 57. */
function revisionsOf(cursors: Readonly<Record<string, string>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(cursors).map(([realm, cursor]) => [realm, Number.parseInt(cursor, 10) || 0]),
  );
}

function toDate(ms: number | null | undefined): Date | null {
  return typeof ms === 'number' ? new Date(ms) : null;
}

/** Whether two statuses say the same, so that the older object can stay. */
export function sameStatus(a: SyncStatus, b: SyncStatus): boolean {
  return Object.keys(a).every((key) =>
    same(a[key as keyof SyncStatus], b[key as keyof SyncStatus]),
  );
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a instanceof SkerryError && b instanceof SkerryError)
    return a.code === b.code && a.message === b.message && a.retryable === b.retryable;
  // The rest are dates, and objects with a few plain members.
  return typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b);
}

/** Whether a pull has succeeded between two statuses. */
export function hasSynced(before: SyncStatus, now: SyncStatus): boolean {
  const isIdle = ({ phase, error }: SyncStatus) => phase === 'idle' && error === null;
  return (
    before.lastSyncedAt?.getTime() !== now.lastSyncedAt?.getTime() ||
    (isIdle(now) && !isIdle(before))
  );
}
