// What the operator of a restored server sees of what comes back: a line when the first rows of another history are offered, and one
// now and then for as long as more come.

import type { OffersTaken } from '../base/wire-types.ts';

/** Not refused: somebody has changed or deleted the row since. */
const kKept = new Set(['overwritten', 'row_deleted']);

/** Between two lines, ms. */
const kPauseMs = 60_000;

export class RestoreLog {
  readonly #warn: (message: string) => void;
  readonly #now: () => number;
  readonly #realms = new Set<string>();
  readonly #clients = new Set<string>();
  #rows = 0;
  #refused = 0;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(warn: (message: string) => void, now = () => performance.now()) {
    this.#warn = warn;
    this.#now = now;
  }

  /** What became of one request. */
  taken(client: string, realm: string, { done, taken, refused }: OffersTaken): void {
    if (done === 0) return;
    this.#realms.add(realm);
    this.#clients.add(client);
    this.#rows += taken;
    this.#refused += refused.filter(({ code }) => !kKept.has(code)).length;
    if (this.#now() - this.#saidAt < kPauseMs) return;
    this.#say();
  }

  #say(): void {
    this.#saidAt = this.#now();
    const refused = this.#refused === 0 ? '' : `, and ${this.#refused} were refused`;
    this.#warn(
      `This database was restored to an earlier state. Clients give back what it has lost: ${this.#rows} rows of ${this.#realms.size} realms so far, by ${this.#clients.size} clients${refused}.`,
    );
  }

  /** Says what was not said yet. */
  close(): void {
    if (this.#clients.size > 0) this.#say();
  }
}
