// How many rows, of how many bytes, one transaction of the flusher may read for the authority. Statements that may find
// many count them first, and read nothing where they are too many: sizes cost nothing to ask for, rows do.

import { limits } from '../base/limits.ts';

/** One update, or a group of them, needs more rows than may be read at once. */
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

  /** Throws where it is spent. */
  take(rows: number, bytes: number): void {
    this.#rows -= rows;
    this.#bytes -= bytes;
    if (this.#rows < 0 || this.#bytes < 0) throw new TooMuchRead();
  }
}
