/**
 * The data codec: what goes in comes out, for generated values and for those at the edges; its bytes are those that
 * src/base/data.h describes; damaged bytes are an error and never something else.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataReader, DataWriter } from '../../js/core/data-codec.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const encodeData = (value: unknown) => new DataWriter().encode(value);
const decodeData = (bytes: Uint8Array) => new DataReader(bytes).value();
const roundTrip = (value: unknown) => decodeData(encodeData(value));

describe('data codec', () => {
  test('writes the bytes of the grammar', () => {
    expect(hex(encodeData(null))).toBe('00');
    expect(hex(encodeData([false, true]))).toBe('07020102');
    expect(hex(encodeData(1))).toBe('0402');
    expect(hex(encodeData(-1))).toBe('0401');
    expect(hex(encodeData(150))).toBe('04ac02');
    expect(hex(encodeData(0.5))).toBe('03000000000000e03f');
    expect(hex(encodeData('Åre'))).toBe('0504c3857265');
    expect(hex(encodeData(Uint8Array.of(1, 255)))).toBe('060201ff');
    expect(hex(encodeData({ a: 1, b: undefined }))).toBe('0801' + '0161' + '0402');
  });

  test('keeps numbers exactly, up to the safe integers and beyond', () => {
    const limits = [2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53 - 1];
    for (const n of limits.flatMap((limit) => [limit - 1, limit, -limit, 1 - limit]))
      expect(roundTrip(n)).toBe(n);
    for (const n of [2 ** 53, -(2 ** 60), 1e300, 5e-324, 1.1, Number.MAX_VALUE])
      expect(roundTrip(n)).toBe(n);
  });

  test('keeps every value that JSON can say, and bytes', { timeout: 30_000 }, () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.string({ unit: 'binary', minLength: 200, maxLength: 600 }),
        bytes,
        fc.array(tie('tree'), { maxLength: 6 }),
        fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 12 }), tie('tree'), {
          maxKeys: 6,
          noNullPrototype: true,
        }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => assert.deepEqual(roundTrip(value), value)),
      { numRuns: 150 },
    );
  });

  test('a key named __proto__ is a key, and changes no prototype', () => {
    const value = roundTrip(JSON.parse('{"__proto__":{"admin":true}}')) as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test('a byte order mark stays', () => {
    expect(roundTrip('\ufeffx')).toBe('\ufeffx');
    expect(roundTrip(`\ufeff${'x'.repeat(300)}`)).toBe(`\ufeff${'x'.repeat(300)}`);
  });

  test('cached texts are compared by their letters, not by their bytes alone', () => {
    // In Latin-1 the letters of the one are the bytes of the other.
    const pairs = [
      ['\u00c3\u00a9', '\u00e9'],
      ['PPL', 'PPM'],
      ['', 'a'],
      ['Vila do Conde', 'Vila da Conde'],
    ];
    for (const [one, other] of pairs)
      for (const text of [one, other, one, other]) expect(decodeData(encodeData(text))).toBe(text);
  });

  test('a lone surrogate goes out as bytes that are not UTF-8, for the core to refuse', () => {
    expect(hex(encodeData('\ud800'))).toBe('0503eda080');
    const long = encodeData(`${'x'.repeat(300)}\udfff`);
    expect(hex(long).endsWith('edbfbf')).toBe(true);
  });

  test('bytes that come out share no memory with what they were read from', () => {
    const encoded = encodeData({ b: Uint8Array.of(1, 2, 3) });
    const { b } = decodeData(encoded) as { b: Uint8Array };
    expect(b.byteLength).toBe(b.buffer.byteLength);
  });

  test('refuses what is no data', () => {
    for (const value of [() => 1, Symbol('x'), 1n, undefined])
      expect(() => encodeData(value)).toThrow(/cannot be stored/);
    let deep: unknown = 1;
    for (let i = 0; i < 200; i++) deep = [deep];
    expect(() => encodeData(deep)).toThrow(/nested deeper/);
  });

  test('truncated bytes are an error at every length', () => {
    const whole = encodeData({ list: [1, 'text', Uint8Array.of(1), 0.5], more: { a: null } });
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeData(whole.subarray(0, length)), `${length} bytes`).toThrow(/Damaged/);
    }
    expect(() => decodeData(Uint8Array.of(9))).toThrow(/Damaged/);
    expect(() => decodeData(Uint8Array.of(7, 255, 255, 255, 255, 15))).toThrow(/Damaged/);
  });
});
