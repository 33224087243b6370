/**
 * RowCells: the row that `sk_row` put out, read where it lies in the core's memory (docs/internals.md, section 7). It is
 * to be used up before the next call of the core; nothing that it returns refers to that memory.
 */
import { readText } from './data-codec.ts';

const cellBytes = 8;

export class RowCells {
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;

  /** Moves to another row. `memory`: all that the core has. */
  over(memory: Uint8Array, start: number): this {
    if (this.#bytes !== memory) {
      this.#bytes = memory;
      this.#view = new DataView(memory.buffer);
    }
    this.#start = start;
    return this;
  }

  number(cell: number): number | null {
    const value = this.#view.getFloat64(this.#start + cell * cellBytes, true);
    return Number.isNaN(value) ? null : value;
  }

  boolean(cell: number): boolean | null {
    const code = this.#bytes[this.#start + cell * cellBytes];
    return code ? code === 2 : null;
  }

  text(cell: number): string | null {
    const at = this.#start + cell * cellBytes;
    const from = this.#view.getUint32(at, true);
    if (from === 0) return null;
    return readText(this.#bytes, this.#start + from, this.#view.getUint32(at + 4, true));
  }

  bytes(cell: number): Uint8Array | null {
    const at = this.#start + cell * cellBytes;
    const from = this.#view.getUint32(at, true);
    if (from === 0) return null;
    const start = this.#start + from;
    return this.#bytes.slice(start, start + this.#view.getUint32(at + 4, true));
  }

  json(cell: number): unknown {
    const text = this.text(cell);
    return text === null ? null : JSON.parse(text);
  }
}
