/**
 * Plain values to bytes and back: the twin of src/base/data.h. This is the only shape in which events, effects and
 * records cross between JavaScript and the core.
 *
 *   data = %x00 null | %x01 false | %x02 true | %x03 f64le | %x04 zigzag-varint (integers within ±2^53)
 *        | %x05 text | %x06 text (bytes) | %x07 varint *data (array) | %x08 varint *(text data) (object)
 *        | %x09 text (JSON; only the core writes this one)
 *   text = varint-length, then as many bytes (UTF-8 for strings and keys)
 *
 * Members that are undefined are left out. A text's first lone surrogate is written as it is (three bytes that are not
 * UTF-8), so that the core, which checks every text, refuses it, instead of this file altering it silently.
 */
import { isBytes } from './brand.ts';
import { LimitError, ValidationError } from './errors.ts';

export type Data = null | boolean | number | string | Uint8Array | readonly Data[] | DataObject;
export interface DataObject {
  readonly [key: string]: Data | undefined;
}

const maxDepth = 96;
/**
 * The limits of one event. A stored or received value may refer to one object in many places, and each of them is written
 * out: without a limit a few hundred nested references would not end.
 */
const maxBytes = 256 << 20;
const maxValues = 4 << 20;
/** Made at first use: an import needs nothing but the language, because jsdom in Jest, say, has no `TextEncoder`. */
let encoder: TextEncoder | undefined;
let decoder: TextDecoder | undefined;
const scratch = new Float64Array(1);
const scratchBytes = new Uint8Array(scratch.buffer);
/** Over what was read last, the memory of the core nearly always. */
let view = new DataView(scratch.buffer as ArrayBufferLike);
/** Half of a pair: with `u`, a whole pair is one character of another number. */
const loneSurrogate = /[\ud800-\udfff]/u;

/** Writes into one buffer that grows and is used again. */
export class DataWriter {
  readonly #maxValues: number;
  #bytes = new Uint8Array(1024);
  #length = 0;
  #values = 0;

  constructor(limit = maxValues) {
    this.#maxValues = limit;
  }

  /** The bytes of `value`, valid until the next call. */
  encode(value: unknown): Uint8Array {
    this.#length = 0;
    this.#values = 0;
    this.#value(value, 0);
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    if (needed > maxBytes)
      throw new LimitError('limit', `A value is larger than ${maxBytes} bytes.`);
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #value(value: unknown, depth: number): void {
    if (depth > maxDepth)
      throw new LimitError('limit', `A value is nested deeper than ${maxDepth} levels.`);
    if (++this.#values > this.#maxValues)
      throw new LimitError('limit', `A value has more than ${this.#maxValues} parts.`);
    this.#reserve(10);
    if (value === null) this.#bytes[this.#length++] = 0;
    else if (value === false) this.#bytes[this.#length++] = 1;
    else if (value === true) this.#bytes[this.#length++] = 2;
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') {
      this.#bytes[this.#length++] = 5;
      this.#text(value);
    } else if (isBytes(value)) {
      this.#bytes[this.#length++] = 6;
      this.#varint(value.length);
      this.#put(value);
    } else if (Array.isArray(value)) {
      this.#bytes[this.#length++] = 7;
      this.#varint(value.length);
      for (const item of value) this.#value(item, depth + 1);
    } else if (typeof value === 'object') this.#object(value as Record<string, unknown>, depth);
    else throw new ValidationError('wrong_type', `A ${typeof value} cannot be stored.`);
  }

  #object(value: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    this.#bytes[this.#length++] = 8;
    this.#varint(keys.length);
    for (const key of keys) {
      this.#text(key);
      this.#value(value[key], depth + 1);
    }
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value)) {
      this.#bytes[this.#length++] = 4;
      this.#zigzag(value);
      return;
    }
    this.#bytes[this.#length++] = 3;
    scratch[0] = value;
    this.#put(scratchBytes);
  }

  /** The zigzag value may need 54 bits, one more than a double has: sign and magnitude are kept apart. */
  #zigzag(value: number): void {
    const half = value < 0 ? -value - 1 : value;
    const first = (half % 64) * 2 + (value < 0 ? 1 : 0);
    if (half < 64) {
      this.#bytes[this.#length++] = first;
      return;
    }
    this.#bytes[this.#length++] = first | 128;
    this.#varint(Math.floor(half / 64));
  }

  #varint(value: number): void {
    this.#reserve(9);
    let rest = value;
    while (rest >= 0x80000000) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  #text(text: string): void {
    const { length } = text;
    this.#reserve(length + 1);
    if (length < 128 && this.#ascii(text)) return;
    const bytes = encodeText(text);
    const alone = text.search(loneSurrogate);
    if (alone >= 0) {
      // The encoder has put U+FFFD in its place, which has three bytes too.
      const unit = text.charCodeAt(alone);
      const at = encodeText(text.slice(0, alone)).length;
      bytes.set([0xed, 0x80 | ((unit >> 6) & 63), 0x80 | (unit & 63)], at);
    }
    this.#varint(bytes.length);
    this.#put(bytes);
  }

  /** The common case in one pass: its length in bytes is its length. Writes nothing that counts when it returns false. */
  #ascii(text: string): boolean {
    const bytes = this.#bytes;
    const start = this.#length + 1;
    const { length } = text;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) return false;
      bytes[start + i] = unit;
    }
    bytes[this.#length] = length;
    this.#length = start + length;
    return true;
  }

  #put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

