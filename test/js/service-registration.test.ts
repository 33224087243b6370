/** How a window registers a service worker, posts to it, and asks the browser for `sync` events. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServiceState } from '../../js/host/service-link.ts';
import { registerService } from '../../js/host/service-registration.ts';

const url = new URL('http://app.test/skerry-sw.js');
const tag = 'skerry-sync:skerry/test/anna';

class FakeWorker extends EventTarget {
  readonly scriptURL: string;
  readonly heard: unknown[] = [];

  constructor(scriptURL = url.href) {
    super();
    this.scriptURL = scriptURL;
  }

  postMessage(message: unknown): void {
    this.heard.push(message);
  }
}

class FakeRegistration extends EventTarget {
  installing: FakeWorker | null = null;
  waiting: FakeWorker | null = null;
  active: FakeWorker | null = null;
  /** Of the `sync` events that were asked for. */
  readonly tags: string[] = [];
  readonly sync = { register: async (tag: string) => void this.tags.push(tag) };
  readonly periodicSync = { register: async () => {} };
}

let known: FakeRegistration[];
let registration: FakeRegistration;
const register = vi.fn();
let states: ServiceState[];

beforeEach(() => {
  vi.useFakeTimers();
  known = [];
  states = [];
  registration = new FakeRegistration();
  register.mockReset().mockImplementation(async () => registration);
  const serviceWorker = { getRegistrations: async () => known, register };
  const permissions = { query: async () => ({ state: 'denied' }) };
  vi.stubGlobal('navigator', { onLine: true, locks: {}, permissions, serviceWorker });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const connect = () => registerService(url, 'skerry/test/anna', 3, (state) => states.push(state));
const envelope = (message: object) => ({
  skerry: 1,
  database: 'skerry/test/anna',
  version: 3,
  message,
});

test('registers a script past the HTTP cache, first as a classic one, then a module', async () => {
  registration.active = new FakeWorker();
  await connect();
  expect(register.mock.calls).toEqual([[url, { updateViaCache: 'none' }]]);
  register.mockReset();
  register.mockRejectedValueOnce(new Error('import outside of a module'));
  register.mockResolvedValueOnce(registration);
  await connect();
  expect(register).toHaveBeenLastCalledWith(url, { updateViaCache: 'none', type: 'module' });
  expect(states).toEqual([
    { active: true, reason: 'the service worker pushes' },
    { active: true, reason: 'the service worker pushes' },
  ]);
});

test('leaves a registration of the application unchanged', async () => {
  registration.active = new FakeWorker();
  const other = new FakeRegistration();
  other.active = new FakeWorker('http://app.test/other.js');
  known = [other, registration];
  const link = await connect();
  expect(register).not.toHaveBeenCalled();
  link.wake({ type: 'wake', reason: 'due' });
  expect(registration.active.heard).toEqual([envelope({ type: 'wake', reason: 'due' })]);
});

test('the window pushes, and the status says why, where registration is impossible', async () => {
  register.mockRejectedValue(new Error('a policy'));
  const link = await connect();
  link.wake({ type: 'wake', reason: 'due' });
  link.changed();
  link.close();
  for (const missing of ['serviceWorker', 'locks']) {
    vi.stubGlobal('navigator', { ...navigator, [missing]: undefined });
    await connect();
    vi.stubGlobal('navigator', { ...navigator, serviceWorker: {}, locks: {} });
  }
  expect(states).toEqual([
    { active: false, reason: 'the service worker was refused: a policy' },
    { active: false, reason: 'this browser has no service workers here' },
    { active: false, reason: 'this browser has no Web Locks' },
  ]);
});

test('a pause is a lock that paused windows share until they are resumed or closed', async () => {
  const held: string[] = [];
  const request = async (
    name: string,
    { mode }: LockOptions,
    callback: (lock: object) => unknown,
  ) => {
    held.push(`${name}, ${mode}`);
    await callback({});
    held.pop();
  };
  vi.stubGlobal('navigator', { ...navigator, locks: { request } });
  const links = [await connect(), await connect()];
  for (const link of links) {
    link.pause(true);
    link.pause(true);
  }
  const lock = 'skerry/test/anna/paused, shared';
  expect(held).toEqual([lock, lock]);
  links[0]?.pause(false);
  await vi.waitFor(() => expect(held).toEqual([lock]));
  links[1]?.close();
  await vi.waitFor(() => expect(held).toEqual([]));
});

test('messages go to the active worker, not to the installing one', async () => {
  const first = new FakeWorker();
  registration.installing = first;
  const link = await connect();
  expect(states).toEqual([{ active: false, reason: 'the service worker is being installed' }]);
  link.wake({ type: 'wake', reason: 'visible' });
  Object.assign(registration, { installing: null, active: first });
  first.dispatchEvent(new Event('statechange'));
  expect(states[1]).toEqual({ active: true, reason: 'the service worker pushes' });
  // A newer version is found, and waits for the old one's windows to go.
  const second = new FakeWorker();
  registration.installing = second;
  registration.dispatchEvent(new Event('updatefound'));
  link.wake({ type: 'wake', reason: 'poke' });
  Object.assign(registration, { installing: null, waiting: second });
  second.dispatchEvent(new Event('statechange'));
  link.wake({ type: 'wake', reason: 'due' });
  expect(first.heard).toEqual(['poke', 'due'].map((reason) => envelope({ type: 'wake', reason })));
  expect(second.heard).toEqual([]);
  expect(states).toHaveLength(2);
});

test('notices a worker that is gone, and reports nothing after the end', async () => {
  registration.active = new FakeWorker();
  const link = await connect();
  registration.active = null;
  link.wake({ type: 'wake', reason: 'due' });
  expect(states[1]).toEqual({ active: false, reason: 'the service worker is gone' });
  link.close();
  registration.active = new FakeWorker();
  link.wake({ type: 'wake', reason: 'due' });
  expect(states).toHaveLength(2);
});

test('a change wakes the worker and requests a sync event, at most once a second', async () => {
  registration.active = new FakeWorker();
  const link = await connect();
  for (let i = 0; i < 5; i++) link.changed();
  const woken = envelope({ type: 'wake', reason: 'mutation', online: true });
  expect(registration.active.heard).toEqual(Array(5).fill(woken));
  expect(registration.tags).toEqual([tag]);
  vi.advanceTimersByTime(1000);
  expect(registration.tags).toEqual([tag, tag]);
  vi.advanceTimersByTime(10_000);
  expect(registration.tags).toHaveLength(2);
  // What is changed last is asked for also when the window is closed within the second.
  link.changed();
  link.changed();
  expect(registration.tags).toHaveLength(3);
  link.close();
  expect(registration.tags).toHaveLength(4);
  vi.advanceTimersByTime(10_000);
  expect(registration.tags).toHaveLength(4);
});
