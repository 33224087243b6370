/**
 * Locks: one holder per name over all windows and workers. Guarantee: between `acquire` resolving with a lock and its
 * release, no other client holds it, unless it is stolen; then `lost` resolves. A released lock is free a moment later, not
 * when `release` returns. Locks of a dead window are released. They are a shortcut only: the lease in storage decides
 * (docs/design.md, "The lease"). A shared lock has any number of holders, and no other one meanwhile.
 */
export interface HeldLock {
  release(): void;
  /** Resolves when the lock was stolen; never after a release. */
  readonly lost: Promise<void>;
}

/** Members of an engine's own `LockOptions`; at most one of `ifAvailable`, `steal` and `signal`. */
export interface AcquireOptions {
  /** Shared, others may hold it, too. Else it is exclusive. */
  readonly mode?: 'shared';
  /** Resolves with null at once where another client holds it. */
  readonly ifAvailable?: boolean;
  /** Takes it from its holder. */
  readonly steal?: boolean;
  /** Stops waiting: `acquire` then resolves with null. */
  readonly signal?: AbortSignal;
}

export interface Locks {
  acquire(name: string, options?: AcquireOptions): Promise<HeldLock | null>;
  /** Whether any client holds it now, however slow that client is. */
  isHeld(name: string): Promise<boolean>;
}

/** Null where the engine has none. */
export function webLocks(): Locks | null {
  const manager = globalThis.navigator?.locks;
  if (!manager) return null;
  return {
    acquire: (name, options = {}) => acquireWebLock(manager, name, options),
    async isHeld(name) {
      const { held = [] } = await manager.query();
      return held.some((lock) => lock.name === name);
    },
  };
}

function acquireWebLock(
  manager: LockManager,
  name: string,
  options: AcquireOptions,
): Promise<HeldLock | null> {
  return new Promise((resolve, reject) => {
    let held = false;
    let stolen: () => void = () => {};
    const lost = new Promise<void>((resolveLost) => {
      stolen = resolveLost;
    });
    const callback = (lock: Lock | null) => {
      if (!lock) return resolve(null);
      held = true;
      return new Promise<void>((release) => resolve({ release, lost }));
    };
    manager.request(name, options, callback).catch((error: unknown) => {
      // The request of a stolen lock rejects with AbortError, and so does one that was aborted while it waited.
      if (held) stolen();
      else if ((error as { name?: unknown }).name === 'AbortError') resolve(null);
      else reject(error);
    });
  });
}
