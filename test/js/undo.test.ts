/**
 * `db.undo()` and `db.redo()` as an application sees them: what can be undone is live, and says what it is; what is not to be undone is
 * passed over; what fails is thrown, and not offered again. Method: windows without a server, and with one in memory.
 */
import { expect, test, vi } from 'vitest';
import { until } from './support.ts';
import { connect, world } from './sync-world.ts';

vi.setConfig({ testTimeout: 30_000 });

async function opened() {
  const { host, server } = world();
  const db = await connect(host);
  return { host, server, db };
}

test('undoes and redoes, and says what comes next', async () => {
  const { db } = await opened();
  expect([db.undo(), db.redo(), db.canUndo.value, db.canUndo.action]).toEqual([
    ...[null, null, false, null],
  ]);
  const seen: (string | null)[] = [];
  const stop = db.canUndo.subscribe((can) => {
    expect(can).toBe(db.canUndo.action !== null);
    seen.push(db.canUndo.action?.name ?? null);
  });
  await Promise.resolve();
  const made = db.mutate.addCity({ id: 'a', name: 'A' });
  expect(db.canUndo.action).toMatchObject({
    ...{ id: made.id, name: 'addCity', arg: { id: 'a', name: 'A' } },
  });
  expect(db.canUndo.action?.at).toBeInstanceOf(Date);
  db.transact((tx) => tx.cities.update('a', { name: 'B' }));
  expect(db.canUndo.action?.name).toBe('skerry/transact');
  const undone = db.undo();
  expect(undone?.kept).toEqual([]);
  expect(db.cities.get('a')?.name).toBe('A');
  expect([db.canUndo.value, db.canRedo.value, db.canRedo.action?.name]).toEqual([
    ...[true, true, 'skerry/transact'],
  ]);
  db.undo();
  expect(db.cities.get('a')).toBeUndefined();
  db.redo();
  db.redo();
  expect(db.cities.get('a')?.name).toBe('B');
  expect(db.canRedo.value).toBe(false);
  expect(seen).toEqual([
    ...[null, 'addCity', 'skerry/transact', 'addCity', null, 'addCity', 'skerry/transact'],
  ]);
  stop();
  db.undo();
  expect(seen).toHaveLength(7);
  await db.sync.waitForSync();
});

test('passes over what is not to be undone', async () => {
  const { db } = await opened();
  db.mutate.addCity({ id: 'a', name: 'A' });
  db.mutate.addCity({ id: 'b', name: 'B' }, { undoable: false });
  db.transact((tx) => tx.cities.update('a', { name: 'C' }), { undoable: false });
  await db.stream<string>('chat').append('said').durable;
  expect(db.canUndo.action?.arg).toEqual({ id: 'a', name: 'A' });
  db.undo();
  expect(db.cities.ids()).toEqual(['b']);
  expect(db.undo()).toBeNull();
  // An undo cannot be made within a mutator.
  expect(() => db.transact(() => db.redo())).toThrow(/another mutation/);
  expect(db.redo()).not.toBeNull();
});

test('what the server has refused is not offered any more', async () => {
  const { db, server } = await opened();
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  server.refuse = ({ set }) => (set?.['name'] === 'bad' ? 'not_nice' : null);
  await expect(
    db.transact((tx) => tx.cities.update('a', { name: 'bad' })).confirmed,
  ).rejects.toMatchObject({ code: 'not_nice' });
  await until(() => db.canUndo.action?.name === 'addCity');
  expect(db.cities.get('a')?.name).toBe('A');
});

test('each window has its own', async () => {
  const { db, host } = await opened();
  const other = await connect(host);
  await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
  await until(() => other.cities.get('a') !== undefined);
  expect([other.canUndo.value, other.undo()]).toEqual([false, null]);
  db.undo();
  await until(() => other.cities.get('a') === undefined);
});
