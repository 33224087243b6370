/** Locks within one program, first come first served. */
import type { AcquireOptions, HeldLock, Locks } from '../locks.ts';

interface Holder {
  readonly shared: boolean;
  lose(): void;
}

interface LockName {
  readonly holders: Set<Holder>;
  readonly waiting: { readonly shared: boolean; grant(): void }[];
}

export function memoryLocks(): Locks {
  const names = new Map<string, LockName>();
  const isFree = ({ holders }: LockName, shared: boolean): boolean =>
    [...holders].every((holder) => shared && holder.shared);
  const hold = (name: LockName, shared: boolean): HeldLock => {
    let lose: () => void = () => {};
    const lost = new Promise<void>((resolve) => {
      lose = resolve;
    });
    const holder = { shared, lose };
    name.holders.add(holder);
    return {
      lost,
      release() {
        if (!name.holders.delete(holder)) return;
        for (
          let next = name.waiting[0];
          next && isFree(name, next.shared);
          next = name.waiting[0]
        ) {
          name.waiting.shift();
          next.grant();
        }
      },
    };
  };
  return {
    async acquire(key: string, options: AcquireOptions = {}): Promise<HeldLock | null> {
      const name: LockName = names.get(key) ?? { holders: new Set(), waiting: [] };
      names.set(key, name);
      if (options.signal?.aborted) return null;
      const shared = options.mode === 'shared';
      if (options.steal) {
        for (const holder of name.holders) holder.lose();
        name.holders.clear();
      }
      const isNext = options.steal || name.waiting.length === 0;
      if (isNext && isFree(name, shared)) return hold(name, shared);
      if (options.ifAvailable) return null;
      return new Promise((resolve) => {
        const entry = { shared, grant: () => resolve(hold(name, shared)) };
        name.waiting.push(entry);
        options.signal?.addEventListener('abort', () => {
          const at = name.waiting.indexOf(entry);
          if (at < 0) return;
          name.waiting.splice(at, 1);
          resolve(null);
        });
      });
    },
    isHeld: async (key) => (names.get(key)?.holders.size ?? 0) > 0,
  };
}
