// Counts the rows of which clients held something else than the database: each is a mistake, of this software, of a disk or of
// somebody who has written past the log. The operator should know.

import type { Metrics } from '../base/metrics.ts';
import type { DiffPart, DiffResult } from '../base/wire-types.ts';

export interface MendedOptions {
  readonly metrics: Metrics;
  readonly warn: (message: string) => void;
  /** A clock in milliseconds. */
  readonly now?: () => number;
}

/** At most one message in so many ms. */
const kQuietMs = 60_000;

export class MendedRows {
  readonly #warn: (message: string) => void;
  readonly #now: () => number;
  readonly #metrics: Metrics;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor({ metrics, warn, now = () => performance.now() }: MendedOptions) {
    this.#metrics = metrics;
    this.#warn = warn;
    this.#now = now;
  }

  look(parts: readonly DiffPart[], results: readonly DiffResult[]): void {
    for (const [i, { changes, absent }] of results.entries()) {
      const rows = (Array.isArray(changes) ? changes.length : 0) + (absent?.length ?? 0);
      const part = parts[i];
      if (rows === 0 || part === undefined) continue;
      this.#metrics.count('mended_rows', rows);
      if (this.#now() - this.#saidAt < kQuietMs) continue;
      this.#saidAt = this.#now();
      this.#warn(
        `A client held ${rows === 1 ? 'a row' : `${rows} rows`} of ${part.table} in the realm ${part.realm} that differed from the database; it has the present ones now. ` +
          `Rows that differed since the start: ${this.#metrics.of('mended_rows')}. This is logged once a minute.`,
      );
    }
  }
}
