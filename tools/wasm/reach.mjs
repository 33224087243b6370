// What each export of a linked module can come to: through calls, through functions whose address is taken, and through
// data that holds addresses. Relocations say it exactly, where the code of a finished module has only numbers.
import { kRelocation, kSymbol } from './wasm-file.mjs';

/** Cuts relocations, which are in the order of their places, by the ranges [start, end). */
function within(relocations, start, end) {
  let low = 0;
  for (let high = relocations.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (relocations[middle].at < start) low = middle + 1;
    else high = middle;
  }
  let last = low;
  while (last < relocations.length && relocations[last].at < end) last++;
  return relocations.slice(low, last);
}

/**
 * What something that begins at one of the exports could come to: `slots` of the table, and `data`, the symbols of data
 * and the functions that it names.
 */
export function reachedFrom(module, exportNames) {
  const { imported, functions, symbols, segments, slotOf } = module;
  const inOrder = (list) => list.toSorted((a, b) => a.at - b.at);
  const code = inOrder(module.codeRelocations);
  const data = inOrder(module.dataRelocations);
  const slots = new Set();
  const seen = new Set();
  const waiting = [];
  const visit = (range) => {
    if (seen.has(range)) return;
    seen.add(range);
    waiting.push(range);
  };
  const visitFunction = (index) => {
    if (index >= imported) visit(functions[index - imported]);
  };

  for (const number of module.starts) visitFunction(symbols[number].index);
  for (const { name, index } of module.exports)
    if (exportNames.includes(name)) visitFunction(index);
  const places = new Set(symbols.filter(({ kind, size }) => kind === kSymbol.data && size > 0));
  // An address in data that belongs to no symbol may be anybody's.
  const owned = new Set(
    [...places].flatMap((place) => {
      const start = segments[place.segment].start + place.offset;
      return within(data, start, start + place.size);
    }),
  );
  const follow = ({ type, symbol: number }) => {
    const target = symbols[number];
    if (type === kRelocation.tableIndexCode || type === kRelocation.tableIndexData) {
      const slot = slotOf.get(target.index);
      if (slot === undefined) throw new Error(`${target.name} is not in the table.`);
      slots.add(slot);
    }
    if (target.kind === kSymbol.function) visitFunction(target.index);
    else if (target.kind === kSymbol.data && places.has(target)) visit(target);
  };
  for (const relocation of data) if (!owned.has(relocation)) follow(relocation);
  for (let place = waiting.pop(); place; place = waiting.pop()) {
    if (place.kind === kSymbol.data) {
      const start = segments[place.segment].start + place.offset;
      for (const each of within(data, start, start + place.size)) follow(each);
    } else {
      for (const each of within(code, place.start, place.end)) follow(each);
    }
  }
  return { slots, data: seen };
}
