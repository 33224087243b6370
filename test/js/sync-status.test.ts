/** The status of synchronisation: which of several failures it names, when it is another one, and its phase. */
import { expect, test } from 'vitest';
import { makeStatus, type StatusInput, sameStatus } from '../../js/api/sync-status.ts';
import type { StatusRecord, WindowState } from '../../js/core/core-types.ts';
import { NetworkError, QuotaError, UnsupportedError } from '../../js/core/errors.ts';

const window: WindowState = {
  type: 'state',
  phase: 'ready',
  n: 0,
  cursors: { public: '57@1760000000123' },
  pending: 0,
  unsaved: 0,
  held: 0,
  oldestPendingAt: null,
  conflicts: 0,
  clockOffset: 0,
  lastSyncedAt: null,
  scopes: [],
  invitations: null,
};
const idle: StatusRecord = {
  role: 'holder',
  lease: null,
  phase: 'idle',
  n: 0,
  pending: 0,
  conflicts: 0,
  lastSyncedAt: null,
  nextTryAt: null,
  progress: null,
  error: null,
  needsAuth: false,
  scopes: null,
  mode: 'lease',
  modeReason: '',
  online: true,
  connected: true,
  lastHeardAt: 1_760_000_000_000,
  clockOffsetMs: 0,
};
const status = (more: Partial<StatusInput> = {}) =>
  makeStatus({
    local: false,
    online: true,
    window,
    worker: null,
    error: null,
    storage: null,
    scopes: null,
    streams: null,
    image: null,
    restored: 0,
    mended: 0,
    ...more,
  });
const network = (message: string, retryable = true) =>
  status({ error: new NetworkError('network', message, { retryable }) });

test('failures with one code differ in status by their message and `retryable`', () => {
  expect(sameStatus(network('no route'), network('no route'))).toBe(true);
  expect(sameStatus(network('no route'), network('cut off'))).toBe(false);
  expect(sameStatus(network('no route'), network('no route', false))).toBe(false);
  expect(sameStatus(network('no route'), status())).toBe(false);
});

test('dates and objects that say the same are no change', () => {
  const at = (lastSyncedAt: number) => status({ window: { ...window, lastSyncedAt } });
  expect(sameStatus(at(1), at(1))).toBe(true);
  expect(sameStatus(at(1), at(2))).toBe(false);
  expect(status().revisions).toEqual({ public: 57 });
});

test('the state of the worker goes before what the window has read', () => {
  const worker = { ...idle, lastSyncedAt: 2, clockOffsetMs: 5, online: false };
  const earlier = { ...window, lastSyncedAt: 1, clockOffset: 3 };
  expect(status({ window: earlier, worker })).toMatchObject({
    ...{ lastSyncedAt: new Date(2), clockOffsetMs: 5, online: false },
  });
  expect(status({ window: earlier })).toMatchObject({
    ...{ lastSyncedAt: new Date(1), clockOffsetMs: 3, online: true },
  });
});

test('storage failures go before those of the worker, and failed images come last', () => {
  const storage = new QuotaError('quota', 'full', { retryable: true });
  const error = new UnsupportedError('worker', 'not to be had');
  const worker = {
    ...idle,
    error: { code: 'network', message: 'cut off', retryable: true },
  };
  const image = new UnsupportedError('image', 'not made');
  expect(status({ storage, error, worker, image }).error).toBe(storage);
  expect(status({ error, worker, image }).error).toBe(error);
  expect(status({ worker, image }).error?.message).toBe('cut off');
  expect(status({ image }).error).toBe(image);
  // What does not pass by itself blocks, even if what is named does.
  expect(status({ storage, error }).phase).toBe('blocked');
  expect(status({ storage }).phase).toBe('opening');
});

function phase(more: Partial<WindowState>, worker: Partial<StatusRecord>): string {
  return status({ window: { ...window, ...more }, worker: { ...idle, ...worker } }).phase;
}

test('a window without any rows yet is filling, whatever its worker has finished', () => {
  expect(phase({ n: 0 }, { phase: 'idle', n: 1 })).toBe('filling');
  expect(phase({ n: 1 }, { phase: 'idle', n: 1 })).toBe('idle');
  expect(phase({ n: 1 }, { phase: 'idle', n: 2 })).toBe('idle');
  expect(phase({ n: 0 }, { phase: 'idle', n: 0 })).toBe('idle');
  expect(phase({ phase: 'loading', n: 1 }, { phase: 'pulling', n: 1 })).toBe('filling');
  expect(phase({ n: 0 }, { phase: 'waiting', n: 1 })).toBe('waiting');
});

test.each<[string, Partial<StatusInput>, boolean, Date | null]>([
  ['of no worker yet', {}, false, null],
  ['of a worker that hears the server', { worker: idle }, true, new Date(1_760_000_000_000)],
  [
    'of a worker that has never heard it',
    { worker: { ...idle, connected: false, lastHeardAt: null } },
    false,
    null,
  ],
  [
    'of a worker of an older release',
    { worker: { ...idle, connected: undefined } as never },
    false,
    new Date(1_760_000_000_000),
  ],
  ['without a remote', { local: true, worker: idle }, false, null],
])('`connected` and `lastHeardAt` %s', (_name, input, connected, lastHeardAt) => {
  expect(status(input)).toMatchObject({ connected, lastHeardAt });
});
