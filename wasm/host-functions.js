// The host functions that the modules import: a library of Emscripten's, whose texts become parts of the glue that is made for
// each module. Addresses come as signed numbers.

addToLibrary({
  /** The text of one JSON number. */
  skerry_parse_number__deps: ['$UTF8ArrayToString'],
  skerry_parse_number: (at, size) => Number(UTF8ArrayToString(HEAPU8, at >>> 0, size, true)),

  /** Text that skerry_parse_number reads, ASCII; at most kNumberText bytes (src/base/number_text.h). Gives how many. */
  skerry_write_number(number, out) {
    const text = String(number);
    for (let i = 0; i < text.length; ++i) HEAPU8[(out >>> 0) + i] = text.charCodeAt(i);
    return text.length;
  },

  /** The locales that were asked for; the collator of each has its place plus one. */
  $skerryLocales: [],
  $skerryCollators: [],

  /** The number of a locale that js/api/query.ts has checked. */
  skerry_find_locale__deps: ['$UTF8ArrayToString', '$skerryLocales', '$skerryCollators'],
  skerry_find_locale(at, size) {
    const locale = UTF8ArrayToString(HEAPU8, at >>> 0, size, true);
    if (!skerryLocales.includes(locale))
      skerryCollators[skerryLocales.push(locale)] = new Intl.Collator(locale);
    return skerryLocales.indexOf(locale) + 1;
  },

  /**
   * Puts the places of `count` texts into `order`, ascending. A text is two words: its address, its size. A place is raised by
   * 2^31 where the locale does not distinguish its text from the one before (src/model/collation.h).
   */
  skerry_collate__deps: ['$UTF8ArrayToString', '$skerryCollators'],
  skerry_collate(locale, views, count, order) {
    const { compare } = skerryCollators[locale];
    const words = new Uint32Array(HEAPU8.buffer, views >>> 0, 2 * count);
    const texts = Array.from({ length: count }, (_, i) =>
      UTF8ArrayToString(HEAPU8, words[2 * i], words[2 * i + 1], true),
    );
    const compareAt = (a, b) => compare(texts[a], texts[b]);
    const places = texts.map((_, i) => i).sort(compareAt);
    new Uint32Array(HEAPU8.buffer, order >>> 0, count).set(
      places.map((at, i) => (i && !compareAt(places[i - 1], at) ? at + 0x80000000 : at)),
    );
  },
});
