// Goal: each rule finds what it is there for, and nothing else. Method: a few lines of code that
// break it, beside some that look alike and do not.

import { describe, expect, it } from 'vitest';
import { tableProblems } from './folders.ts';
import {
  callProblems,
  codeOf,
  importCircles,
  importProblems,
  importsOf,
  includeProblems,
  kindProblems,
  listedIn,
  machineProblems,
  nameProblems,
  opProblems,
  testNames,
} from './rules.ts';

describe('includes', () => {
  it('may point down, and not up or across', () => {
    const text = '#include "base/status.h"\n#include <vector>\n#include "nlohmann/json.hpp"\n';
    expect(includeProblems('src/sync/push.cc', text)).toEqual([]);
    expect(includeProblems('src/base/a.h', '#include "model/row.h"')).toHaveLength(1);
    expect(includeProblems('src/sync/a.h', '#include "client/a.h"')).toHaveLength(1);
    expect(includeProblems('src/client/a.h', '#include "../sync/a.h"')).toHaveLength(1);
    expect(includeProblems('src/other/a.h', '')).toHaveLength(1);
  });

  it('keep Emscripten out of the core', () => {
    expect(includeProblems('src/base/a.h', '#include <emscripten/val.h>')).toHaveLength(1);
    expect(includeProblems('wasm/a.cc', '#include <emscripten/val.h>')).toEqual([]);
  });
});

describe('imports', () => {
  it('are found in every form, and not in comments', () => {
    const text = [
      "import a, { type B } from './a.ts';",
      "import {\n  c,\n} from './c.ts';",
      "export * from './d.ts';",
      "import './e.ts';",
      "const f = await import('./f.ts');",
      "// import g from './g.ts';",
    ].join('\n');
    expect(importsOf(text).sort()).toEqual(['a', 'c', 'd', 'e', 'f'].map((n) => `./${n}.ts`));
  });

  it('keep the folders of the package apart', () => {
    const problems = (path: string, name: string) => importProblems(path, `import '${name}';`);
    expect(problems('js/index.ts', './api/database.ts')).toEqual([]);
    expect(problems('js/api/a.ts', '../host/clock.ts')).toEqual([]);
    expect(problems('js/core/a.ts', '../api/a.ts')).toHaveLength(1);
    expect(problems('js/worker/a.ts', '../api/a.ts')).toHaveLength(1);
    expect(problems('js/host/memory/a.ts', '../../index.ts')).toHaveLength(1);
    expect(problems('js/api/a.ts', '../../build/wasm/skerry.js')).toEqual([]);
    expect(problems('js/host/a.ts', '../../build/wasm/skerry.js')).toHaveLength(1);
    expect(problems('js/api/a.ts', 'node:fs')).toHaveLength(1);
    expect(problems('js/api/a.ts', '../../server/src/a.ts')).toHaveLength(1);
  });

  it('of server and demo name packages only', () => {
    const problems = (path: string, name: string) => importProblems(path, `import '${name}';`);
    expect(problems('server/src/http/b.ts', 'skerry/authority')).toEqual([]);
    expect(problems('server/src/a.ts', '../../js/index.ts')).toHaveLength(1);
    expect(problems('web-demo/src/a.ts', 'skerry')).toEqual([]);
    expect(problems('web-demo/src/a.ts', '../../js/index.ts')).toHaveLength(1);
  });
});

describe('imports of the server', () => {
  const problems = (path: string, name: string) =>
    importProblems(`server/src/${path}`, `import type { A } from '${name}';`);

  it('go from http down to base', () => {
    expect(problems('http/app.ts', '../push/flusher.ts')).toEqual([]);
    expect(problems('push/commit.ts', '../base/json.ts')).toEqual([]);
    expect(problems('push/commit.ts', './locks.ts')).toEqual([]);
    expect(problems('server.ts', './http/app.ts')).toEqual([]);
    expect(problems('server.ts', './follow-schema.ts')).toEqual([]);
  });

  it('may not go up, or across', () => {
    expect(problems('sql/filter.ts', '../http/body.ts')).toHaveLength(1);
    expect(problems('base/json.ts', '../db/database.ts')).toHaveLength(1);
    expect(problems('push/commit.ts', '../pull/pull.ts')).toHaveLength(1);
    expect(problems('push/commit.ts', '../server.ts')).toHaveLength(1);
    expect(problems('another/a.ts', '../base/json.ts')).toHaveLength(1);
  });

  it('are found where they close a circle', () => {
    const importing = (name: string) => `import { a } from './${name}.ts';`;
    const texts = new Map([
      ['server/src/a.ts', importing('b')],
      ['server/src/b.ts', importing('c')],
      ['server/src/c.ts', importing('b')],
      ['js/a.ts', importing('a')],
    ]);
    const circle = ['b', 'c', 'b'].map((name) => `server/src/${name}.ts`).join(' -> ');
    expect(importCircles(texts, 'server/src/')).toEqual([circle]);
  });
});

describe('calls', () => {
  it('to clocks, randomness, timers and I/O belong to js/host', () => {
    expect(callProblems('js/api/a.ts', 'const t = Date.now();')).toHaveLength(1);
    expect(callProblems('js/host/clock.ts', 'const t = Date.now();')).toEqual([]);
    expect(callProblems('js/core/a.ts', 'setTimeout(f, 1); fetch(url);')).toHaveLength(2);
    expect(callProblems('js/core/a.ts', 'new Date(5); this.#transport.fetch(url);')).toEqual([]);
    expect(callProblems('js/core/a.ts', "// Date.now()\nconst s = 'indexedDB';")).toEqual([]);
  });

  it('are the same in the core', () => {
    expect(callProblems('src/base/a.cc', '#include <chrono>\n')).toHaveLength(1);
    expect(callProblems('src/base/a.cc', 'std::snprintf(a, 1, "x");')).toHaveLength(1);
    expect(callProblems('src/base/a.cc', 'int operand(int x); operand(1);')).toEqual([]);
  });
});

