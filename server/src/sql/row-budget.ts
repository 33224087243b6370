// Limits the rows and bytes that one transaction of the flusher reads for the authority. Statements that may find
// many rows count them first, and read nothing if there are too many: sizes are cheap to read, rows are not.

import { limits } from '../base/limits.ts';

/** One update, or a group of them, needs more rows than may be read in one transaction. */
export class TooMuchRead extends Error {
  constructor() {
    super(
      `An update may look at ${limits.rowsPerTransaction} objects, of ${limits.rowBytesPerTransaction} bytes in all.`,
    );
  }
}

export class RowBudget {
  #rows: number;
  #bytes: number;

  constructor(
    rows: number = limits.rowsPerTransaction,
    bytes: number = limits.rowBytesPerTransaction,
  ) {
    this.#rows = rows;
    this.#bytes = bytes;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws if the budget is exceeded. */
  take(rows: number, bytes: number): void {
    this.#rows -= rows;
    this.#bytes -= bytes;
    if (this.#rows < 0 || this.#bytes < 0) throw new TooMuchRead();
  }
}
