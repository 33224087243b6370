// The examples of docs/guide run as they stand there, one after the other, on a database in memory; what they print is
// what their comments say.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { configureStore, createSlice } from '@reduxjs/toolkit';
import { open, schema, t, table } from 'skerry';
import { skerryEnhancer } from 'skerry/redux';
import { memory } from 'skerry/testing';
import { afterEach, expect, test, vi } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let folder = '';
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const app = schema(
  {
    lists: table({ name: t.string() }),
    settings: table({ color: t.string() }, { id: t.string() }),
  },
  { version: 1 },
);

/** The examples of a page, as one function of the database and of the other names that they use. */
async function examplesOf(
  page: string,
  names: readonly string[] = [],
  atLeast = 3,
): Promise<(db: unknown, ...others: unknown[]) => Promise<void>> {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((found) => found[1] ?? '');
  expect(blocks.length).toBeGreaterThanOrEqual(atLeast);
  mkdirSync(join(root, 'build'), { recursive: true });
  folder = mkdtempSync(join(root, 'build', 'guide-'));
  const file = join(folder, 'examples.js');
  writeFileSync(
    file,
    `export default async (${['db', ...names].join(', ')}) => {\n${blocks.join('\n')}\n};\n`,
  );
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)).default;
}

test('the examples about rights found, share, move, and keep an owner', async () => {
  const host = memory();
  const db = await open({ name: 'guide', schema: app, scopes: 'all', user: 'ada', host } as never);
  const printed: unknown[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => printed.push(line));
  await (await examplesOf('docs/guide/rights.md'))(db);
  expect(printed).toEqual(['dark', 'light', ['ada: owner', 'cy: writer'], 'owner', 'last_owner']);
  const { lists, realms } = db as unknown as {
    lists: { all(): { name: string; realm: string }[] };
    realms: { value: readonly { realm: string }[] };
  };
  const [trip] = realms.value;
  expect(lists.all().map(({ name, realm }) => [name, realm === trip?.realm])).toEqual(
    expect.arrayContaining([
      ['To pack', true],
      ['Mine until now', true],
    ]),
  );
  await (db as { close(): Promise<void> }).close();
});

test('the examples about streams append, look back, and reduce', async () => {
  const host = memory();
  const db = await open({ name: 'guide', schema: app, scopes: 'all', user: 'ada', host } as never);
  const printed: unknown[][] = [];
  vi.spyOn(console, 'log').mockImplementation((...line) => printed.push(line));
  const examples = await examplesOf('docs/guide/streams.md', ['open', 'app', 'host']);
  await examples(db, open, app, host);
  expect(printed).toEqual([
    [['Ahoy']],
    ['said', true],
    [
      ['line 2', 'line 3'],
      ['line 4', 'line 5'],
    ],
    [{ ada: 3, bo: 1 }],
    [0],
  ]);
  await (db as { close(): Promise<void> }).close();
});

test('the examples about Redux store, and find it again', async () => {
  const printed: unknown[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => printed.push(line));
  const names = ['configureStore', 'createSlice', 'skerryEnhancer', 'host'];
  const examples = await examplesOf('docs/guide/redux.md', names, 2);
  await examples(null, configureStore, createSlice, skerryEnhancer, memory());
  expect(printed).toEqual([3, 3]);
});
