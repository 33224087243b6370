/** A `sync` event of the browser, which knows nothing of pauses, while windows are paused, slow, or of something else. */
import { afterEach, expect, test, vi } from 'vitest';
import { memoryLocks } from '../../js/host/memory/memory-locks.ts';
import { PauseLock } from '../../js/host/pause-lock.ts';
import type { Timers } from '../../js/host/timers.ts';
import { signal } from '../contract/check.ts';
import { database, ended, left, started } from './service-profile.ts';
import { turn } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

afterEach(ended);

/** Whether each window is paused, and when it answers, ms; null: never, as if it were slow, frozen or of something else. */
test.each([
  { windows: [], pushed: 1 },
  { windows: [{ paused: true, ms: 0 }], pushed: 0 },
  { windows: [{ paused: false, ms: 0 }], pushed: 1 },
  { windows: [{ paused: true, ms: null }], pushed: 0 },
  { windows: [{ paused: false, ms: null }], pushed: 1 },
  {
    windows: [
      { paused: true, ms: 0 },
      { paused: true, ms: null },
    ],
    pushed: 0,
  },
  {
    windows: [
      { paused: true, ms: 0 },
      { paused: false, ms: 50 },
    ],
    pushed: 1,
  },
  {
    windows: [
      { paused: true, ms: null },
      { paused: false, ms: 0 },
    ],
    pushed: 1,
  },
  {
    windows: [
      { paused: true, ms: 0 },
      { paused: false, ms: null },
    ],
    pushed: 0,
  },
] as const)(
  'a sync event is left to windows where one is paused and none pushes: %o',
  async (given) => {
    const { host, server } = await left();
    const timers = host.timers();
    const locks = memoryLocks();
    for (const { paused, ms } of given.windows) {
      new PauseLock(locks, database).set(paused);
      if (ms === null) continue;
      const window = host.channels.open(database, (message) => {
        const { type, id: to } = message as { type: string; id: string };
        if (type !== 'askPaused') return;
        timers.set(`${paused}`, ms, () => window.post({ type: 'pausedOrNot', paused, to }));
        // An answer to another question, from a former event.
        window.post({ type: 'pausedOrNot', paused: !paused, to: 'another' });
      });
    }
    // Its limits pass ten times as fast.
    const quick = (): Timers => {
      const own = host.timers();
      return { ...own, set: (name, ms, fire) => own.set(name, ms / 10, fire) };
    };
    const service = started(host, { timers: quick, locks });
    expect(await service.woken(database)).toEqual({ pending: 0 });
    expect(server.pushed).toHaveLength(given.pushed);
  },
);

test('a sync event pushes without asking where no window is paused', async () => {
  const { host, server } = await left();
  const asked: unknown[] = [];
  host.channels.open(database, (message) => {
    if ((message as { type: string }).type === 'askPaused') asked.push(message);
  });
  const locks = memoryLocks();
  const window = new PauseLock(locks, database);
  window.set(true);
  // It is resumed before it has the lock.
  window.set(false);
  await turn();
  expect(await started(host, { locks }).woken(database)).toEqual({ pending: 0 });
  expect(server.pushed).toHaveLength(1);
  expect(asked).toEqual([]);
});

test('a job that began before a pause does not push what is changed in it', async () => {
  const { host, server } = await left();
  const locks = memoryLocks();
  const service = started(host, { locks });
  const { promise: pulling, fire: begun } = signal();
  const { promise: answered, fire: answer } = signal();
  server.late = () => {
    server.late = () => null;
    begun();
    return answered;
  };
  const woken = service.woken(database);
  woken.catch(() => {});
  await pulling;
  const window = new PauseLock(locks, database);
  window.set(true);
  answer();
  await expect(woken).rejects.toMatchObject({ code: 'closed' });
  expect(server.pushed).toEqual([]);
  window.set(false);
  await turn();
  expect(await service.woken(database)).toEqual({ pending: 0 });
  expect(server.pushed).toHaveLength(1);
});
