// Users whose pushes have made a group fail, or need several transactions. For a while they are grouped with nobody
// else, so that retries cost only them.

import { limits } from '../base/limits.ts';
import { LruMap } from '../base/lru-map.ts';

export class IsolatedUsers {
  readonly #now: () => number;
  /** Until when. */
  readonly #until = new LruMap<number>(limits.isolatedUsers);

  constructor(now: () => number) {
    this.#now = now;
  }

  add(user: string): void {
    this.#until.use(user, this.#now() + limits.isolationMs);
  }

  has(user: string): boolean {
    const until = this.#until.get(user);
    if (until === undefined || until > this.#now()) return until !== undefined;
    this.#until.delete(user);
    return false;
  }
}
