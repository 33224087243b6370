/** A window's end of its worker, where one is ended and another started: what is the former's is not the latter's. */
import { http } from 'skerry';
import { memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { WorkerClient } from '../../js/api/worker-client.ts';
import type { WorkerHandlers, WorkerStart } from '../../js/host/worker-link.ts';
import { turn } from './support.ts';

type Token = (why: string) => Promise<string | null>;

/** It gives a token 30 ms, and asks again after 20 ms at least. */
const times = { token: 40, retry: 20, retryMax: 40 };

function clientWith(token: Token, user: string | null = null) {
  const workers: { handlers: WorkerHandlers; posted: unknown[] }[] = [];
  const onMessage = vi.fn();
  const onFailed = vi.fn();
  const onEnded = vi.fn();
  const start = (_url: URL | null, handlers: WorkerHandlers) => {
    const posted: unknown[] = [];
    workers.push({ handlers, posted });
    return { post: (message: unknown) => void posted.push(message), terminate() {} };
  };
  const client = new WorkerClient({
    host: { ...memory({ workerTimes: times }), workers: { start } },
    url: null,
    remote: http('/v1', { token }),
    user,
    config: () => ({}) as WorkerStart,
  });
  client.connect({ onMessage, onFailed, onEnded, onToken() {} });
  return { client, workers, onMessage, onFailed, onEnded };
}

const lease = (owner: string | null, epoch: number) => ({
  type: 'lease',
  name: 'push',
  owner,
  epoch,
});

test('does not release leases of an ended worker again: others may hold them by now', () => {
  const { client, workers } = clientWith(async () => null);
  client.start();
  workers[0]?.handlers.onMessage(lease('one', 3));
  expect([...client.leases]).toEqual([['push', { owner: 'one', epoch: 3 }]]);
  client.terminate();
  expect(client.leases.size).toBe(0);
  client.start();
  // What was on its way when it was ended.
  workers[0]?.handlers.onMessage(lease('one', 4));
  expect(client.leases.size).toBe(0);
  workers[1]?.handlers.onMessage(lease('two', 5));
  workers[1]?.handlers.onMessage(lease(null, 0));
  expect(client.leases.size).toBe(0);
});

test('messages and the failure of a worker that was ended are not the next one’s', () => {
  const { client, workers, onMessage, onFailed } = clientWith(async () => null);
  client.start();
  client.terminate();
  client.start();
  workers[0]?.handlers.onMessage({ type: 'status' });
  workers[0]?.handlers.onFailed(new Error('late'));
  expect(onMessage).not.toHaveBeenCalled();
  expect(onFailed).not.toHaveBeenCalled();
  expect(client.running).toBe(true);
  workers[1]?.handlers.onFailed(new Error('its own'));
  expect(onFailed).toHaveBeenCalledTimes(1);
  expect(client.running).toBe(false);
});

test('a worker that ends by itself runs no longer, and is not waited for', async () => {
  const { client, workers } = clientWith(async () => null);
  client.start();
  workers[0]?.handlers.onMessage({ type: 'stopped' });
  expect(client.running).toBe(false);
  await client.stop();
  client.start();
  const stopping = client.stop();
  workers[1]?.handlers.onFailed(new Error('in the middle of it'));
  await stopping;
  expect(workers[1]?.posted.at(-1)).toEqual({ type: 'stop' });
});

test('a token goes to the worker that has asked for it', async () => {
  const gives: ((token: string) => void)[] = [];
  const { client, workers } = clientWith(() => new Promise((resolve) => gives.push(resolve)));
  client.start();
  workers[0]?.handlers.onMessage({ type: 'needToken', why: 'start' });
  client.terminate();
  client.start();
  workers[1]?.handlers.onMessage({ type: 'needToken', why: 'start' });
  gives[0]?.('old');
  await turn();
  gives[1]?.('new');
  await turn();
  const tokens = (posted: unknown[] = []) =>
    posted.filter((message) => (message as { type: string }).type === 'token');
  expect(workers.map(({ posted }) => tokens(posted))).toEqual([
    [],
    [{ type: 'token', token: 'new' }],
  ]);
});

test('a worker that reports a failure runs on, unless the report says that it ended', () => {
  const { client, workers, onFailed, onEnded } = clientWith(async () => null);
  const failed = (ended: boolean) => ({
    type: 'failed',
    error: { code: 'storage_lost', message: 'gone', retryable: true },
    ended,
  });
  client.start();
  workers[0]?.handlers.onMessage(failed(false));
  expect(onFailed).toHaveBeenCalledTimes(1);
  expect(onEnded).not.toHaveBeenCalled();
  expect(client.running).toBe(true);
  workers[0]?.handlers.onMessage(failed(true));
  expect(onFailed).toHaveBeenCalledTimes(2);
  expect(onEnded).toHaveBeenCalledTimes(1);
  expect(client.running).toBe(false);
  client.start();
  expect(workers).toHaveLength(2);
});

const need = { type: 'needToken', why: 'start' };

test.each<[string, Token[]]>([
  ['that does not answer', [() => new Promise(() => {})]],
  ['that does not answer, twice', [() => new Promise(() => {}), () => new Promise(() => {})]],
  ['that throws', [() => Promise.reject(new Error('no network'))]],
  [
    'that does not answer, then throws',
    [() => new Promise(() => {}), () => Promise.reject(new Error('no network'))],
  ],
])('a token() %s is a failure, and is asked again after a pause', async (_name, failing) => {
  const calls: Token[] = [...failing, async () => 'fresh'];
  const { client, workers, onFailed } = clientWith(async (why) => calls.shift()?.(why) ?? null);
  client.start();
  const [worker] = workers;
  worker?.handlers.onMessage(need);
  await expect.poll(() => worker?.posted).toContainEqual({ type: 'token', token: 'fresh' });
  expect(onFailed.mock.calls.map(([{ code, retryable }]) => [code, retryable])).toEqual(
    failing.map(() => ['needs_auth', true]),
  );
  client.terminate();
});

test('a token() that says null is not asked again: the user has logged out', async () => {
  const token = vi.fn(async () => null);
  const { client, workers, onFailed } = clientWith(token);
  client.start();
  workers[0]?.handlers.onMessage(need);
  await expect.poll(() => workers[0]?.posted).toContainEqual({ type: 'token', token: null });
  for (let i = 0; i < 100; i++) await turn();
  expect(token).toHaveBeenCalledTimes(1);
  expect(onFailed).not.toHaveBeenCalled();
});

test('a token that comes late is used, and ends the pause', async () => {
  let give = (_token: string | null) => {};
  const token = vi.fn(() => new Promise<string | null>((resolve) => (give = resolve)));
  const { client, workers, onFailed } = clientWith(token);
  client.start();
  const [worker] = workers;
  worker?.handlers.onMessage(need);
  await vi.waitFor(() => expect(onFailed).toHaveBeenCalledTimes(1));
  give('late');
  await expect.poll(() => worker?.posted.at(-1)).toEqual({ type: 'token', token: 'late' });
  client.terminate();
});

test.each([
  [
    new Error('the login service answers 500'),
    'token("start") failed: the login service answers 500',
  ],
  ['offline', 'token("start") failed: offline'],
  [new Error(''), 'token("start") failed: without a reason'],
  [undefined, 'token("start") failed: undefined'],
])('says in words why a token could not be had: %s', async (thrown, message) => {
  const { client, workers, onFailed } = clientWith(() => Promise.reject(thrown));
  client.start();
  workers[0]?.handlers.onMessage(need);
  await vi.waitFor(() => expect(onFailed).toHaveBeenCalled());
  expect(onFailed.mock.calls[0]?.[0].message).toBe(message);
  client.terminate();
});
