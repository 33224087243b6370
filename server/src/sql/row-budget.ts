// How many rows, of how many bytes, one transaction of the flusher may read for the authority. Statements that may find
// many count them first, and read nothing where they are too many: sizes cost nothing to ask for, rows do.

import { limits } from '../limits.ts';
import type { SqlColumn, SqlTable } from './tables.ts';

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

/** About the bytes of a row, without reading what is stored beside it: the length of a long text is written in the row. */
export function rowBytes(table: SqlTable, alias: string): string {
  const parts = table.columns.map((column) => columnBytes(column, `${alias}.${column.name}`));
  return ['150', ...parts].join(' + ');
}

function columnBytes(column: SqlColumn, name: string): string {
  switch (column.type) {
    case 'string':
    case 'enum':
    case 'ref':
      return `coalesce(octet_length(${name}), 0)`;
    case 'bytes':
      return `coalesce(octet_length(${name}) / 3 * 4, 0)`;
    case 'json':
    case 'class':
      return `coalesce(octet_length(${name}::text), 0)`;
    default:
      return '24';
  }
}
