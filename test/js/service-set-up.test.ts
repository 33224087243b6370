/** A service worker that is woken before a window has written what it needs, as at the first change of a first visit. */
import type { MemoryHost } from 'skerry/testing';
import { afterEach, expect, test, vi } from 'vitest';
import type { WorkerSideHost } from '../../js/host/host.ts';
import type { MemoryStorageHost } from '../../js/host/memory/memory-storage.ts';
import { signal } from '../contract/check.ts';
import { database, ended, failures, left, started, write } from './service-profile.ts';

vi.setConfig({ testTimeout: 30_000 });
afterEach(ended);

/** What is read while `isSlow` comes late. */
function slowToRead(
  host: MemoryHost,
  isSlow: () => boolean,
  look: () => void,
  late: Promise<void>,
): WorkerSideHost['storage'] {
  const slow = Object.create(host.storage) as MemoryStorageHost;
  slow.reopen = async (name, onLost) => {
    const storage = await host.storage.reopen(name, onLost);
    const transact = storage.transact.bind(storage);
    storage.transact = async (...request) => {
      const was = isSlow();
      const results = await transact(...request);
      if (!was) return results;
      look();
      await late;
      return results;
    };
    return storage;
  };
  return slow;
}

test('a wake before a window has set it up is no failure, and the next one works', async () => {
  const { host, server } = await left();
  const record = host.storage.dump(database, 'sync').find(({ key }) => key === 'service');
  await write(host, { store: 'sync', delete: 'service' });
  const reasons = failures(host);
  const { promise: looked, fire: look } = signal();
  const { promise: late, fire: answer } = signal();
  let isFirst = true;
  const home = started(host, { storage: slowToRead(host, () => isFirst, look, late) });
  const early = home.woken(database);
  await looked;
  isFirst = false;
  // The window's Worker has written the record by the time at which it wakes the service worker.
  await write(host, { store: 'sync', put: record?.value, key: 'service' });
  const next = home.woken(database);
  answer();
  await expect(early).rejects.toThrow('No window has set up');
  expect(await next).toEqual({ pending: 0 });
  expect(server.pushed).toHaveLength(1);
  expect(reasons).toEqual([]);
});
