/** What fails once must not end anything for good: worker, scopes, tokens, effects, images; on memory hosts. */
import { http } from 'skerry';
import { ManualTime, type MemoryHost, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import type { ImageEvent, ImageJob, TransactEffect } from '../../js/core/core-types.ts';
import { NetworkError } from '../../js/core/errors.ts';
import type { WindowEffect } from '../../js/core/window-effects.ts';
import { EffectRunner, type WindowRunner } from '../../js/host/effect-runner.ts';
import type { Storage, TransactRequest } from '../../js/host/storage.ts';
import { ImageJobs, type ImageParts } from '../../js/worker/image-jobs.ts';
import { connect, world } from './account-world.ts';
import { collectUncaught, turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const more = { defaultRealm: 'public' };

/** A host whose workers are `wrong` until they are to be right. */
function hostWith(host: MemoryHost, wrong: MemoryHost['workers']['start']) {
  const state = { wrong: true, starts: [] as number[] };
  const failing: MemoryHost = {
    ...host,
    workers: {
      start(url, handlers) {
        state.starts.push(host.clock.mono());
        return state.wrong ? wrong(url, handlers) : host.workers.start(url, handlers);
      },
    },
  };
  return { failing, state };
}

test('a request that is made while no worker runs is answered by the next', async () => {
  const { host } = world();
  const { failing, state } = hostWith(host, (_url, handlers) => {
    queueMicrotask(() => handlers.onFailed(new Error('not to be had')));
    return { post() {}, terminate() {} };
  });
  const db = await connect(failing, 'anna', more);
  await until(() => db.sync.status.error !== null);
  state.wrong = false;
  // Between the failure of one and the start of the next.
  await db.sync.now();
  expect(db.sync.status.lastSyncedAt).not.toBeNull();
});

test('a worker that is silent for a minute is ended, and another is started', async () => {
  const time = new ManualTime();
  const host = memory({ time });
  const terminate = vi.fn();
  const { failing, state } = hostWith(host, () => ({ post() {}, terminate }));
  const db = await connect(failing, 'anna', more);
  await until(() => state.starts.length === 1);
  const asked = db.sync.now().catch((error: Error) => error.message);
  await turn();
  time.advance(59_000);
  expect(terminate).not.toHaveBeenCalled();
  time.advance(1_000);
  expect(terminate).toHaveBeenCalledTimes(1);
  expect(await asked).toBe('The sync worker has not started within 60000 ms.');
  expect(db.sync.status.error?.code).toBe('worker');
  time.advance(5_000);
  expect(state.starts).toHaveLength(2);
  const closed = db.close();
  await turn();
  time.advance(60_000);
  await closed;
});

test('scopes that could not be stored are posted again', async () => {
  const { host } = world();
  const { reopen } = host.storage;
  let refusals = 0;
  vi.spyOn(host.storage, 'reopen').mockImplementation(async (...args) => {
    const storage = await reopen.apply(host.storage, args);
    const { transact } = storage;
    // The worker's own transactions, which changes of scopes are.
    const own = ({ stores, mode }: TransactRequest) =>
      mode === 'readwrite' && stores.join() === 'sync,mutations,conflicts,updates,actions,streams';
    storage.transact = (request, decide) => {
      if (!own(request) || refusals === 0) return transact.call(storage, request, decide);
      refusals--;
      return Promise.reject(new Error('not now'));
    };
    return storage;
  });
  const db = await connect(host, 'anna', more);
  await db.sync.now();
  refusals = 2;
  const scope = db.sync.scope(db.cities.where('country', '=', 'SE'));
  await scope.ready;
  const asked = () => {
    const pulls = host.network.requests.filter(({ url }) => url.pathname.endsWith('/pull'));
    const text = new TextDecoder().decode(pulls.at(-1)?.body ?? undefined);
    return (JSON.parse(text) as { scopes: unknown[] }).scopes.length;
  };
  const all = asked();
  refusals = 1;
  scope.unsubscribe();
  await until(() => refusals === 0);
  await until(() => asked() === all - 1);
});

test('a token that the application could not get is asked for again', async () => {
  const { host, server } = world();
  let offline = 2;
  const token = async () => {
    if (offline-- > 0) throw new TypeError('fetch failed');
    return 'dev:anna';
  };
  const db = await connect(host, 'anna', {
    ...more,
    remote: http('http://server.test/v1', { token }),
  });
  const made = db.mutate.addCity({ id: 'a', name: 'A' });
  await until(() => db.sync.status.error?.code === 'needs_auth');
  await made.confirmed;
  expect(server.pushed).toHaveLength(1);
  expect(db.sync.status).toMatchObject({ needsAuth: false, error: null });
});

test('an effect that throws takes neither the others nor the next transaction with it', async () => {
  await collectUncaught(async (uncaught) => {
    const done: unknown[] = [];
    const transact = (id: number): TransactEffect => ({
      type: 'transact',
      id,
      stores: ['sync'],
      mode: 'readonly',
      durability: 'relaxed',
      reads: [],
    });
    const storage = {
      transact: async (_: TransactRequest, decide: (results: unknown[]) => unknown) => {
        decide([]);
        return { committed: true, keys: [] };
      },
    } as unknown as Storage;
    const posted: unknown[] = [];
    const { clock, timers } = memory();
    const runner: WindowRunner = new EffectRunner({
      clock,
      timers: timers(),
      channel: { post: (message) => posted.push(message), close() {} },
      storage,
      call(event) {
        const answer = (effects: object[]) => effects as WindowEffect[];
        if (event.type === 'read') return answer([{ type: 'write', writes: [] }]);
        const { id } = event as { id: number };
        done.push(id);
        return answer([{ type: 'odd' }, { type: 'broadcast', message: id }]);
      },
    });
    runner.connect({
      special() {
        throw new Error('of a class that cannot be read');
      },
    });
    runner.execute([transact(1), transact(2)]);
    await runner.idle();
    expect(done).toEqual([1, 2]);
    expect(posted).toEqual([1, 2]);
    await vi.waitFor(() => expect(uncaught).toHaveLength(2));
    runner.stop();
  });
});

test('an image that is never done is aborted after a time limit', () => {
  const time = new ManualTime();
  const reported: ImageEvent[] = [];
  const host = {
    clock: time,
    timers: () => time.timers(),
    transport: { request: () => new Promise(() => {}) },
  };
  const jobs = new ImageJobs({
    host,
    database: 'skerry/test/anna',
    remote: { url: 'http://server.test/v1', credentials: 'omit' },
    report: (event: ImageEvent) => reported.push(event),
  } as unknown as ImageParts);
  const fetch = { url: 'image', bytes: 1, checksum: '', token: null, timeoutMs: 1 };
  const job = { kind: 'fill', generation: 'g', compacts: false, from: null, fetch };
  jobs.start(7, job as unknown as ImageJob);
  time.advance(899_000);
  expect(reported).toEqual([]);
  time.advance(1_000);
  expect(reported).toMatchObject([{ type: 'image', id: 7, error: { name: 'timeout' } }]);
  expect(time.pending()).toEqual([]);
});

test.each([
  'https://elsewhere.test/v1/snapshot/x',
  '//elsewhere.test/v1/snapshot/x',
  'http://server.test/other/snapshot',
  '/v1/../secret',
  'http://server.test:81/v1/snapshot/x',
  'data:text/plain,x',
  'http://[',
])('a token goes nowhere but to the remote: not to %s', async (url) => {
  const time = new ManualTime();
  const asked: unknown[] = [];
  const host = {
    clock: time,
    timers: () => time.timers(),
    transport: { request: (request: unknown) => asked.push(request) },
  };
  const fetch = { url, bytes: 1, checksum: '', token: 'secret', timeoutMs: 1 };
  const job = { kind: 'fill', generation: 'g', compacts: false, from: null, fetch };
  const reported = new Promise<ImageEvent>((report) => {
    const remote = { url: 'http://server.test/v1', credentials: 'omit' };
    const parts = { host, database: 'skerry/test/anna', remote, report };
    new ImageJobs(parts as unknown as ImageParts).start(1, job as unknown as ImageJob);
  });
  expect(await reported).toMatchObject({ type: 'image', error: { name: 'bad_answer' } });
  expect(asked).toEqual([]);
});

test('a failure that does not end the worker leaves it running', async () => {
  const { host } = world();
  const { failing, state } = hostWith(host, host.workers.start.bind(host.workers));
  const db = await connect(failing, 'anna', more);
  host.network.online = false;
  await expect(db.sync.now()).rejects.toBeInstanceOf(NetworkError);
  host.network.online = true;
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  expect(state.starts).toHaveLength(1);
});
