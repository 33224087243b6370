// An outage of the database is two lines of the log: when it goes, and when it is back. Without this, all that reads the
// database at intervals would log a stack trace each time.

import { reasonOf } from '../base/reason.ts';
import { isUnavailable, sqlState } from './database.ts';

/** A statement that took too long: the database is there. */
const kCancelled = '57014';

export interface OutageParts {
  readonly log: (message: string, error: unknown) => void;
  readonly warn: (message: string) => void;
  readonly now?: () => number;
}

export class OutageLog {
  readonly #parts: OutageParts;
  readonly #now: () => number;
  #since: number | null = null;

  constructor(parts: OutageParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  readonly log = (message: string, error: unknown): void => {
    if (!isUnavailable(error) || sqlState(error) === kCancelled) {
      this.#parts.log(message, error);
      return;
    }
    if (this.#since !== null) return;
    this.#since = this.#now();
    this.#parts.warn(
      `The database does not answer: ${reasonOf(error)}. Requests are refused until it does.`,
    );
  };

  /** The database has answered. */
  readonly reached = (): void => {
    if (this.#since === null) return;
    const seconds = ((this.#now() - this.#since) / 1000).toFixed(1);
    this.#since = null;
    this.#parts.warn(`The database answers again, after ${seconds} s.`);
  };
}
