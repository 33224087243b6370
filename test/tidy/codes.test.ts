// Goal: there is one list of the codes of errors (js/core/error-codes.ts), and docs/errors.md, docs/stuck.md, the core and the
// server agree with it; that JavaScript throws no other one is checked by its compiler. Method: whatever C++ and the server make
// an error of is looked for in the list. SKERRY_WRITE=1 writes docs/errors.md.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ClosedError, errorFromCode } from '../../js/core/errors.ts';
import { codes, errorsPage, typesOf } from './errors-page.ts';
import { listedCodes } from './listed-codes.ts';
import { texts } from './texts.ts';

/** Thrown, or what a promise rejects with: the caller has it, and synchronisation goes on. */
const ofCalls = [
  ...['invalid_argument', 'schema', 'unknown_table', 'unknown_prop', 'wrong_type', 'missing_prop'],
  ...['invalid_id', 'limit', 'not_found', 'version', 'read_only', 'closed', 'conflict', 'unsynced'],
  ...['parse', 'unsupported', 'async_mutator', 'not_filled', 'not_an_export', 'checksum'],
  ...['held', 'validate', 'not_changed'],
  ...['pending', 'other_user', 'file_version', 'file_schema', 'too_large', 'no_window', 'offline'],
  // Of `open`, of a deletion, of a page that stands still.
  ...['storage_refused', 'storage_newer', 'storage_blocked', 'storage_suspended', 'storage_failed'],
  // By which one part of the package tells another; the status has `image`, `storage` or `worker` for them.
  ...['corrupt', 'service', 'logged_out'],
  // After it a client fetches everything again.
  'gone',
];

/** Where the core and the server make errors; what is between the quotes is the code. */
const places: readonly (readonly [RegExp, RegExp])[] = [
  [/^src\/(sync|client)\//, /(?:return|error|(?<!\[\] )=|Fail\()\s*\{\s*"([a-z_-]+)",/g],
  [/^src\/(sync|client)\//, /\bcode = "([a-z_-]+)"/g],
  [/^src\/(sync|client)\//, /ResolvedEffect\([^"{;]*"([a-z_-]+)"/g],
  [/^src\/(sync|client)\//, /(?:\{\w+|"code", \w+) \? (?:name|"\w+") : "([a-z_-]+)"/g],
  [/^src\/log\/conflict_record\.h$/, /constexpr char k\w+\[\] = "(\w+)"/g],
  [/^src\/authority\//, /(?:Rejection|return)? ?\{(?:\{\}|op), "([a-z_]+)",/g],
  [/^src\/authority\//, /Refuse\([^"]*, "([a-z_]+)",/g],
  [/^src\/authority\/cascade\.cc$/, /, "(restrict)",/g],
  [/^src\/authority\/row_data\.cc$/, /return "([a-z_]+)";/g],
  [/^server\/src\/base\/problem\.ts$/, /^ {2}'?([a-z_-]+)'?: \d{3},$/gm],
];

/** No codes of errors. */
const others = new Set(['ok', 'misuse']);

const sources = [...texts].filter(([path]) => /^(src|js|server)\/.*\.(cc|h|ts)$/.test(path));
const listed = new Set(Object.values(listedCodes()).flat());

it('every pattern finds something', () => {
  for (const [where, pattern] of places) {
    const found = sources.some(([path, text]) => where.test(path) && text.match(pattern));
    expect(found, String(pattern)).toBe(true);
  }
});

it('the list has every code of the core and of the server', () => {
  const missing = new Map<string, string>();
  for (const [path, text] of sources) {
    for (const [where, pattern] of places) {
      if (!where.test(path)) continue;
      for (const [, code = ''] of text.matchAll(pattern))
        if (!codes.has(code) && !others.has(code)) missing.set(code, path);
    }
  }
  expect([...missing]).toEqual([]);
});

it('a code is thrown in errors of its class', () => {
  const wrong = sources.flatMap(([path, text]) =>
    [...text.matchAll(/(?:new |')(\w+Error)\(\s*'([a-z_-]+)'/g)].flatMap(
      ([, type = '', code = '']) => {
        const entry = path.startsWith('js/') ? codes.get(code) : undefined;
        return entry && !typesOf(entry).includes(type) ? [`${path}: ${type} ${code}`] : [];
      },
    ),
  );
  expect(wrong).toEqual([]);
});

it('errors.ts makes errors of the same classes from codes', () => {
  const text = texts.get('js/core/errors.ts') ?? '';
  const pairs = [...text.matchAll(/^ {2}(?:\[')?([a-z_]+)(?:', |: )(\w+Error)\]?,$/gm)];
  expect(pairs.length).toBeGreaterThan(30);
  for (const [, code = '', type = ''] of pairs) {
    const entry = codes.get(code) ?? codes.get(code.replaceAll('_', '-'));
    expect(entry && typesOf(entry), code).toContain(type);
  }
});

it('docs/stuck.md has every code, unless only a call fails by it', () => {
  const missing = [...codes.keys()].filter((code) => !listed.has(code) && !ofCalls.includes(code));
  expect(missing).toEqual([]);
  expect([...listed, ...ofCalls].filter((code) => !codes.has(code))).toEqual([]);
});

it('a code that is not listed does not compile, and comes from a newer server only', () => {
  // @ts-expect-error: the compiler knows the list.
  const mistaken = new ClosedError('closd', 'A slip of the pen.');
  expect(mistaken.code).toBe('closd');
  expect(errorFromCode('of_tomorrow', '').code).toBe('of_tomorrow');
});

it('docs/errors.md is made of the list', () => {
  const path = 'docs/errors.md';
  if (process.env.SKERRY_WRITE)
    writeFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), errorsPage());
  else expect(texts.get(path)).toBe(errorsPage());
});
