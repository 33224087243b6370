/** The Web Locks of a worker's leases: the effect `lock` of docs/sync-worker.md, section 3. */
import type { LeaseName, LockAction, LockState } from '../core/core-types.ts';
import type { HeldLock, Locks } from '../host/locks.ts';

interface KeptLock {
  held: HeldLock | null;
  /** Ends the waiting of a queued request. */
  stop: AbortController | null;
}

export class LockKeeper {
  readonly #locks: Locks;
  readonly #prefix: string;
  readonly #report: (name: LeaseName, state: LockState) => void;
  readonly #entries = new Map<LeaseName, KeptLock>();

  constructor(locks: Locks, prefix: string, report: (name: LeaseName, state: LockState) => void) {
    this.#locks = locks;
    this.#prefix = prefix;
    this.#report = report;
  }

  do(name: LeaseName, action: LockAction): void {
    this.#drop(name);
    if (action === 'release') return;
    const entry: KeptLock = { held: null, stop: null };
    this.#entries.set(name, entry);
    const asked = action === 'steal' ? this.#steal(name, entry) : this.#request(name, entry);
    // An engine that fails to answer grants nothing: the lease's own looks go on.
    asked.catch(() => {
      if (this.#entries.get(name) === entry) this.#report(name, 'refused');
    });
  }

  releaseAll(): void {
    for (const name of [...this.#entries.keys()]) this.#drop(name);
  }

  #drop(name: LeaseName): void {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    entry?.stop?.abort();
    entry?.held?.release();
  }

  async #request(name: LeaseName, entry: KeptLock): Promise<void> {
    const lock = await this.#locks.acquire(this.#prefix + name, { ifAvailable: true });
    if (lock) {
      this.#granted(name, entry, lock);
      return;
    }
    if (this.#entries.get(name) !== entry) return;
    entry.stop = new AbortController();
    const { signal } = entry.stop;
    this.#report(name, 'refused');
    const later = await this.#locks.acquire(this.#prefix + name, { signal });
    if (later) this.#granted(name, entry, later);
  }

  async #steal(name: LeaseName, entry: KeptLock): Promise<void> {
    const lock = await this.#locks.acquire(this.#prefix + name, { steal: true });
    if (lock) this.#granted(name, entry, lock);
    else if (this.#entries.get(name) === entry) this.#report(name, 'refused');
  }

  #granted(name: LeaseName, entry: KeptLock, lock: HeldLock): void {
    // Released while the engine was deciding.
    if (this.#entries.get(name) !== entry) {
      lock.release();
      return;
    }
    entry.held = lock;
    entry.stop = null;
    void lock.lost.then(() => {
      if (this.#entries.get(name) !== entry) return;
      this.#entries.delete(name);
      this.#report(name, 'lost');
    });
    this.#report(name, 'granted');
  }
}
