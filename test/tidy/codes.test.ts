// Goal: docs/stuck.md names every code that a client can show. Method: whatever the sources make an error of is looked for
// there; a code by which only a call fails, and nothing waits, is listed here.
import { expect, it } from 'vitest';
import { listedCodes } from './listed-codes.ts';
import { texts } from './texts.ts';

/** Thrown, or what a promise rejects with: the caller has it, and synchronisation goes on. */
const ofCalls = [
  ...['invalid_argument', 'schema', 'unknown_table', 'unknown_prop', 'wrong_type', 'missing_prop'],
  ...['invalid_id', 'limit', 'not_found', 'version', 'read_only', 'closed', 'conflict'],
  ...['parse', 'unsupported', 'async_mutator', 'not_filled', 'not_an_export', 'checksum'],
  ...['pending', 'other_user', 'file_version', 'file_schema', 'too_large', 'no_window', 'offline'],
  // Of `open`, of a deletion, of a page that stands still.
  ...['storage_refused', 'storage_newer', 'storage_blocked', 'storage_suspended', 'storage_failed'],
  // By which one part of the package tells another; the status has `image`, `storage` or `worker` for them.
  ...['corrupt', 'service'],
];

/** Where codes of the status and of the inbox come from; what is between the quotes is the code. */
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
  [/^js\/(?!testing|host\/memory)/, /new \w+Error\(\s*'([a-z_-]+)'/g],
  [/^js\/(?!testing|host\/memory)/, /errorFromCode\(\s*'([a-z_-]+)'/g],
  [/^js\/(?!testing|host\/memory)/, /\bcode(?:: | = [^;]*[?:] )'([a-z_-]+)'/g],
  [/^js\/host\//, /inTime(?:<[^>]*>)?\([^']*'([a-z_]+)'/g],
  [/^js\/core\/errors\.ts$/, /^ {2}([a-z_]+): \w+Error,$/gm],
  [/^js\/core\/errors\.ts$/, /\['([a-z_]+)', \w+Error\]/g],
  [/^server\/src\/base\/problem\.ts$/, /^ {2}'?([a-z_-]+)'?: \d{3},$/gm],
];

/** After `gone` a client pulls everything again; of these two the server's names have a dash; others are no codes of errors. */
const unseen = new Set(['gone', 'client_old', 'server_old', 'ok', 'misuse']);

const sources = [...texts].filter(([path]) => /^(src|js|server)\/.*\.(cc|h|ts)$/.test(path));

const inSource = new Map<string, string>();
for (const [path, text] of sources) {
  for (const [where, pattern] of places)
    if (where.test(path))
      for (const [, code = ''] of text.matchAll(pattern))
        if (!unseen.has(code)) inSource.set(code, path);
}

const listed = new Set(Object.values(listedCodes()).flat());

it('every pattern finds something', () => {
  for (const [where, pattern] of places) {
    const found = sources.some(([path, text]) => where.test(path) && text.match(pattern));
    expect(found, String(pattern)).toBe(true);
  }
});

it('docs/stuck.md has every code of the sources, unless only a call fails by it', () => {
  const missing = [...inSource].filter(([code]) => !listed.has(code) && !ofCalls.includes(code));
  expect(missing).toEqual([]);
});

it('no code is listed that the sources do not make', () => {
  const stale = [...listed, ...ofCalls].filter((code) => !inSource.has(code));
  expect(stale).toEqual([]);
});
