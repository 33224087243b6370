// Keeping a source map true when text is put into what was generated.

const kDigits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The first number of a segment: how far its column is from the one before; and the rest of the text. */
function firstOf(segment) {
  let value = 0;
  let at = 0;
  for (let shift = 0; ; shift += 5) {
    const digit = kDigits.indexOf(segment[at++]);
    value += (digit & 31) << shift;
    if (digit < 32) break;
  }
  return [value & 1 ? -(value >> 1) : value >> 1, segment.slice(at)];
}

function encoded(number) {
  let text = '';
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  do {
    text += kDigits[(rest & 31) + (rest > 31 ? 32 : 0)];
    rest >>= 5;
  } while (rest > 0);
  return text;
}

/** Mappings after `length` letters were put in at this line and column of the generated text, both from 0. */
export function shiftedMappings(mappings, line, column, length) {
  const lines = mappings.split(';');
  const segments = (lines[line] ?? '').split(',');
  let place = 0;
  for (const [index, segment] of segments.entries()) {
    if (segment === '') break;
    const [delta, rest] = firstOf(segment);
    place += delta;
    if (place < column) continue;
    // Those that follow are counted from this one.
    segments[index] = encoded(delta + length) + rest;
    break;
  }
  return lines.with(line, segments.join(',')).join(';');
}
