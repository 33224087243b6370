/** Several windows of one profile, faults of storage, and the ends of a database; without a server. */
import { deleteDatabase } from 'skerry';
import { memory } from 'skerry/testing';
import { describe, expect, test, vi } from 'vitest';
import { fresh, until } from './support.ts';

// A machine under load takes its time; what never comes is what a test must notice.
vi.setConfig({ testTimeout: 30_000 });

describe('two windows', () => {
  test('show each other’s writes, and agree', async () => {
    const host = memory();
    const [one, two] = [await fresh(host), await fresh(host.window())];
    const heard = vi.fn();
    two.cities.subscribe(heard);
    await one.mutate.addCity({ id: 'a', name: 'A' }).durable;
    await until(() => two.cities.get('a') !== undefined);
    expect(heard).toHaveBeenCalledTimes(2);
    const writes = [];
    for (let i = 0; i < 20; i++) {
      writes.push(
        one.mutate.grow({ id: 'a', by: 1 }).durable,
        two.mutate.grow({ id: 'a', by: 100 }).durable,
      );
    }
    await Promise.all(writes);
    await until(() => [one, two].every((db) => db.cities.get('a')?.population === 2020));
    expect(one.cities.get('a')).toEqual(two.cities.get('a'));
    const third = await fresh(host.window());
    expect(third.cities.get('a')).toEqual(one.cities.get('a'));
  });

  test('show a change that is too large to be broadcast', async () => {
    const host = memory();
    const [one, two] = [await fresh(host), await fresh(host.window())];
    const name = 'x'.repeat(200);
    const rows = Array.from({ length: 5000 }, (_, i) => ({
      id: `c${i}`,
      name: `${name}${i}`,
      country: 'SE',
    }));
    await one.transact((tx) => tx.cities.createMany(rows)).durable;
    await one.mutate.grow({ id: 'c4999', by: 3 }).durable;
    await until(() => two.cities.get('c4999')?.population === 3);
    expect(two.cities.count()).toBe(5000);
    expect(two.cities.get('c4999')).toEqual(one.cities.get('c4999'));
  });

  test('see a change that was not announced when they become visible', async () => {
    const host = memory();
    const mute = { ...host.window(), channels: { open: () => ({ post() {}, close() {} }) } };
    const [one, two] = [await fresh(host), await fresh(mute)];
    // As if it had ended between storing and telling.
    await two.mutate.addCity({ id: 'a', name: 'A' }).durable;
    expect(one.cities.get('a')).toBeUndefined();
    host.page.send({ type: 'visibility', visible: false });
    host.page.send({ type: 'visibility', visible: true });
    await until(() => one.cities.get('a') !== undefined);
  });

  test('of different users or names share nothing', async () => {
    const host = memory();
    const one = await fresh(host, { user: 'ada' });
    await one.mutate.addCity({ id: 'a', name: 'A' }).durable;
    for (const other of [{ user: 'bob' }, {}, { user: 'local' }, { user: 'ada', name: 'other' }]) {
      expect((await fresh(host.window(), other)).cities.count()).toBe(0);
    }
    expect((await fresh(host.window(), { user: 'ada' })).cities.count()).toBe(1);
  });

  test('are closed when the database is deleted, and it is empty afterwards', async () => {
    const host = memory();
    const db = await fresh(host);
    await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
    const reasons: string[] = [];
    db.on('closed', ({ reason }) => reasons.push(reason));
    await deleteDatabase('test', { host });
    await until(() => reasons.length > 0);
    expect(reasons).toEqual(['deleted-or-upgraded']);
    expect((await fresh(host.window())).cities.count()).toBe(0);
  });
});

describe('storage that fails', () => {
  test('for a while loses nothing: the status says so, and the write lands later', async () => {
    const host = memory();
    const db = await fresh(host);
    const failures: string[] = [];
    db.on('storageFailed', ({ error }) => failures.push(error.name));
    host.storage.faults.fail = true;
    const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
    await until(() => failures.length > 0);
    expect(db.sync.status.error).toMatchObject({ name: 'StorageError', retryable: true });
    expect(db.cities.get('a')).toBeDefined();
    host.storage.faults.fail = false;
    await mutation.durable;
    expect(db.sync.status.error).toBeNull();
    expect(host.storage.dump('skerry/test/local', 'updates')).toHaveLength(1);
  });

  test('for lack of space withdraws the change, with a QuotaError, awaited or not', async () => {
    const host = memory();
    const db = await fresh(host);
    await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
    host.storage.faults.quota = true;
    const mutation = db.mutate.rename({ id: 'a', name: 'B' });
    expect(db.cities.get('a')?.name).toBe('B');
    await expect(mutation.durable).rejects.toMatchObject({ name: 'QuotaError', code: 'quota' });
    expect(db.cities.get('a')?.name).toBe('A');
    host.storage.faults.quota = false;
    await db.mutate.rename({ id: 'a', name: 'C' }).durable;
    expect(db.cities.get('a')?.name).toBe('C');
  });

  test('mutations of one tick share a transaction', async () => {
    const host = memory();
    const db = await fresh(host);
    const writes = Array.from(
      { length: 50 },
      (_, i) => db.mutate.addCity({ id: `c${i}`, name: 'x' }).durable,
    );
    await Promise.all(writes);
    expect(host.storage.dump('skerry/test/local', 'updates').length).toBeLessThan(3);
    expect(db.cities.count()).toBe(50);
  });
});

describe('a page that is frozen', () => {
  test('keeps changes written meanwhile, and continues when it is restored', async () => {
    const host = memory();
    const db = await fresh(host);
    const other = await fresh(host.window());
    host.storage.faults.hold = true;
    const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
    host.page.send({ type: 'freeze' });
    host.storage.release();
    await other.mutate.addCity({ id: 'b', name: 'B' }).durable;
    host.page.send({ type: 'resume' });
    await mutation.durable;
    await until(() => [db, other].every(({ cities }) => cities.count() === 2));
    expect((await fresh(host.window())).cities.orderBy('id').ids()).toEqual(['a', 'b']);
  });
});
