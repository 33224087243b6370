/** Rows in the form in which the core puts them out (docs/internals.md, section 7), cell by cell. */
import { decodeText, readText } from './data-codec.ts';

const cellBytes = 8;
/** In front of several rows: where their texts begin and end, how many UTF-16 units those are, and how many rows. */
const headBytes = 16;

export abstract class Cells {
  protected memory: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.memory.buffer);
  /** Where the row begins in the memory. */
  protected start = 0;

  protected moveTo(memory: Uint8Array, start: number): void {
    if (this.memory !== memory) {
      this.memory = memory;
      this.#view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    }
    this.start = start;
  }

  protected word(at: number): number {
    return this.#view.getUint32(at, true);
  }

  number(cell: number): number | null {
    const value = this.#view.getFloat64(this.start + cell * cellBytes, true);
    return Number.isNaN(value) ? null : value;
  }

  boolean(cell: number): boolean | null {
    const code = this.memory[this.start + cell * cellBytes];
    return code ? code === 2 : null;
  }

  text(cell: number): string | null {
    const at = this.start + cell * cellBytes;
    const from = this.word(at);
    return from === 0 ? null : this.textAt(from, this.word(at + 4));
  }

  bytes(cell: number): Uint8Array | null {
    const at = this.start + cell * cellBytes;
    const from = this.word(at);
    return from === 0 ? null : this.bytesAt(from, this.word(at + 4));
  }

  json(cell: number): unknown {
    const text = this.text(cell);
    return text === null ? null : JSON.parse(text);
  }

  protected abstract textAt(from: number, size: number): string;
  protected abstract bytesAt(from: number, size: number): Uint8Array;
}

/**
 * One row (`sk_row`), read where it lies in the core's memory: it is to be used up before the next call of the core.
 * Nothing that it returns refers to that memory.
 */
export class RowCells extends Cells {
  /** Moves to another row. `memory`: all that the core has. */
  over(memory: Uint8Array, start: number): this {
    this.moveTo(memory, start);
    return this;
  }

  protected textAt(from: number, size: number): string {
    return readText(this.memory, this.start + from, size);
  }

  protected bytesAt(from: number, size: number): Uint8Array {
    return this.memory.slice(this.start + from, this.start + from + size);
  }
}

/**
 * The first of several rows (`sk_rows`), out of a copy that is theirs. Their texts are decoded all at once: one by one that
 * is most of what reading them costs.
 */
export class RowsCells extends Cells {
  /** How many there are, of those that were asked for. */
  readonly count: number;
  readonly #rowBytes: number;
  readonly #texts: string;
  readonly #behind: number;

  constructor(bytes: Uint8Array, asked: number) {
    super();
    this.moveTo(bytes, 0);
    const texts = this.word(0);
    this.#rowBytes = (texts - headBytes) / asked;
    this.#behind = this.word(4);
    this.#texts = decodeText(bytes.subarray(texts, this.#behind));
    // Where the core counts units otherwise than the decoder nothing here can be used.
    this.count = this.#texts.length === this.word(8) ? this.word(12) : 0;
  }

  /** Moves to the row of this place in the list. */
  row(index: number): this {
    this.start = headBytes + index * this.#rowBytes;
    return this;
  }

  protected textAt(from: number, size: number): string {
    return this.#texts.substring(from - 1, from - 1 + size);
  }

  protected bytesAt(from: number, size: number): Uint8Array {
    const start = this.#behind + from - 1;
    return this.memory.slice(start, start + size);
  }
}
