/** A window's worker where its database is gone: it makes none, says that it has ended, and nothing of it is waited for. */
import { memory } from 'skerry/testing';
import { expect, test } from 'vitest';
import type { WorkerConfig } from '../../js/host/worker-link.ts';

test('a worker that starts after its database was evicted makes none anew, and ends', async () => {
  const host = memory();
  const database = 'skerry/gone/someone';
  const told: { type: string }[] = [];
  await new Promise<void>((resolve) => {
    const link = host.workers.start(null, {
      onMessage: (message) => {
        told.push(message as { type: string });
        resolve();
      },
      onFailed: (error) => {
        throw error;
      },
    });
    link.post({ type: 'init', config: { database, wasmUrl: null } as WorkerConfig });
  });
  expect(told).toEqual([{ type: 'stopped' }]);
  expect(await host.accounts?.exists(database)).toBe(false);
});
