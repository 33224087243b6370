/** Hooks for queries, live values and streams. All read by `useSyncExternalStore`, so no render sees two states. */
import { useMemo, useSyncExternalStore } from 'react';
import type { Conflict } from '../api/conflicts.ts';
import type { AnyDatabase } from '../api/database.ts';
import type { Invitation } from '../api/invitations.ts';
import type { SyncStatus } from '../api/sync-status.ts';
import type { Live } from '../api/types.ts';
import type { Undone } from '../api/undo.ts';
import { ClosedError, UnsupportedError } from '../index.ts';
import { nothing, useIsServer, useOpened } from './context.ts';
import type { RegisteredDatabase } from './register.ts';

/** What a hook depends on besides the database; as with React's own hooks. */
export type Deps = readonly unknown[];

export interface QueryOptions<R> {
  /** The component is suspended until the database is open. By default it has no rows until then, or `serverRows`. */
  readonly suspense?: boolean;
  /** The rows in a page that a server has rendered, until the database is open. */
  readonly serverRows?: readonly R[];
}

export interface LiveOptions<V> {
  /** The value in a page that a server has rendered, until the database is open. Without it the component is suspended until then. */
  readonly serverValue?: V;
}

const none: readonly never[] = Object.freeze([]);

/** Two functions that do not change as long as the value does not. `closed`: of what was not read before the database was closed. */
function storeOf<V>(live: Live<V>, closed: V | undefined) {
  return {
    subscribe(changed: () => void): () => void {
      try {
        return live.subscribe(changed);
      } catch (error) {
        // Logged out, for example: the last value stays until the page shows something else.
        if (error instanceof ClosedError) return () => {};
        throw error;
      }
    },
    read(): V {
      try {
        return live.value;
      } catch (error) {
        if (error instanceof ClosedError && closed !== undefined) return closed;
        throw error;
      }
    },
  };
}

function useStore<V>(live: Live<V> | null, otherwise: V, closed?: V): V {
  const store = useMemo(() => (live ? storeOf(live, closed) : null), [live, closed]);
  const read = store?.read ?? (() => otherwise);
  return useSyncExternalStore(store?.subscribe ?? nothing, read, () => otherwise);
}

/**
 * The rows of a query, the same objects until they change: `useQuery((db) => db.todos.where('done', '=', done), [done])`. Its rows are
 * frozen and keep their identity, so a component of one row that is `memo` renders only when this row changes.
 */
export function useQuery<R>(
  make: (db: RegisteredDatabase) => { live(): Live<readonly R[]> },
  deps: Deps = none,
  { suspense = false, serverRows = none }: QueryOptions<R> = {},
): readonly R[] {
  const db = useOpened(suspense);
  // biome-ignore lint/correctness/useExhaustiveDependencies: they are the caller's
  const live = useMemo(() => (db ? make(db as RegisteredDatabase).live() : null), [db, ...deps]);
  return useStore(live, serverRows, none);
}

/** The value of a live query, or of whatever has `value` and `subscribe`: `useLive((db) => db.todos.liveCount())`. */
export function useLive<V>(live: Live<V>): V;
export function useLive<V>(
  make: (db: RegisteredDatabase) => Live<V>,
  deps?: Deps,
  options?: LiveOptions<V>,
): V;
export function useLive<V>(
  given: Live<V> | ((db: RegisteredDatabase) => Live<V>),
  deps: Deps = none,
  options: LiveOptions<V> = {},
): V {
  const isMaker = typeof given === 'function';
  const hasValue = 'serverValue' in options;
  const db = useOpened(isMaker && !hasValue);
  // biome-ignore lint/correctness/useExhaustiveDependencies: they are the caller's
  const made = useMemo(
    () => (isMaker && db ? given(db as RegisteredDatabase) : null),
    [db, ...deps],
  );
  const live = isMaker ? made : given;
  return useStore(live, (hasValue ? options.serverValue : live?.value) as V);
}

/** The items of a stream, or its state: `useStream((db) => db.stream('chat'))`. */
export const useStream: typeof useLive = useLive;

const opening: SyncStatus = Object.freeze({
  mode: 'local',
  modeReason: '',
  phase: 'opening',
  role: 'none',
  lease: null,
  online: true,
  connected: false,
  lastHeardAt: null,
  needsAuth: false,
  writable: true,
  pending: 0,
  conflicts: 0,
  clockOffsetMs: 0,
  oldestPendingAt: null,
  lastSyncedAt: null,
  nextTryAt: null,
  revisions: Object.freeze({}),
  lost: none,
  restored: 0,
  mended: 0,
  progress: null,
  error: null,
});

const statusOf = ({ sync }: AnyDatabase): Live<SyncStatus> => ({
  get value() {
    return sync.status;
  },
  subscribe: (fn) => sync.subscribe(fn),
});

const inboxOf = ({ conflicts }: AnyDatabase): Live<readonly Conflict[]> => ({
  get value() {
    return conflicts.all();
  },
  subscribe: (fn) => conflicts.subscribe(fn),
});

const invitationsOf = ({ realms }: AnyDatabase) => realms.invitations;

/** What every database has; `otherwise` until it is open. */
function usePart<V>(of: (db: AnyDatabase) => Live<V>, otherwise: V): V {
  const db = useOpened(false);
  const live = useMemo(() => (db ? of(db) : null), [db, of]);
  return useStore(live, otherwise);
}

/** `db.sync.status`; its phase is `opening` until the database is open. */
export function useSyncStatus(): SyncStatus {
  return usePart(statusOf, opening);
}

/** The entries of the inbox, `db.conflicts.all()`. */
export function useConflicts(): readonly Conflict[] {
  return usePart(inboxOf, none);
}

const canUndoOf = ({ canUndo }: AnyDatabase) => canUndo;
const canRedoOf = ({ canRedo }: AnyDatabase) => canRedo;

/** Undo and redo of this window: `db.undo()`, `db.redo()`. They do nothing until the database is open. */
export function useUndo(): {
  undo(): Undone | null;
  redo(): Undone | null;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
} {
  const db = useOpened(false);
  const canUndo = usePart(canUndoOf, false);
  const canRedo = usePart(canRedoOf, false);
  return useMemo(
    () => ({
      undo: () => db?.undo() ?? null,
      redo: () => db?.redo() ?? null,
      canUndo,
      canRedo,
    }),
    [db, canUndo, canRedo],
  );
}

/** What others have invited the user to, `db.realms.invitations`. */
export function useInvitations(): readonly Invitation[] {
  return usePart(invitationsOf, none);
}

/** What a server renders with: event handlers take its mutators, and none of them is called there. */
const noMutators = new Proxy(Object.freeze({}), {
  get: (_, name) => () => {
    throw new UnsupportedError('no_window', `A server cannot call the mutator ${String(name)}.`);
  },
});

/**
 * `db.mutate`: the application's mutators. While the database is being opened, the component is suspended. On a server there are
 * none that could be called.
 */
export function useMutate(): RegisteredDatabase['mutate'] {
  const isServer = useIsServer();
  const db = useOpened(!isServer) as RegisteredDatabase | null;
  return db ? db.mutate : (noMutators as RegisteredDatabase['mutate']);
}
