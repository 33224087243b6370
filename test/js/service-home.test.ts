import { type MemoryHost, memory } from 'skerry/testing';
import { afterEach, expect, test, vi } from 'vitest';
import type { ToServiceMessage } from '../../js/core/messages.ts';
import { databaseSchema } from '../../js/host/idb-schema.ts';
import { MemoryStorageHost } from '../../js/host/memory/memory-storage.ts';
import type { TransportRequest } from '../../js/host/transport.ts';
import { signal } from '../contract/check.ts';
import { database, ended, failures, left, started, write } from './service-profile.ts';
import { app, turn } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

/** The release to come. */
const nextSchema = [...databaseSchema, [{ addStore: 'added', autoIncrement: false }]];

afterEach(ended);

/** The storage of a window of the release to come. */
function nextRelease(host: MemoryHost): MemoryStorageHost {
  return new MemoryStorageHost({ schema: nextSchema }, host.storage);
}

/** Its wasm is at an address that has not been loaded in this program, and comes when the test says so. */
async function slow(host: MemoryHost, name: string) {
  await put(host, 'service', (found) => ({ ...found, wasm: [`http://app.test/${name}.wasm`] }));
  const { promise: loaded, fire: load } = signal();
  const { promise: begun, fire: begin } = signal();
  const wasm = async (url: URL) => {
    begin();
    await loaded;
    return host.wasm(new URL(`file:///${url.hash.slice(1)}`));
  };
  return { wasm, begun, load };
}

/** Changes a record of the store `sync` past the package. */
async function put(host: MemoryHost, key: string, change: (found: object) => object) {
  const found = host.storage.dump(database, 'sync').find((record) => record.key === key);
  await write(host, { store: 'sync', put: change(found?.value as object), key });
}

test('it pushes by what the windows have written, with the token that they have kept', async () => {
  const { host, server } = await left();
  expect(await started(host).woken(database)).toEqual({ pending: 0 });
  expect(server.pushed).toHaveLength(1);
});

test('a sync event during a pull that fails reports what was written meanwhile', async () => {
  const { host, server } = await left();
  const [written] = host.storage.dump(database, 'mutations');
  const { key, value } = written as { key: number; value: unknown };
  await write(host, { store: 'mutations', delete: key });
  const service = started(host);
  const { promise: pulling, fire: begun } = signal();
  const { promise: cut, fire: fail } = signal();
  server.instead = async () => {
    begun();
    await cut;
    throw new TypeError('The network is gone.');
  };
  const pull = service.woken(database);
  await pulling;
  await write(host, { store: 'mutations', put: value, key });
  const event = service.woken(database);
  await turn();
  fail();
  expect(await event).toEqual({ pending: 1 });
  expect(await pull).toEqual({ pending: 1 });
  server.instead = null;
  expect(await service.woken(database)).toEqual({ pending: 0 });
  expect(server.pushed).toHaveLength(1);
});

test('without a window and a kept token it pushes nothing, and reports what is left', async () => {
  const { host, server } = await left(false);
  expect(host.storage.dump(database, 'sync').map(({ key }) => key)).not.toContain('token');
  expect(await started(host).woken(database)).toEqual({ pending: 1 });
  expect(server.pushed).toEqual([]);
});

test('a record of a newer version is left alone, and the windows are notified', async () => {
  const { host, server } = await left();
  await put(host, 'service', (found) => ({ ...found, v: 2 }));
  const posted: unknown[] = [];
  const failed = new Promise<void>((resolve) => {
    host.channels.open(database, (message) => {
      if ((message as { type: string }).type !== 'serviceFailed') return;
      posted.push(message);
      resolve();
    });
  });
  await expect(started(host).woken(database)).rejects.toMatchObject({ code: 'newer_tab' });
  await failed;
  expect(posted).toEqual([
    { type: 'serviceFailed', reason: 'A window runs a newer version of this application.' },
  ]);
  expect(server.pushed).toEqual([]);
});

test('opens a database of a newer release once, and notifies the windows each time', async () => {
  const { host } = await left();
  const next = await nextRelease(host).open(database, () => {});
  const opened = vi.spyOn(host.storage, 'reopen');
  const reasons = failures(host);
  const worker = started(host);
  await expect(worker.woken(database)).rejects.toMatchObject({ code: 'storage_newer' });
  await expect(worker.woken(database)).rejects.toMatchObject({ code: 'newer_tab' });
  expect(opened).toHaveBeenCalledTimes(1);
  await expect.poll(() => reasons).toHaveLength(2);
  next.close();
});

