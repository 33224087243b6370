/**
 * PauseLock: a window's pause (`db.sync.pause()`) where the service worker sees it. A `sync` event may come while the window
 * is too busy to answer a question. A lock is held all the same, and ends with its window. All paused windows share it.
 */
import type { HeldLock, Locks } from './locks.ts';

/** Behind the database's name. */
export const pauseLock = '/paused';

export class PauseLock {
  readonly #locks: Locks;
  readonly #name: string;
  #held: Promise<HeldLock | null> | null = null;

  constructor(locks: Locks, database: string) {
    this.#locks = locks;
    this.#name = database + pauseLock;
  }

  set(paused: boolean): void {
    if (paused === (this.#held !== null)) return;
    // A page that is about to end is refused, and its pause ends with it.
    if (!paused) void this.#held?.then((lock) => lock?.release()).catch(() => {});
    this.#held = paused ? this.#locks.acquire(this.#name, { mode: 'shared' }) : null;
    this.#held?.catch(() => {});
  }
}
