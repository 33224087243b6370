// Reading a wasm file as wasm-ld writes it: its sections, and with --emit-relocs the symbols and relocations of the
// tool conventions (github.com/WebAssembly/tool-conventions, Linking.md).

/** Kinds of symbols. */
export const kSymbol = { function: 0, data: 1, global: 2, section: 3, tag: 4, table: 5 };
/** The names of relocation types that a module of 32 bits has in code and data. */
export const kRelocation = {
  functionIndex: 0,
  tableIndexCode: 1,
  tableIndexData: 2,
  addressLeb: 3,
  addressSleb: 4,
  addressData: 5,
  typeIndex: 6,
  globalIndex: 7,
  tableNumber: 20,
};

const kUndefined = 0x10;
const kExplicitName = 0x40;
const kAbsolute = 0x200;

/** A place in a file, which moves on as it is read. */
class Cursor {
  constructor(bytes, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }
  byte() {
    return this.bytes[this.at++];
  }
  /** A LEB128 of at most 32 bits, unsigned; of a signed one only the length matters here. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }
  text() {
    const length = this.number();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
  /** What lies within the next `length` bytes; this cursor goes on behind them. */
  inner(length) {
    this.at += length;
    return new Cursor(this.bytes, this.at - length, this.at);
  }
  list(read) {
    return Array.from({ length: this.number() }, () => read(this));
  }
}

/** The sections of a file: `id` (0 is custom), `name` of a custom one, where its contents are, and a cursor on them. */
export function sectionsOf(bytes) {
  const file = new Cursor(bytes, 8);
  const sections = [];
  while (file.at < file.end) {
    const id = file.byte();
    const contents = file.inner(file.number());
    const start = contents.at;
    sections.push({ id, start, end: file.at, name: id === 0 ? contents.text() : '', contents });
  }
  return sections;
}

function limits(cursor) {
  const flags = cursor.number();
  cursor.number();
  if (flags & 1) cursor.number();
}

/** How many functions a module imports; its own are counted on from there. */
export function importedFunctions(sections) {
  const imports = sections.find(({ id }) => id === 2);
  if (!imports) return 0;
  const kinds = imports.contents.list((item) => {
    item.text();
    item.text();
    const kind = item.byte();
    if (kind === 0) item.number();
    else if (kind === 1) {
      item.byte();
      limits(item);
    } else if (kind === 2) limits(item);
    else item.at += 2;
    return kind;
  });
  return kinds.filter((kind) => kind === 0).length;
}

/** The body of each function of a module. */
export function functionBodies(bytes, sections) {
  const code = sections.find(({ id }) => id === 10);
  return code.contents.list((cursor) => {
    const body = cursor.inner(cursor.number());
    return bytes.subarray(body.at, body.end);
  });
}

/** A constant expression `i32.const n; end`, the only one that a module with fixed addresses has. */
function constant(cursor) {
  if (cursor.byte() !== 0x41) throw new Error('An offset that is not an i32.const.');
  const value = cursor.number();
  if (cursor.byte() !== 0x0b) throw new Error('An offset of more than one instruction.');
  return value;
}

/** The segments of data: the address of each, and where its bytes are in the file. */
export function readSegments(bytes) {
  const data = sectionsOf(bytes).find(({ id }) => id === 11);
  return data.contents.list((cursor) => {
    if (cursor.number() !== 0) throw new Error('A segment of data that is not active.');
    const address = constant(cursor);
    const contents = cursor.inner(cursor.number());
    return { address, start: contents.at, end: contents.end };
  });
}

function symbol(cursor) {
  const kind = cursor.byte();
  const flags = cursor.number();
  const defined = !(flags & kUndefined);
  if (kind === kSymbol.data) {
    const name = cursor.text();
    if (!defined) return { kind, name };
    const place = { segment: cursor.number(), offset: cursor.number(), size: cursor.number() };
    return flags & kAbsolute ? { kind, name } : { kind, name, ...place };
  }
  const index = cursor.number();
  const named = kind !== kSymbol.section && (defined || flags & kExplicitName);
  return { kind, index, name: named ? cursor.text() : '' };
}

/** The symbols, and which of them are called at the start: no relocation tells that, the linker wrote their caller. */
function linkingOf(cursor) {
  cursor.number();
  const found = { symbols: [], starts: [] };
  while (cursor.at < cursor.end) {
    const type = cursor.byte();
    const contents = cursor.inner(cursor.number());
    if (type === 8) found.symbols = contents.list(symbol);
    if (type === 6) {
      found.starts = contents.list((item) => {
        item.number();
        return item.number();
      });
    }
  }
  if (found.symbols.length === 0) throw new Error('No symbols: was it linked with --emit-relocs?');
  return found;
}

function relocation(cursor) {
  const type = cursor.byte();
  if (!Object.values(kRelocation).includes(type)) throw new Error(`Relocation of type ${type}.`);
  const { addressLeb, addressData } = kRelocation;
  const found = { type, offset: cursor.number(), symbol: cursor.number() };
  // Only addresses have an addend.
  if (type >= addressLeb && type <= addressData) cursor.number();
  return found;
}

/**
 * A linked module: `functions` (where the body of each is in the file), `slotOf` (the slot of each function that the table has),
 * `slots` (how many), `exports`, `segments` of data (readSegments), `symbols`,
 * `starts` (the symbols of functions that are called at the start), and the relocations of code and data, whose offsets are places in those sections.
 */
export function readLinked(bytes) {
  const sections = sectionsOf(bytes);
  const find = (id, name = '') => sections.find((each) => each.id === id && each.name === name);
  const imported = importedFunctions(sections);

  const code = find(10);
  const functions = code.contents.list((cursor) => {
    const body = cursor.inner(cursor.number());
    return { start: body.at, end: body.end };
  });
  const slotOf = new Map();
  find(9).contents.list((cursor) => {
    if (cursor.number() !== 0) throw new Error('A segment of the table that is not a plain list.');
    let slot = constant(cursor);
    for (const index of cursor.list((item) => item.number())) slotOf.set(index, slot++);
  });
  const exports = find(7).contents.list((cursor) => ({
    name: cursor.text(),
    kind: cursor.byte(),
    index: cursor.number(),
  }));
  const relocations = (name, { start }) => {
    const { contents } = find(0, name);
    contents.number();
    return contents.list(relocation).map((each) => ({ ...each, at: start + each.offset }));
  };
  const linking = linkingOf(find(0, 'linking').contents);
  return {
    imported,
    functions,
    slotOf,
    slots: Math.max(0, ...slotOf.values()) + 1,
    segments: readSegments(bytes),
    exports: exports.filter(({ kind }) => kind === 0),
    ...linking,
    nameOf: new Map(
      linking.symbols
        .filter(({ kind }) => kind === kSymbol.function)
        .map((each) => [each.index, each.name]),
    ),
    codeRelocations: relocations('reloc.CODE', code),
    dataRelocations: relocations('reloc.DATA', find(11)),
    /** The features of wasm that the compiler was allowed, as Binaryen names them. */
    features: find(0, 'target_features').contents.list((cursor) => {
      cursor.byte();
      return cursor.text();
    }),
  };
}
