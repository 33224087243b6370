/** Locks within one program, first come first served. */
import type { AcquireOptions, HeldLock, Locks } from '../locks.ts';

interface Name {
  holder: { lose(): void } | null;
  readonly waiting: { grant(): void }[];
}

export function memoryLocks(): Locks {
  const names = new Map<string, Name>();
  const hold = (name: Name): HeldLock => {
    let lose: () => void = () => {};
    const lost = new Promise<void>((resolve) => {
      lose = resolve;
    });
    const holder = { lose };
    name.holder = holder;
    return {
      lost,
      release() {
        if (name.holder !== holder) return;
        name.holder = null;
        name.waiting.shift()?.grant();
      },
    };
  };
  return {
    async acquire(key: string, options: AcquireOptions = {}): Promise<HeldLock | null> {
      const name: Name = names.get(key) ?? { holder: null, waiting: [] };
      names.set(key, name);
      if (options.signal?.aborted) return null;
      if (options.steal) name.holder?.lose();
      if (options.steal || !name.holder) return hold(name);
      if (options.ifAvailable) return null;
      return new Promise((resolve) => {
        const entry = { grant: () => resolve(hold(name)) };
        name.waiting.push(entry);
        options.signal?.addEventListener('abort', () => {
          const at = name.waiting.indexOf(entry);
          if (at < 0) return;
          name.waiting.splice(at, 1);
          resolve(null);
        });
      });
    },
  };
}