test('after an upgrade that failed it works again, once a minute has passed', async () => {
  const { host, server } = await left();
  let passed = 0;
  const clock = { ...host.clock, mono: () => host.clock.mono() + passed };
  const worker = started(host, { clock });
  const { promise: pushing, fire: begin } = signal();
  server.instead = () => {
    begin();
    return new Promise(() => {});
  };
  const cut = worker.woken(database);
  cut.catch(() => {});
  await pushing;
  const fail = () => {
    throw new Error('by the test');
  };
  const schema = [...databaseSchema, [{ rewrite: 'sync', change: fail }]];
  const next = new MemoryStorageHost({ schema }, host.storage).open(database, () => {});
  await expect(next).rejects.toMatchObject({ code: 'storage_failed' });
  await expect(cut).rejects.toMatchObject({ code: 'closed' });
  server.instead = null;
  await expect(worker.woken(database)).rejects.toMatchObject({ code: 'newer_tab' });
  passed = 60_000;
  expect(await worker.woken(database)).toEqual({ pending: 0 });
  expect(server.pushed).toHaveLength(1);
});

test('a log-out while it starts ends it before it has begun', async () => {
  const { host, server } = await left();
  const { wasm, begun, load } = await slow(host, 'log-out');
  const woken = started(host, { wasm }).woken(database);
  woken.catch(() => {});
  await begun;
  await put(host, 'service', (found) => ({ ...found, loggedOut: true }));
  load();
  await expect(woken).rejects.toMatchObject({ code: 'logged_out' });
  expect(server.pushed).toEqual([]);
});

test('a newer release that comes while it starts ends it before it has begun', async () => {
  const { host, server } = await left();
  const { wasm, begun, load } = await slow(host, 'newer');
  const failed = failures(host);
  const woken = started(host, { wasm }).woken(database);
  woken.catch(() => {});
  await begun;
  const next = nextRelease(host).open(database, () => {});
  load();
  await expect(woken).rejects.toMatchObject({ code: 'newer_tab' });
  await expect.poll(() => failed).toEqual(['A window runs a newer version of this application.']);
  (await next).close();
  expect(server.pushed).toEqual([]);
});

test('a sync event fails whose worker is ended, and the next one pushes', async () => {
  const { host, server } = await left();
  const { promise: pushing, fire: asked } = signal();
  server.instead = () => {
    asked();
    return new Promise(() => {});
  };
  const service = started(host);
  const failed = vi.fn();
  const woken = service.woken(database).catch(failed);
  await pushing;
  expect(failed).not.toHaveBeenCalled();
  await service.kill();
  await woken;
  expect(failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'closed' }));
  server.instead = null;
  expect(await service.woken(database)).toEqual({ pending: 0 });
  expect(server.pushed).toHaveLength(1);
});

test('a log-out aborts the push under way', async () => {
  const { host } = await left();
  const { promise: begun, fire: pushing } = signal();
  const cut = vi.fn();
  const request = (sent: TransportRequest) => {
    if (!sent.url.endsWith('/push')) return host.network.request(sent);
    sent.signal?.addEventListener('abort', cut);
    pushing();
    return new Promise<never>(() => {});
  };
  const woken = started(host, { transport: { request } }).woken(database);
  woken.catch(() => {});
  await begun;
  host.channels.open(database, () => {}).post({ type: 'logout' });
  await expect(woken).rejects.toMatchObject({ code: 'closed' });
  expect(cut).toHaveBeenCalledTimes(1);
});

test.each([
  { by: 'an older script of the application', own: 0, used: 1 },
  { by: 'a script of the same version', own: 1, used: 1 },
  { by: 'a newer script', own: 2, used: 2 },
])('the newer schema of the two goes: $by', async ({ own, used }) => {
  const { host, server } = await left();
  const schemas: unknown[] = [];
  server.instead = ({ body }) => {
    schemas.push(JSON.parse(new TextDecoder().decode(body ?? new Uint8Array())).schema);
    return null;
  };
  const schema = { ...(app.toJSON() as object), version: own };
  const remote = { url: 'http://server.test/v1', credentials: 'omit', token: null } as const;
  expect(await started(host, {}, { name: 'test', schema, remote }).woken(database)).toEqual({
    pending: 0,
  });
  expect(new Set(schemas)).toEqual(new Set([used]));
});

