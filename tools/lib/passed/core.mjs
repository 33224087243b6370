// The units of work of the core: each source of its tests, natively and as WebAssembly, and each batch of the simulator. Their
// keys are made of sources, because the programs are made of nothing else: where all has passed before, nothing is built.

import { dirname, join, normalize } from 'node:path';

const kInclude = /^\s*#include "([^"]+)"/gm;
/** A path from the root, as SKERRY_ROOT stands before it. */
const kPath = /"\/?([\w.-]+(?:\/[\w.-]+)+)"/g;
const kCpp = /\.(cc|h)$/;
/** Files that lie together and are linked together: a folder of the core, or of what tests stand on. */
const kRoom = /^(src\/[^/]+|test\/core\/[^/]+|test\/(?!core\/)[^/]+)\//;
/** What all of it is compiled by. */
const kBuilt = ['CMakeLists.txt', 'CMakePresets.json', 'wasm/toolchain.cmake', 'test/core/main.cc'];

export class CoreUnits {
  #rooms = new Map();
  #names = new Map();

  /** `facts`: of the compilers (facts.mjs). */
  constructor(tree, facts) {
    this.tree = tree;
    this.facts = facts;
  }

  /**
   * What is linked with a file: whoever includes one header of a folder may call all that is implemented there. No test calls
   * into another file of tests.
   */
  #beside(path) {
    const room = kRoom.exec(path)?.[1];
    if (room === undefined) return [];
    if (!this.#rooms.has(room)) {
      const files = this.tree.below(room);
      this.#rooms.set(
        room,
        files.filter((each) => kCpp.test(each) && !each.endsWith('_test.cc')),
      );
    }
    return this.#rooms.get(room);
  }

  /** What a file includes, and what it reads when it runs. */
  #named(path) {
    if (!this.#names.has(path)) this.#names.set(path, this.#read(path));
    return this.#names.get(path);
  }

  #read(path) {
    const text = this.tree.text(path);
    const includes = [...text.matchAll(kInclude)].map(([, name]) =>
      [normalize(join(dirname(path), name)), `src/${name}`, name].find((each) =>
        this.tree.isFile(each),
      ),
    );
    if (!path.startsWith('test/')) return includes.filter(Boolean);
    const data = [...text.matchAll(kPath)].flatMap(([, name]) => this.tree.below(name));
    return [...includes, ...data].filter(Boolean);
  }

  /** The source, all that it includes, and all that is implemented below it, by what is included there in turn. */
  closure(source) {
    const found = new Set([source]);
    for (const path of found) {
      if (!kCpp.test(path)) continue;
      for (const each of this.#named(path)) found.add(each);
      // A file of tests stands for itself.
      if (path !== source || !path.endsWith('_test.cc'))
        for (const each of this.#beside(path)) found.add(each);
    }
    return [...found].sort();
  }

  #unit(name, path, more = {}) {
    const files = [...this.closure(path), ...kBuilt.filter((each) => this.tree.isFile(each))];
    return { ...more, path, files, key: this.tree.key(name, this.facts, files) };
  }

  /** Of each source of tests in a build of them. */
  tests(preset) {
    const sources = this.tree.below('test').filter((path) => path.endsWith('_test.cc'));
    return sources.map((path) => this.#unit(`${preset} ${path}`, path));
  }

  simulator(preset, args) {
    return this.#unit(`simulator ${preset} ${args.join(' ')}`, 'test/sim/main.cc');
  }
}
