// Splits the module of a page in two: `skerry.wasm` keeps what a window can come to, the other gets the code and data that
// only the sync worker's exports reach, and takes memory, table, globals and functions from the first (wasm/CMakeLists.txt).
//
//   node split.mjs --binaryen <folder> --linked <file> --first <prefix of exports> --second <prefix of exports> [--names]
//                  <module> <second module>
//
// <module> is the finished module, with names; it is replaced. --linked is the same program as wasm-ld wrote it, with its
// relocations: they tell which data and which slots of the function table a window's code and data name. In the finished
// module these are plain numbers, and Binaryen may have put one function into the slots of several that are equal.
// --names keeps the names, for debugging.
//
// Of the first module's exports stay those with either prefix, its memory, and what initializes it: Emscripten exports more,
// for the glue that this module does without.
//
// The first module keeps the exports of the second as calls through a table of their own, which the second fills when it
// is instantiated. Calling one before that traps.

import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addressesBeside, moveData } from './data.mjs';
import { nameByOrder } from './order.mjs';
import { reachedFrom } from './reach.mjs';
import { readLinked } from './wasm-file.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    binaryen: { type: 'string' },
    linked: { type: 'string' },
    first: { type: 'string' },
    second: { type: 'string' },
    names: { type: 'boolean' },
  },
});
const [first, second] = positionals;

function binaryen(program, args) {
  const options = { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'inherit'] };
  return execFileSync(join(values.binaryen, program), args, options);
}

/** A name at the beginning of text; those of C++ are mangled, so they have no spaces. */
const nameAt = (text) => /^\$[^\s)]+/.exec(text)[0];

/** The functions of a finished module: what each calls by name, the slots of the table, and the exports. */
function readFinished(text) {
  const calls = new Map();
  const exported = new Map();
  const table = [];
  let current;
  for (const line of text.split('\n')) {
    const [, word, rest] = /^ *\((\S+) (.*)$/.exec(line) ?? [];
    if (word === 'func') {
      current = new Set();
      calls.set(nameAt(rest), current);
    } else if (word === 'call' || word === 'return_call' || word === 'ref.func') {
      current.add(nameAt(rest));
    } else if (word === 'export') {
      const [, name, what] = /^"([^"]*)" \(func (\$[^\s)]+)\)/.exec(rest) ?? [];
      if (name) exported.set(name, what);
    } else if (word === 'start') {
      throw new Error('A start function would run before the second module is there.');
    } else if (word === 'elem') {
      const [, at, names] = /\(i32\.const (\d+)\)((?: \$[^\s)]+)+)\)$/.exec(rest) ?? [];
      if (!names) throw new Error(`A segment of the table that is not a plain list: ${rest}`);
      for (const [index, name] of names.trim().split(' ').entries()) table[+at + index] = name;
    }
  }
  return { calls, exported, table };
}

/** All that can be called from `roots`, themselves included. */
function closure(calls, roots) {
  const reached = new Set();
  const waiting = [...roots];
  for (let name = waiting.pop(); name; name = waiting.pop()) {
    if (reached.has(name) || !calls.has(name)) continue;
    reached.add(name);
    waiting.push(...calls.get(name));
  }
  return reached;
}

/** Fails unless both are of one program: what is in a slot of one is in it in the other, or an equal one that took its place. */
function checkTables(linked, whole) {
  if (linked.slots !== whole.table.length)
    throw new Error(`The tables have ${linked.slots} and ${whole.table.length} slots.`);
  const all = [...linked.nameOf.values()];
  for (const [index, slot] of linked.slotOf) {
    const plain = linked.nameOf.get(index);
    // Binaryen gives functions of one name (static ones, where units are not linked as one) names of its own.
    if (all.indexOf(plain) !== all.lastIndexOf(plain)) continue;
    const name = `$${plain}`;
    if (whole.calls.has(name) && whole.table[slot] !== name)
      throw new Error(`Slot ${slot} has ${whole.table[slot]}, not ${name}.`);
  }
}

/** The features of wasm that the compiler used, as options of Binaryen, which names one differently. */
function featuresOf(linked) {
  const names = linked.features.map((name) => name.replace('fptoint', 'float-to-int'));
  return ['--mvp-features', ...names.map((name) => `--enable-${name}`)];
}

/** Removes the other exports from a module. */
function keepExports(path, names) {
  const graph = names.map((name) => ({ name, root: true, export: name }));
  const file = `${path}.graph`;
  writeFileSync(file, JSON.stringify(graph));
  binaryen('wasm-metadce', [...features, '-g', '-f', file, path, '-o', path]);
  rmSync(file);
}

const linked = readLinked(readFileSync(values.linked));
const names = linked.exports.map(({ name }) => name);
const ofSecond = names.filter((name) => name.startsWith(values.second));
const ofFirst = names.filter(
  (name) => name === '_initialize' || (name.startsWith(values.first) && !ofSecond.includes(name)),
);
const features = featuresOf(linked);
keepExports(first, ['memory', ...ofFirst, ...ofSecond]);
const whole = readFinished(binaryen('wasm-dis', [...features, first]));
checkTables(linked, whole);

// An export of the second module that another export shares, being equal to it, stays.
const exported = [...whole.exported.values()];
const moving = ofSecond
  .map((name) => `$${name}`)
  .filter((name) => exported.filter((other) => other === name).length === 1);
const { slots, data } = reachedFrom(linked, ofFirst);
const stays = closure(whole.calls, [
  ...exported.filter((name) => !moving.includes(name)),
  ...[...slots].map((slot) => whole.table[slot]),
]);
const moves = [...whole.calls.keys()].filter((name) => !stays.has(name));
if (!moving.every((name) => moves.includes(name)))
  throw new Error(`A window calls one of ${moving.join(', ')}.`);

const list = `${second}.functions`;
const part = (path) => `${path}.part`;
writeFileSync(list, moves.map((name) => name.slice(1)).join('\n'));
const form = values.names ? '--debuginfo' : '--strip-debug';
binaryen('wasm-split', [
  ...features,
  first,
  `--split-funcs=@${list}`,
  '--no-placeholders',
  '--import-namespace=first',
  '--export-prefix=$',
  `--primary-output=${part(first)}`,
  `--secondary-output=${part(second)}`,
  form,
]);
rmSync(list);
// What is called from fewer places now can be made smaller once more. The second module gains nothing by it.
if (!values.names) binaryen('wasm-opt', [...features, '-Oz', part(first), '-o', part(first)]);
// Nothing is optimised here: the levels only keep what the module was written with.
if (!values.names) {
  for (const path of [part(first), part(second)]) {
    writeFileSync(path, nameByOrder(readFileSync(path)));
    const written = ['--optimize-level=2', '--shrink-level=2', '--strip-debug', '-o', path];
    binaryen('wasm-opt', [...features, path, '--reorder-functions-by-name', ...written]);
  }
}
const module = readFileSync(part(first));
const more = moveData(module, readFileSync(part(second)), addressesBeside(linked, data));
writeFileSync(part(first), module);
writeFileSync(part(second), more);
for (const path of [second, first]) renameSync(part(path), path);