test('of a database that was deleted none is made', async () => {
  const host = memory();
  const service = started(host);
  const wake = { type: 'wake', reason: 'visible', online: true } as const;
  await expect(service.wake(database, wake)).rejects.toMatchObject({ code: 'logged_out' });
  expect(await service.woken(database)).toEqual({ pending: 0 });
  expect(await host.storage.exists(database)).toBe(false);
});

test('a worker whose core trapped blocks no caller, and starts again', async () => {
  const { host, server } = await left();
  await put(host, 'service', (found) => ({
    ...found,
    wasm: ['http://app.test/trap-1.wasm', 'http://app.test/trap-2.wasm'],
  }));
  const wasm = (url: URL) => host.wasm(new URL(`file:///${url.hash.slice(1)}`));
  const memories: WebAssembly.Memory[] = [];
  const { instantiate } = WebAssembly;
  const spy = vi.spyOn(WebAssembly, 'instantiate').mockImplementation((async (
    ...args: [WebAssembly.Module]
  ) => {
    const made = await instantiate(...args);
    for (const each of Object.values(made.exports))
      if (each instanceof WebAssembly.Memory) memories.push(each);
    return made;
  }) as never);
  const service = started(host, { wasm });
  server.instead = () => {
    for (const { buffer } of memories.splice(0)) new Uint8Array(buffer).fill(0xff);
    return null;
  };
  await expect(service.woken(database)).rejects.toMatchObject({ code: 'closed' });
  spy.mockRestore();
  server.instead = null;
  expect(await service.woken(database)).toEqual({ pending: 0 });
  // The first was pushed before the trap, and is known to the server.
  expect(server.pushed).toHaveLength(1);
});

test('a newer schema of a window restarts it, an older one does not', async () => {
  const { host } = await left();
  const open = vi.spyOn(host.storage, 'open');
  const service = started(host);
  const wake = { type: 'wake', reason: 'visible', online: true } as const;
  for (const version of [1, 0]) await service.wake(database, wake, version);
  expect(open).toHaveBeenCalledTimes(1);
  await service.wake(database, wake, 2);
  expect(open).toHaveBeenCalledTimes(2);
});

test('reports of a replaced worker do not affect its successor', async () => {
  const { host } = await left();
  const reopen = vi.spyOn(host.storage, 'reopen');
  const service = started(host);
  const wake: ToServiceMessage = { type: 'wake', reason: 'visible', online: true };
  for (const version of [1, 2]) await service.wake(database, wake, version);
  const [, onLost] = reopen.mock.calls[0] as Parameters<typeof host.storage.reopen>;
  onLost('connection-lost', null);
  await service.wake(database, wake);
  expect(reopen).toHaveBeenCalledTimes(2);
});

test('messages reach the successor of a worker that is replaced while it starts', async () => {
  const { host } = await left();
  const { wasm, begun, load } = await slow(host, 'replaced');
  const reopen = vi.spyOn(host.storage, 'reopen');
  const answered: unknown[] = [];
  host.channels.open(database, (message) => {
    const { type, id } = message as { type: string; id?: { id: number } };
    if (type === 'synced') answered.push(id?.id);
  });
  const service = started(host, { wasm });
  const sync = { type: 'sync', online: true } as const;
  const wakes = [1, 2, 2].map((version, at) =>
    service.wake(database, { ...sync, id: { tab: 'a window', id: at } }, version),
  );
  await begun;
  const schema = { ...(app.toJSON() as object), version: 2 };
  await put(host, 'service', (found) => ({ ...found, schema }));
  load();
  await Promise.all(wakes);
  await expect.poll(() => answered.sort()).toEqual([0, 1, 2]);
  expect(reopen).toHaveBeenCalledTimes(2);
});

test('a worker that is ended while it starts blocks no caller', async () => {
  const { host } = await left();
  const { wasm, begun, load } = await slow(host, 'ended');
  const service = started(host, { wasm });
  const woken = service.woken(database);
  woken.catch(() => {});
  await begun;
  const killed = service.kill();
  load();
  await killed;
  await expect(woken).rejects.toMatchObject({ code: 'closed' });
});
