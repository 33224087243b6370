// The order of a module's functions, chosen for who compresses it: gzip and brotli find again what they have just seen, so
// functions that have much in common stand side by side. Saves 3 % of what a page loads, and half a percent more by trying
// out. (The idea is that of Dhulipala
// et al., Compressing graphs and indexes with recursive graph bisection, KDD 2016; a walk from one function to the one that
// is most like the last few does as well for a thousand of them.)

import { gzipSync } from 'node:zlib';
import { functionBodies, importedFunctions, sectionsOf } from './wasm-file.mjs';

/**
 * The walks that are tried. `sequence`: the bytes of one that counts as common, three or four instructions; `reach`: how far
 * back a function is compared, in bytes of code; `overhead`: added to the length of a function, lest the shortest come
 * first for being short. Which does best is chance, and changes with the code.
 */
const kWalks = [
  { sequence: 5, reach: 700, overhead: 4 },
  { sequence: 5, reach: 400, overhead: 16 },
  { sequence: 6, reach: 400, overhead: 16 },
  { sequence: 6, reach: 700, overhead: 16 },
  { sequence: 7, reach: 1500, overhead: 16 },
];
/** Runs of functions that are moved to where they may do better: each tenth of them saves some bytes still. */
const kMoves = 1000;
const kLongestRun = 12;

/** The sequences of each body that some other body has too, as numbers, and how many numbers there are. */
function commonSequences(bodies, length) {
  const numbers = new Map();
  const counts = [];
  const sequences = bodies.map((body) => {
    const own = new Set();
    for (let at = 0; at + length <= body.length; ++at) {
      const text = body.toString('latin1', at, at + length);
      let number = numbers.get(text);
      if (number === undefined) {
        number = counts.push(0) - 1;
        numbers.set(text, number);
      }
      if (!own.has(number)) counts[number] += 1;
      own.add(number);
    }
    return own;
  });
  const common = sequences.map((own) => Int32Array.from([...own].filter((n) => counts[n] > 1)));
  return { common, count: counts.length };
}

/** The places of functions with these bodies, similar ones side by side: `order[0]` comes first. */
function orderBySimilarity(bodies, { sequence, reach, overhead }) {
  const { common, count } = commonSequences(bodies, sequence);
  // Where the walk was when it last met each sequence.
  const met = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
  const left = new Set(bodies.keys());
  const order = [];
  let walked = 0;
  const likeness = (index) => {
    let shared = 0;
    for (const number of common[index]) shared += met[number] >= walked - reach ? 1 : 0;
    return shared / (bodies[index].length + overhead);
  };
  const first = (score) => {
    let best;
    for (const index of left) {
      const found = score(index);
      if (best === undefined || found > best.found) best = { index, found };
    }
    return best?.index;
  };
  for (let next = first((index) => bodies[index].length); next !== undefined; ) {
    order.push(next);
    left.delete(next);
    walked += bodies[next].length;
    for (const number of common[next]) met[number] = walked;
    next = first(likeness);
  }
  return order;
}

/** Numbers below a bound, the same in every build (the multiplier is that of Numerical Recipes). */
function numbers() {
  let state = 1;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** The order of these bodies that compresses best, of those that were tried. */
function bestOrder(bodies) {
  const sized = (order) => {
    const code = Buffer.concat(order.map((index) => bodies[index]));
    return { order, size: gzipSync(code, { level: 9 }).length };
  };
  const smaller = (a, b) => (b.size < a.size ? b : a);
  const walks = kWalks.map((walk) => sized(orderBySimilarity(bodies, walk)));
  const below = numbers();
  return Array.from({ length: kMoves }).reduce((best) => {
    const run = 1 + below(Math.min(kLongestRun, bodies.length));
    const from = below(bodies.length - run + 1);
    const rest = best.order.toSpliced(from, run);
    const moved = best.order.slice(from, from + run);
    return smaller(best, sized(rest.toSpliced(below(rest.length + 1), 0, ...moved)));
  }, walks.reduce(smaller)).order;
}

function leb(number) {
  const bytes = [];
  for (let rest = number; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

/** The module with its functions named by the places that they should have: Binaryen sorts by name. */
export function nameByOrder(module) {
  const sections = sectionsOf(module);
  const bodies = functionBodies(module, sections);
  const before = importedFunctions(sections);
  const names = [];
  for (const [place, index] of bestOrder(bodies).entries()) {
    const name = Buffer.from(String(place).padStart(6, '0'));
    names[index] = [...leb(before + index), ...leb(name.length), ...name];
  }
  const list = [...leb(names.length), ...names.flat()];
  const kFunctionNames = 1;
  const content = [4, ...Buffer.from('name'), kFunctionNames, ...leb(list.length), ...list];
  return Buffer.concat([module, Buffer.from([0, ...leb(content.length), ...content])]);
}
