/**
 * The host functions that the module `skerry` imports: all of its imports (wasm/imports.h). They read and write the
 * module's memory, which exists only when the module does.
 */
import { decodeText } from './data-codec.ts';

export type HostFunctions = Readonly<
  Record<
    'parse_number' | 'write_number' | 'find_locale' | 'collate',
    (...args: number[]) => number | undefined
  >
>;

/** Added to the place of a text that the locale does not distinguish from the one before (src/model/collation.h). */
const sameRank = 0x80000000;

export function hostFunctions(memory: () => WebAssembly.Memory): HostFunctions {
  const locales: string[] = [];
  const collators: Intl.Collator[] = [];
  // Addresses come as signed numbers.
  const textAt = (at: number, size: number) =>
    decodeText(new Uint8Array(memory().buffer, at >>> 0, size));
  const wordsAt = (at: number, count: number) => new Uint32Array(memory().buffer, at >>> 0, count);
  return {
    /** The text of one JSON number. */
    parse_number: (at, size) => Number(textAt(at, size)),

    /** Text that parse_number reads; at most kNumberText bytes (src/base/number_text.h). */
    write_number(number, out) {
      const bytes = new TextEncoder().encode(String(number));
      new Uint8Array(memory().buffer).set(bytes, out >>> 0);
      return bytes.length;
    },

    /** The number of a locale that js/api/query.ts has checked. */
    find_locale(at, size) {
      const locale = textAt(at, size);
      if (!locales.includes(locale)) collators[locales.push(locale)] = new Intl.Collator(locale);
      return locales.indexOf(locale) + 1;
    },

    /** Puts the places of `count` texts into `order`, ascending. A text is two words: its address, its size. */
    collate(locale, views, count, order) {
      const { compare } = collators[locale] as Intl.Collator;
      const words = wordsAt(views, 2 * count);
      const texts = Array.from({ length: count }, (_, i) =>
        textAt(words[2 * i] as number, words[2 * i + 1] as number),
      );
      const compareAt = (a: number, b: number) => compare(texts[a] as string, texts[b] as string);
      const places = texts.map((_, i) => i).sort(compareAt);
      wordsAt(order, count).set(
        places.map((at, i) => (i && !compareAt(places[i - 1] as number, at) ? at + sameRank : at)),
      );
      return undefined;
    },
  };
}
