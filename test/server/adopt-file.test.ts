// Goal: there are never adopted tables without a schema: it is complete before they are adopted, and never replaces a file. Method: the file itself.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SchemaFile } from '../../server/src/adopt/schema-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-schema-file-'));
  path = join(folder, 'schema.mjs');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('the schema gets its name when it is published', () => {
  const file = new SchemaFile(path);
  file.complete('text');
  expect(existsSync(path)).toBe(false);
  expect(file.publish()).toBe(path);
  expect(readFileSync(path, 'utf8')).toBe('text');
  expect(existsSync(`${path}.new`)).toBe(false);
});

test('a file that came meanwhile stays, and it is said where the schema is', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  const file = new SchemaFile(path);
  file.complete('text');
  writeFileSync(path, 'of somebody else');
  expect(file.publish()).toBe(`${path}.new`);
  expect(said.mock.calls.join()).toContain(`It is in ${path}.new: rename it.`);
  expect([path, `${path}.new`].map((each) => readFileSync(each, 'utf8'))).toEqual([
    'of somebody else',
    'text',
  ]);
});

test('what an adoption that was cut off has left is not overwritten', () => {
  writeFileSync(`${path}.new`, 'the only copy');
  expect(() => new SchemaFile(path)).toThrow('of an adoption that was cut off');
  expect(readFileSync(`${path}.new`, 'utf8')).toBe('the only copy');
});

test('what is perhaps the schema of adopted tables is kept', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  const early = new SchemaFile(path);
  early.giveUp();
  expect([existsSync(`${path}.new`), said.mock.calls]).toEqual([false, []]);
  const late = new SchemaFile(path);
  late.complete('text');
  late.giveUp();
  expect(said.mock.calls.join()).toContain('It is not certain whether the tables are adopted.');
  expect(readFileSync(`${path}.new`, 'utf8')).toBe('text');
});

test('nothing is left if nothing was adopted', () => {
  const file = new SchemaFile(path);
  file.complete('text');
  file.discard();
  expect(existsSync(`${path}.new`)).toBe(false);
  writeFileSync(path, '');
  expect(() => new SchemaFile(path)).toThrow('there is such a file already');
});
