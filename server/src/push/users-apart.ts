// Users by whose pushes groups have failed, or whose pushes need several transactions. For a moment they are grouped with
// nobody else, so that doing it again costs nobody but them.

import { limits } from '../limits.ts';

export class UsersApart {
  readonly #now: () => number;
  /** Until when, the longest known first. */
  readonly #until = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  add(user: string): void {
    this.#until.delete(user);
    const [oldest] = this.#until.keys();
    if (this.#until.size >= limits.usersApart && oldest !== undefined) this.#until.delete(oldest);
    this.#until.set(user, this.#now() + limits.apartMs);
  }

  has(user: string): boolean {
    const until = this.#until.get(user);
    if (until === undefined || until > this.#now()) return until !== undefined;
    this.#until.delete(user);
    return false;
  }
}
