// @vitest-environment jsdom
// Goal: the tests of an application run under jsdom, the usual environment for components, with a database in memory. Method: this
// file itself runs there.
import { pathToFileURL } from 'node:url';
import { http } from 'skerry';
import { memory } from 'skerry/testing';
import { expect, test } from 'vitest';
import { fresh as opened, until } from './support.ts';

// Vite takes the sources for a page's here, whose address is no file's. An installed package is not transformed, and needs no `wasmUrl`.
const wasmUrl = pathToFileURL('dist/skerry.wasm');
const fresh = (host = memory(), more: Parameters<typeof opened>[1] = {}) =>
  opened(host, { ...more, wasmUrl });

test('a database in memory opens under jsdom, and keeps all kinds of values', async () => {
  expect(navigator.userAgent).toContain('jsdom');
  const db = await fresh();
  const values = {
    founded: new Date(5),
    flag: new Uint8Array([1, 2]),
    notes: { a: [1, new Date(1)] },
  };
  const made = db.transact((tx) =>
    tx.cities.create({ id: 'x', name: 'x', country: 'y', ...values }),
  );
  await made.durable;
  expect(db.cities.get('x')).toMatchObject(values);
});

test('an export made under jsdom is imported there', async () => {
  const db = await fresh();
  db.mutate.addCity({ id: 'x', name: 'X' });
  const file = await db.export();
  const other = await fresh();
  await other.import(file);
  expect(other.cities.get('x')?.name).toBe('X');
});

test('the sync worker asks the server under jsdom', async () => {
  const host = memory();
  await fresh(host, { user: 'ada', remote: http('/v1'), scopes: 'all' });
  await until(() => host.network.requests.length > 0);
});
