/** A worker's locks: what the engine grants or takes while the worker has thought of something else. */
import { expect, test } from 'vitest';
import type { AcquireOptions, HeldLock } from '../../js/host/locks.ts';
import { memoryLocks } from '../../js/host/memory/memory-locks.ts';
import { LockKeeper } from '../../js/worker/lock-keeper.ts';
import { turn } from './support.ts';

function keeperOf(locks = memoryLocks()) {
  const states: string[] = [];
  const keeper = new LockKeeper(locks, 'skerry/test/', (name, state) =>
    states.push(`${name} ${state}`),
  );
  const taken = () => locks.acquire('skerry/test/push', { ifAvailable: true });
  return { locks, keeper, states, taken };
}

test('a released lock is free, and so are all at the end', async () => {
  const { keeper, states, taken } = keeperOf();
  keeper.do('push', 'request');
  await turn();
  expect(await taken()).toBeNull();
  keeper.do('push', 'release');
  const other = await taken();
  expect(other).not.toBeNull();
  other?.release();
  keeper.do('push', 'request');
  await turn();
  keeper.releaseAll();
  expect(await taken()).not.toBeNull();
  expect(states).toEqual(['push granted', 'push granted']);
});

test('waits for a lock that others hold, and reports a stolen one as lost', async () => {
  const { locks, keeper, states } = keeperOf();
  const other = await locks.acquire('skerry/test/push');
  keeper.do('push', 'request');
  await turn();
  expect(states).toEqual(['push refused']);
  other?.release();
  await turn();
  expect(states).toEqual(['push refused', 'push granted']);
  await locks.acquire('skerry/test/push', { steal: true });
  await turn();
  expect(states).toEqual(['push refused', 'push granted', 'push lost']);
});

test('waiting for one ends with its release: it is not granted later', async () => {
  const { locks, keeper, states, taken } = keeperOf();
  const other = await locks.acquire('skerry/test/push');
  keeper.do('push', 'request');
  await turn();
  keeper.do('push', 'release');
  other?.release();
  await turn();
  expect(states).toEqual(['push refused']);
  expect(await taken()).not.toBeNull();
});

test.each(['request', 'steal'] as const)(
  'a lock that is granted after its release (%s) is returned, and not reported',
  async (action) => {
    const locks = memoryLocks();
    let grant: () => void = () => {};
    const decided = new Promise<void>((resolve) => {
      grant = resolve;
    });
    const slow = {
      ...locks,
      async acquire(name: string, options?: AcquireOptions): Promise<HeldLock | null> {
        await decided;
        return locks.acquire(name, options);
      },
    };
    const { keeper, states } = keeperOf(slow);
    keeper.do('push', action);
    keeper.do('push', 'release');
    grant();
    await turn();
    expect(await locks.acquire('skerry/test/push', { ifAvailable: true })).not.toBeNull();
    expect(states).toEqual([]);
  },
);
