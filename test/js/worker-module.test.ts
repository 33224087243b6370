// The wasm of a window's Worker: the module that the window has compiled. A Worker that gets none, as from a page that may not hand it
// over, compiles it itself.
import type { MemoryHost } from 'skerry/testing';
import { afterEach, expect, test, vi } from 'vitest';
import type { WorkerStart } from '../../js/host/worker-link.ts';
import { connect, world } from './account-world.ts';
import { until } from './support.ts';

vi.setConfig({ testTimeout: 20_000 });

afterEach(() => vi.restoreAllMocks());

const more = { defaultRealm: 'public' };

/** The host, with something else in the configuration of its workers. */
function starting(host: MemoryHost, change: (config: WorkerStart) => Partial<WorkerStart>) {
  const start: MemoryHost['workers']['start'] = (url, handlers) => {
    const link = host.workers.start(url, handlers);
    return {
      ...link,
      post: (message) =>
        link.post(
          message.type === 'init'
            ? { ...message, config: { ...message.config, ...change(message.config) } }
            : message,
        ),
    };
  };
  return { ...host, workers: { start } };
}

test('is compiled once for a window and its worker', async () => {
  const { host } = world();
  const compile = vi.spyOn(WebAssembly, 'compile');
  const wasmUrl = new URL('../../dist/skerry.wasm?once', import.meta.url);
  const given: (WebAssembly.Module | null)[] = [];
  const watched = starting(host, ({ module }) => {
    given.push(module);
    return {};
  });
  const db = await connect(watched, 'anna', { ...more, wasmUrl });
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  expect(given).toEqual([expect.any(WebAssembly.Module)]);
  expect(compile).toHaveBeenCalledTimes(1);
});

test('is compiled by a worker that gets none, which shares no memory with its window', async () => {
  const { host } = world();
  const compile = vi.spyOn(WebAssembly, 'compile');
  const wasmUrl = new URL('../../dist/skerry.wasm?alone', import.meta.url);
  const db = await connect(
    starting(host, () => ({ module: null })),
    'anna',
    { ...more, wasmUrl },
  );
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  expect(compile).toHaveBeenCalledTimes(2);
});

test('that is not to be had for a while is reported, and tried again', async () => {
  const { host } = world();
  let tries = 0;
  const missing = 'http://127.0.0.1:1/skerry.wasm';
  const there = new URL('../../dist/skerry.wasm', import.meta.url).href;
  const config = () => ({ module: null, wasmUrl: ++tries > 2 ? there : missing });
  const db = await connect(starting(host, config), 'anna', more);
  const made = db.mutate.addCity({ id: 'a', name: 'A' });
  await until(() => db.sync.status.error !== null);
  expect(db.sync.status).toMatchObject({ error: { code: 'wasm', retryable: true } });
  expect(db.sync.status.phase).not.toBe('blocked');
  await made.confirmed;
  expect(db.sync.status.error).toBeNull();
  expect(tries).toBe(3);
});