/** ASCII texts that were read not long ago, by a few of their bytes: columns and keys have the same ones again and again. */
const recent = new Array<string | undefined>(256);

/** Reads from bytes that may be a view of the wasm memory: nothing that it returns refers to them. */
export class DataReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  value(depth = 0): unknown {
    if (depth > maxDepth) throw damaged();
    const tag = this.#byte();
    switch (tag) {
      case 0:
        return null;
      case 1:
        return false;
      case 2:
        return true;
      case 3:
        return this.#double();
      case 4:
        return this.#integer();
      case 5:
        return this.#text();
      case 6: {
        const length = this.#take(this.#varint());
        return this.#bytes.slice(this.#at - length, this.#at);
      }
      case 7:
        return this.#array(depth);
      case 8:
        return this.#object(depth);
      case 9:
        return JSON.parse(this.#text());
      default:
        throw damaged();
    }
  }

  #array(depth: number): unknown[] {
    const count = this.#varint();
    if (count > this.#end - this.#at) throw damaged();
    const items = new Array<unknown>(count);
    for (let i = 0; i < count; i++) items[i] = this.value(depth + 1);
    return items;
  }

  #object(depth: number): Record<string, unknown> {
    const count = this.#varint();
    const object: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.#text();
      const value = this.value(depth + 1);
      setMember(object, key, value);
    }
    return object;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw damaged();
    return this.#bytes[this.#at++] as number;
  }

  /** Moves past `length` bytes and returns it. */
  #take(length: number): number {
    if (length > this.#end - this.#at) throw damaged();
    this.#at += length;
    return length;
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    throw damaged();
  }

  #integer(): number {
    const first = this.#byte();
    const half = ((first & 127) >> 1) + (first < 128 ? 0 : this.#varint() * 64);
    return first & 1 ? -half - 1 : half;
  }

  #double(): number {
    const { buffer, byteOffset } = this.#bytes;
    if (view.buffer !== buffer) view = new DataView(buffer);
    const length = this.#take(8);
    return view.getFloat64(byteOffset + this.#at - length, true);
  }

  #text(): string {
    const length = this.#take(this.#varint());
    return readText(this.#bytes, this.#at - length, length);
  }
}

/** The text of so many bytes from there on. */
export function readText(bytes: Uint8Array, from: number, length: number): string {
  const end = from + length;
  const at = (i: number) => bytes[i] as number;
  const four = (i: number) => at(i) | at(i + 1) | at(i + 2) | at(i + 3);
  if (length < 48) {
    let i = from;
    const slot = (at(i) ^ (at(end - 1) << 3) ^ length) & 255;
    const known = recent[slot];
    if (known?.length === length) {
      let same = 0;
      while (same < length && known.charCodeAt(same) === at(i + same)) same++;
      if (same === length) return known;
    }
    // A loop beats TextDecoder on short strings, ids too; a byte outside of ASCII ends it. Few long pieces are joined
    // faster than many short ones.
    let text = '';
    for (; i + 7 < end && (four(i) | four(i + 4)) < 128; i += 8)
      text += String.fromCharCode(
        at(i),
        at(i + 1),
        at(i + 2),
        at(i + 3),
        at(i + 4),
        at(i + 5),
        at(i + 6),
        at(i + 7),
      );
    for (; i + 3 < end && four(i) < 128; i += 4)
      text += String.fromCharCode(at(i), at(i + 1), at(i + 2), at(i + 3));
    for (; i < end && at(i) < 128; i++) text += String.fromCharCode(at(i));
    if (i === end) {
      if (length < 16) recent[slot] = text;
      return text;
    }
  }
  return decodeText(bytes.subarray(from, end));
}

/** Sets a member as data: `__proto__` is a name like any other. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

function damaged(): ValidationError {
  return new ValidationError('parse', 'Damaged bytes where encoded data was expected.');
}

export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  encoder ??= new TextEncoder();
  return encoder.encode(text);
}

export function decodeText(bytes: Uint8Array): string {
  // A byte order mark is a character like any other here; without ignoreBOM the decoder would eat it.
  decoder ??= new TextDecoder('utf-8', { ignoreBOM: true });
  return decoder.decode(bytes);
}
