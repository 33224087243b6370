// The core traps: a broken invariant, or memory that was damaged. The window ends with a clear error instead of writing
// what cannot be trusted, what was stored before is there, and a database that is opened next works.

import { open, SkerryError } from 'skerry';
import { memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { app } from './support.ts';

test('a core that traps closes its window, and the next open finds all durable data', async () => {
  const memories: WebAssembly.Memory[] = [];
  const { instantiate } = WebAssembly;
  vi.spyOn(WebAssembly, 'instantiate').mockImplementation((async (...args: unknown[]) => {
    const made = (await (instantiate as (...all: unknown[]) => Promise<unknown>)(
      ...args,
    )) as WebAssembly.Instance;
    for (const exported of Object.values(made.exports))
      if (exported instanceof WebAssembly.Memory) memories.push(exported);
    return made;
  }) as never);
  const host = memory();
  // A module of its own, so that the other tests of this process keep theirs.
  const wasmUrl = new URL('../../dist/skerry.wasm?core-failed', import.meta.url);
  const options = { name: 'trap', schema: app, host, wasmUrl };
  const db = await open(options);
  const id = db.transact((tx) => tx.groups.create({ name: 'before' })).result;
  await db.transact((tx) => tx.groups.update(id, { name: 'stored' })).durable;
  const closed = new Promise((resolve) => db.on('closed', resolve));

  expect(memories.length).toBeGreaterThan(0);
  for (const damaged of memories) new Uint8Array(damaged.buffer).fill(0xff);
  let thrown: unknown;
  try {
    for (let i = 0; i < 100; i++) db.transact((tx) => tx.groups.create({ name: `after ${i}` }));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SkerryError);
  expect(await closed).toEqual({ reason: 'core-failed' });
  expect(db.sync.status).toMatchObject({ phase: 'blocked', error: { code: 'core_failed' } });
  expect(() => db.groups.all()).toThrow(SkerryError);

  const again = await open({ ...options, host: host.window() });
  expect(again.groups.all().map(({ name }) => name)).toEqual(['stored']);
  await again.close();
  vi.restoreAllMocks();
});

test('refuses a module of another version by its missing imports or exports', async () => {
  // The module for images stands for one of another version: it has other imports and exports.
  const wasmUrl = new URL('../../dist/skerry-image.wasm?another', import.meta.url);
  await expect(open({ name: 'other', schema: app, host: memory(), wasmUrl })).rejects.toMatchObject(
    { name: 'UnsupportedError', code: 'wasm' },
  );
});
