/** A window's worker where its database is gone, or another release's: it makes none, says that it has ended, and nothing of it is waited for. */
import { type MemoryHost, memory } from 'skerry/testing';
import { expect, test } from 'vitest';
import { databaseSchema } from '../../js/host/idb-schema.ts';
import { MemoryStorageHost } from '../../js/host/memory/memory-storage.ts';
import type { WorkerStart } from '../../js/host/worker-link.ts';

/** The messages of a worker of this database until it has ended. */
async function worker(host: MemoryHost, database: string): Promise<readonly unknown[]> {
  const heard: unknown[] = [];
  await new Promise<void>((resolve) => {
    const link = host.workers.start(null, {
      onMessage: (message) => {
        heard.push(message);
        resolve();
      },
      onFailed: (error) => {
        throw error;
      },
    });
    const wasmUrl = new URL('../../dist/skerry.wasm', import.meta.url).href;
    link.post({ type: 'init', config: { database, module: null, wasmUrl } as WorkerStart });
  });
  return heard;
}

test('a worker that starts after an eviction creates no database, and ends', async () => {
  const host = memory();
  const database = 'skerry/gone/someone';
  expect(await worker(host, database)).toEqual([{ type: 'stopped' }]);
  expect(await host.accounts?.exists(database)).toBe(false);
});

test('a worker ends when a newer release has upgraded its database', async () => {
  const host = memory();
  const database = 'skerry/upgraded/someone';
  const schema = [...databaseSchema, []];
  const newer = new MemoryStorageHost({ schema }, host.storage);
  const storage = await newer.open(database, (end) => {
    throw new Error(end);
  });
  expect(await worker(host, database)).toEqual([{ type: 'stopped' }]);
  storage.close();
});