describe('a table of folders', () => {
  const folders = { base: [], db: ['base'], http: ['db'] };
  const table = (...rows: string[]) =>
    ['| folder | what | may use |', '|---|---|---|', ...rows].join('\n');
  const base = '| `base` | errors | nothing |';
  const db = '| `db` | SQL | base |';
  const problems = (isClosed: boolean, ...rows: string[]) =>
    tableProblems(table(...rows), '', folders, { isClosed });

  it('agrees with the rules where it names the same, or what leads to it', () => {
    expect(problems(true, base, db, '| `http` | routes | db |')).toEqual([]);
    expect(problems(true, base, db, '| `http` | routes | base, db |')).toEqual([]);
    expect(problems(false, base, db, '| `http` | routes | db |')).toEqual([]);
  });

  it('does not where it names more or less, or has other rows', () => {
    expect(problems(true, base, '| `db` | SQL | |', '| `http` | routes | db |')).toHaveLength(1);
    expect(problems(true, base, '| `db` | SQL | http |', '| `http` | routes | db |')).not.toEqual(
      [],
    );
    expect(problems(false, base, db, '| `http` | routes | base, db |')).toHaveLength(1);
    expect(problems(true, base, db)).toEqual(['http has no row']);
    expect(problems(true, base, db, '| `http` | routes | db |', '| `x` | y | |')).toHaveLength(1);
  });
});

it('kinds of ops are switched over without default, and not compared', () => {
  const problems = (text: string) => kindProblems('src/sync/a.cc', text);
  expect(problems('if (op.kind == OpKind::kMove) return;')).toHaveLength(1);
  expect(problems('if (OpKind::kMove != kind) return;')).toHaveLength(1);
  expect(problems('if (n > static_cast<uint8_t>(OpKind::kMove)) return;')).toHaveLength(1);
  expect(problems('if (op["op"].Is("move")) return;')).toHaveLength(1);
  expect(problems('if (op["op"].as_string() == "move") return;')).toHaveLength(1);
  expect(problems('ReadKind(op["op"].as_string(), &kind);')).toEqual([]);
  expect(problems('switch (k) { case OpKind::kMove: return 1; default: return 2; }')).toHaveLength(
    1,
  );
  expect(problems('switch (k) { case OpKind::kMove: return 1; } op.kind = OpKind::kMove;')).toEqual(
    [],
  );
});

it('ops are read by the authority, and not by the server', () => {
  const problems = (text: string) => opProblems('server/src/push/a.ts', text);
  expect(problems('for (const op of update.ops) use(op);')).toHaveLength(1);
  expect(problems('const { ops } = update;')).toHaveLength(1);
  expect(problems("if (op.table === 'cities') return;")).toHaveLength(1);
  expect(problems("if (kind === 'append') return;")).toHaveLength(1);
  expect(problems("const one = { op: 'create' };")).toHaveLength(1);
  expect(problems("sql(`select x.op ->> 'table' from x`);")).toHaveLength(1);
  expect(problems('const count = length(update.ops); // ops are counted')).toEqual([]);
  expect(problems("const sql = `select json_build_object('update', l.ops)`;")).toEqual([]);
  expect(problems('prop.value === limits.opsPerPush;')).toEqual([]);
  expect(opProblems('test/server/a.ts', 'update.ops;')).toEqual([]);
});

it('a comment keeps its lines when it is taken out', () => {
  expect(codeOf('a /* b\nc */ d // e\n"f//g"')).toBe('a \n d \n""');
});

it('traces of one machine are found, relative paths are not', () => {
  const home = ['', 'home', 'me', 'x'].join('/');
  expect(machineProblems('a', `see ${home}`)).toHaveLength(1);
  expect(machineProblems('a', `"${['', 'work', 'main'].join('/')}"`)).toHaveLength(1);
  expect(machineProblems('a', ['registry', 'npmjs', 'org'].join('.'))).toHaveLength(1);
  expect(machineProblems('a', 'js/work/main.ts and https://a.example/home/me')).toEqual([]);
});

it('lists of sources are read without their comments', () => {
  expect(listedIn('set(A\n  base/a.cc # b.cc\n  src/base/c.cc)')).toEqual([
    'base/a.cc',
    'src/base/c.cc',
  ]);
});

describe('names of tests', () => {
  it('are found in both languages, in every form', () => {
    const ts = [
      "test('a', () => {});",
      'it(`b ${c}`, async () => {});',
      "describe.each(modes)('%s: d', () => {});",
      "test.each([\n  ['x', 1],\n] as const)(\n  'e',",
      'test.skipIf(f(g))(\n  "h\'s",',
      "pattern.test('no name');",
    ].join('\n');
    expect(testNames('test/js/a.test.ts', ts).sort()).toEqual(['%s: d', 'a', 'b ${c}', 'e', "h's"]);
    const cpp = 'TEST_CASE("a "\n          "b") {\n  SUBCASE("c") {}\n';
    expect(testNames('test/core/a_test.cc', cpp)).toEqual(['a b', 'c']);
    expect(testNames('js/a.ts', ts)).toEqual([]);
  });

  it('have fewer than 80 characters', () => {
    expect(nameProblems('test/a.test.ts', `test('${'a'.repeat(79)}', f);`)).toEqual([]);
    expect(nameProblems('test/a.test.ts', `test('${'a'.repeat(80)}', f);`)).toHaveLength(1);
  });
});
