/**
 * Windows of two releases, the newer of which has another version of the database (js/host/idb-schema.ts), on a memory
 * host. The storage itself keeps test/contract/upgrade.ts; test/browser/upgrade.test.ts has the same in a real browser.
 */
import { type MemoryHost, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { databaseSchema } from '../../js/host/idb-schema.ts';
import { MemoryStorageHost } from '../../js/host/memory/memory-storage.ts';
import { readWasm } from '../../js/host/memory/read-wasm.ts';
import { closeLimitMs } from '../../js/host/storage.ts';
import { type App, fresh } from './support.ts';

/** A window of the same profile, with the release to come. */
function newer(host: MemoryHost): MemoryHost {
  const schema = [...databaseSchema, [{ addStore: 'added', autoIncrement: false }]];
  const storage = new MemoryStorageHost({ schema }, host.storage);
  return { ...host.window(), storage, accounts: storage };
}

function endOf(db: App): { readonly said: string[]; readonly closed: Promise<string> } {
  const said: string[] = [];
  db.on('updateNeeded', ({ reason }) => said.push(reason));
  db.on('dataLost', () => said.push('data lost'));
  const closed = new Promise<string>((resolve) => {
    db.on('closed', ({ reason }) => resolve(reason));
  });
  return { said, closed };
}

test('a window stores what it was given, says that a newer version runs, and closes', async () => {
  const host = memory();
  const reasons: string[] = [];
  const db = await fresh(host, { onUpdateNeeded: ({ reason }) => reasons.push(reason) });
  const { said, closed } = endOf(db);
  await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
  host.storage.faults.hold = true;
  const made = db.mutate.addCity({ id: 'b', name: 'B' });
  const next = fresh(newer(host));
  // Notified at once, before its last change is stored.
  await expect.poll(() => said).toEqual(['newer-tab']);
  expect(db.sync.status).toMatchObject({
    phase: 'blocked',
    error: { name: 'UpdateNeededError', code: 'newer_tab' },
  });
  host.storage.release();
  await made.durable;
  expect(await closed).toBe('deleted-or-upgraded');
  expect([said, reasons]).toEqual([['newer-tab'], ['newer-tab']]);
  expect(() => db.mutate.addCity({ id: 'c', name: 'C' })).toThrow('The database is closed.');
  const cities = (await next).cities.orderBy('id').all();
  expect(cities.map(({ id }) => id)).toEqual(['a', 'b']);
});

test('a window stores what takes seconds before it makes way', async () => {
  const host = memory();
  const db = await fresh(host);
  const { said, closed } = endOf(db);
  host.storage.faults.hold = true;
  let isStored = false;
  const { durable } = db.mutate.addCity({ id: 'a', name: 'A' });
  durable.then(
    () => {
      isStored = true;
    },
    () => {},
  );
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const next = fresh(newer(host));
    await expect.poll(() => said).toEqual(['newer-tab']);
    vi.advanceTimersByTime(closeLimitMs - 1);
    host.storage.release();
    await expect.poll(() => isStored).toBe(true);
    expect(await closed).toBe('deleted-or-upgraded');
    expect((await next).cities.count()).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

test('a window that a newer release overtakes while it opens does not open', async () => {
  const host = memory();
  let release = () => {};
  const loaded = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = { ...host.window(), wasm: (url: URL) => loaded.then(() => readWasm(url)) };
  const reasons: string[] = [];
  const opening = fresh(slow, { onUpdateNeeded: ({ reason }) => reasons.push(reason) });
  const refused = expect(opening).rejects.toMatchObject({
    name: 'StorageError',
    code: 'storage_newer',
  });
  await expect.poll(() => host.storage.exists('skerry/test/local')).toBe(true);
  const next = fresh(newer(host));
  const stored = () => host.storage.find('skerry/test/local')?.version;
  await expect.poll(stored).toBe(databaseSchema.length + 1);
  release();
  await refused;
  expect(reasons).toEqual(['newer-tab']);
  await (await next).mutate.addCity({ id: 'a', name: 'A' }).durable;
});

test('an older release does not open a newer database, and says why', async () => {
  const host = memory();
  const db = await fresh(newer(host));
  await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
  const { said } = endOf(db);
  const reasons: string[] = [];
  const onUpdateNeeded = ({ reason }: { reason: string }) => reasons.push(reason);
  await expect(fresh(host, { onUpdateNeeded })).rejects.toMatchObject({
    name: 'StorageError',
    code: 'storage_newer',
    retryable: false,
  });
  expect(reasons).toEqual(['newer-tab']);
  // The newer one goes on.
  await db.mutate.addCity({ id: 'b', name: 'B' }).durable;
  expect(said).toEqual([]);
});

test('a frozen window learns that it is old when it comes back', async () => {
  const host = memory();
  const db = await fresh(host);
  const { said, closed } = endOf(db);
  await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
  host.page.send({ type: 'freeze' });
  const next = await fresh(newer(host));
  expect(next.cities.count()).toBe(1);
  expect(said).toEqual([]);
  host.page.send({ type: 'resume' });
  expect(await closed).toBe('deleted-or-upgraded');
  expect(said).toEqual(['newer-tab']);
});
