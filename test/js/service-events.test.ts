/** What a service worker does with its events: what it waits for, and what it leaves alone. What it would do is replaced. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { serve } from '../../js/worker/service/serve.ts';
import { ServiceHome } from '../../js/worker/service/service-home.ts';

/** The hosts that were given. */
const hosts = vi.hoisted((): { readonly images: boolean }[] => []);
vi.mock('../../js/worker/service/service-home.ts', async (original) => {
  const module = await original<typeof import('../../js/worker/service/service-home.ts')>();
  class Noted extends module.ServiceHome {
    constructor(...given: ConstructorParameters<typeof module.ServiceHome>) {
      super(...given);
      hosts.push(given[0]);
    }
  }
  return { ...module, ServiceHome: Noted };
});

const listeners = new Map<string, (event: object) => void>();
let stop = () => {};

beforeEach(() => {
  vi.stubGlobal('__SKERRY_WASM__', {});
  vi.stubGlobal('addEventListener', listeners.set.bind(listeners));
  vi.stubGlobal('removeEventListener', listeners.delete.bind(listeners));
  stop = serve(null, (name) => new URL(name, 'http://app.test/'));
});

afterEach(() => {
  stop();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** What the event waits for. */
function fire(type: string, event: object): Promise<unknown>[] {
  const work: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => work.push(promise);
  listeners.get(type)?.({ ...event, waitUntil });
  return work;
}

const message = { type: 'wake', reason: 'mutation', online: true };
const envelope = { skerry: 1, database: 'skerry/test/anna', version: 3, message };

test('a message keeps it awake until it rests, and a failure does not fail the event', async () => {
  const ends: [() => void, (error: Error) => void][] = [];
  const wake = vi
    .spyOn(ServiceHome.prototype, 'wake')
    .mockImplementation(() => new Promise((...both) => ends.push(both)));
  const works = [fire('message', { data: envelope }), fire('message', { data: envelope })];
  expect(wake).toHaveBeenCalledWith('skerry/test/anna', message, 3);
  for (const [work] of works)
    expect(await Promise.race([work, Promise.resolve('awake')])).toBe('awake');
  ends[0]?.[0]();
  ends[1]?.[1](new Error('by the test'));
  for (const work of works)
    expect(await Promise.allSettled(work)).toMatchObject([{ status: 'fulfilled' }]);
});

test('messages of another version, and of the application, are left alone', () => {
  const wake = vi.spyOn(ServiceHome.prototype, 'wake').mockResolvedValue();
  const others = [
    { ...envelope, skerry: 2 },
    { ...envelope, skerry: undefined },
    { ...envelope, database: 7 },
    { ...envelope, message: {} },
    'SKIP_WAITING',
    null,
  ];
  for (const data of others) expect(fire('message', { data })).toEqual([]);
  expect(wake).not.toHaveBeenCalled();
});

test.each(['sync', 'periodicsync'])(
  'a %s event that leaves something pending fails, so that the browser tries again',
  async (type) => {
    const woken = vi.spyOn(ServiceHome.prototype, 'woken').mockResolvedValue({ pending: 2 });
    const event = { tag: 'skerry-sync:skerry/test/anna' };
    await expect(Promise.all(fire(type, event))).rejects.toThrow('2 changes');
    expect(woken).toHaveBeenCalledWith('skerry/test/anna');
    woken.mockResolvedValue({ pending: 0 });
    expect(await Promise.allSettled(fire(type, event))).toMatchObject([{ status: 'fulfilled' }]);
    woken.mockRejectedValue(new Error('no wasm'));
    await expect(Promise.all(fire(type, event))).rejects.toThrow('no wasm');
    expect(fire(type, { tag: 'outbox of the application' })).toEqual([]);
  },
);

test('it is installed also where its wasm is not to be had now', async () => {
  const open = vi.fn().mockRejectedValue(new Error('no room'));
  vi.stubGlobal('caches', { open });
  const work = fire('install', {});
  expect(open).toHaveBeenCalled();
  expect(await Promise.allSettled(work)).toMatchObject([{ status: 'fulfilled' }]);
});

test('it says for its windows that they load images: a first visit needs no pages', () => {
  expect(hosts.at(-1)?.images).toBe(true);
});

test('it listens to nothing else, and to nothing once it is stopped', () => {
  expect([...listeners.keys()].sort()).toEqual(['install', 'message', 'periodicsync', 'sync']);
  stop();
  expect(listeners.size).toBe(0);
});
