// Moving data between the halves of a split module: texts that only the second half names need not be in the first.
import { kSymbol, readSegments, sectionsOf } from './wasm-file.mjs';

/** LEB128 of a number below 2^31: unsigned, or signed, which needs its highest bit free. */
function leb(value, signed = false) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < (signed ? 64 : 128)) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

/** The addresses of bytes that belong to symbols, none of which is among `kept`, as a Set. */
export function addressesBeside({ symbols, segments }, kept) {
  const moved = new Set();
  const stays = new Set();
  for (const symbol of symbols) {
    if (symbol.kind !== kSymbol.data || !symbol.size) continue;
    const start = segments[symbol.segment].address + symbol.offset;
    // Symbols may overlap: the end of one text can be another.
    const addresses = kept.has(symbol) ? stays : moved;
    for (let at = start; at < start + symbol.size; at++) addresses.add(at);
  }
  for (const at of stays) moved.delete(at);
  return moved;
}

/** Takes the bytes at these addresses out of `first` (they become zeros) and gives them to `second`, which has no data. */
export function moveData(first, second, addresses) {
  const runs = [];
  for (const { address, start, end } of readSegments(first)) {
    let run;
    for (let at = start; at < end; at++) {
      const place = address + at - start;
      if (!addresses.has(place)) {
        run = undefined;
        continue;
      }
      if (!run) {
        run = { place, bytes: [] };
        runs.push(run);
      }
      run.bytes.push(first[at]);
      first[at] = 0;
    }
  }
  const sections = sectionsOf(second);
  if (sections.some(({ id }) => id === 11 || id === 12))
    throw new Error('The second module has data already.');
  const segments = runs.flatMap(({ place, bytes }) => [
    ...[0, 0x41, ...leb(place, true), 0x0b],
    ...[...leb(bytes.length), ...bytes],
  ]);
  const contents = [...leb(runs.length), ...segments];
  const code = sections.find(({ id }) => id === 10);
  const section = Buffer.from([11, ...leb(contents.length), ...contents]);
  return Buffer.concat([second.subarray(0, code.end), section, second.subarray(code.end)]);
}
