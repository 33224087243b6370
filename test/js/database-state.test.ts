/** The life of a database as one state: its transitions, and the promises that they settle. */
import { expect, test, vi } from 'vitest';
import { DatabaseState } from '../../js/api/database-state.ts';
import { StorageError } from '../../js/core/errors.ts';

const error = new StorageError('storage_lost', 'gone');

test('opening ends as open when local data is loaded', async () => {
  const state = new DatabaseState();
  expect(state.is).toBe('opening');
  state.ready();
  await state.opened;
  expect(state.is).toBe('open');
});

test('storage that is lost while it opens rejects the opening, and stays lost', async () => {
  const state = new DatabaseState();
  state.lose(error);
  await expect(state.opened).rejects.toBe(error);
  state.ready();
  expect(state.is).toBe('lost');
});

test('a lost connection that comes back leaves the database open', () => {
  const state = new DatabaseState();
  state.ready();
  state.lose(error);
  expect(state.is).toBe('lost');
  state.recover();
  expect(state.is).toBe('open');
});

test('the parts are closed once, even if a step of closing closes again', async () => {
  const state = new DatabaseState();
  state.ready();
  const again = vi.fn(async () => {});
  let inner: Promise<void> | null = null;
  const ended = state.close(async () => {
    expect(state.is).toBe('closing');
    inner = state.close(again);
  });
  expect(inner).toBe(ended);
  await ended;
  expect(state.close(again)).toBe(ended);
  expect(again).not.toHaveBeenCalled();
  expect(state.is).toBe('closed');
});

test('storage that is lost while the database closes changes nothing', async () => {
  const state = new DatabaseState();
  state.ready();
  const ended = state.close(async () => state.lose(error));
  expect(state.isOver).toBe(true);
  await ended;
  expect(state.is).toBe('closed');
});
