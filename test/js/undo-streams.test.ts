/**
 * `inverse` of a reduced stream: `db.undo()` appends the action that it names, and what it cannot name is said, and not undone. Method:
 * windows without a server. With one: test/server/undo-streams.test.ts.
 */
import { ValidationError } from 'skerry';
import { memory } from 'skerry/testing';
import { expect, expectTypeOf, test, vi } from 'vitest';
import { fresh, until } from './support.ts';

type Action =
  | { readonly type: 'added'; readonly by: number }
  | { readonly type: 'set'; readonly to: number };
const added = (by: number): Action => ({ type: 'added', by });
const set = (to: number): Action => ({ type: 'set', to });
const reducer = (sum: number, action: Action) =>
  action.type === 'set' ? action.to : sum + action.by;
const plain = { reducer, initialState: 0 };
const undoable = {
  ...plain,
  inverse: (action: Action, before: number): Action | null =>
    action.type === 'set' ? set(before) : action.by === 0 ? null : added(-action.by),
};

test('an action of a stream is undone by its inverse, and redone by itself', async () => {
  const db = await fresh(memory());
  const total = db.stream<number, Action>('total', undoable);
  const first = total.dispatch(added(2));
  total.dispatch(set(10));
  expect(db.canUndo.action).toMatchObject({ name: 'set', arg: set(10) });
  expect(db.undo()).toMatchObject({ kept: [] });
  expect(total.value).toBe(2);
  expect(db.canUndo.action).toMatchObject({ id: first.id, name: 'added', arg: added(2) });
  db.undo();
  expect([total.value, db.canUndo.value, db.canRedo.action?.name]).toEqual([0, false, 'added']);
  db.redo();
  await db.redo()?.confirmed;
  expect(total.value).toBe(10);
  const entries = db.stream<Action>('total');
  await until(() => entries.value.length === 6);
  expect(entries.entries.map(({ name }) => name)).toEqual([
    ...['added', 'set', 'set', 'added', 'added', 'set'],
  ]);
  expect(entries.value).toEqual([added(2), set(10), set(2), added(-2), added(2), set(10)]);
});

test('an inverse is given what the window showed, with pending actions', async () => {
  const db = await fresh(memory());
  const inverse = vi.fn(undoable.inverse);
  const total = db.stream<number, Action>('total', { ...plain, inverse });
  total.dispatch(added(3));
  const action = set(7);
  total.dispatch(action);
  expect(inverse.mock.calls).toEqual([
    [added(3), 0],
    [action, 3],
  ]);
  // The state is what it is asked about, whatever comes meanwhile.
  total.dispatch(added(0));
  db.undo();
  expect(total.value).toBe(3);
});

test('what has no inverse is passed over', async () => {
  const db = await fresh(memory());
  const without = db.stream<number, Action>('without', plain);
  const total = db.stream<number, Action>('total', undoable);
  total.dispatch(added(1));
  without.dispatch(added(1));
  total.dispatch(added(0));
  expect(db.canUndo.action?.arg).toEqual(added(1));
  db.undo();
  expect([total.value, without.value, db.undo()]).toEqual([0, 1, null]);
  expect(db.problems.value).toEqual([]);
});

test('an inverse that cannot be had is a problem, and the action is dispatched', async () => {
  const db = await fresh(memory());
  let answer: () => unknown = () => null;
  const total = db.stream<number, Action>('total', {
    ...plain,
    inverse: () => answer() as Action,
  });
  total.dispatch(added(1));
  const heard = vi.fn();
  db.problems.subscribe(heard);
  const cases: readonly [() => unknown, RegExp][] = [
    [() => db.stream<number, Action>('total', plain).dispatch(added(5)), /may not dispatch/],
    [
      () => {
        throw new Error('no way back');
      },
      /no way back/,
    ],
    [() => ({ type: 'f', f: () => 1 }), /function/],
    [() => Promise.resolve(added(1)), /Promise/],
    [() => ({ type: 'long', text: 'x'.repeat(2 ** 20) }), /1 MiB/],
    [() => ({ type: 'half', text: '\ud800' }), /text/],
  ];
  for (const [next, message] of cases) {
    answer = next;
    const before = db.problems.value.length;
    const made = total.dispatch(added(1));
    expect(db.problems.value.slice(before)).toMatchObject([
      { table: 'stream:total', id: made.id, message: expect.stringMatching(message) },
    ]);
    expect(db.problems.value.at(-1)?.message).toMatch(/^inverse: /);
  }
  expect([total.value, db.canUndo.value]).toEqual([7, false]);
  await until(() => heard.mock.calls.length > 1);
});

test('a stream that is opened again keeps its inverse, or gets another', async () => {
  const db = await fresh(memory());
  const total = db.stream<number, Action>('total', undoable);
  db.stream<number, Action>('total', plain);
  total.dispatch(added(1));
  expect(db.canUndo.value).toBe(true);
  db.stream<number, Action>('total', { ...plain, inverse: () => null });
  total.dispatch(added(2));
  expect(db.canUndo.action?.arg).toEqual(added(1));
});

test('an inverse is a function of an action and a state', async () => {
  const db = await fresh(memory());
  expect(() => db.stream('total', { ...plain, inverse: 'added' as never })).toThrow(
    new ValidationError('invalid_argument', 'The `inverse` of a stream must be a function.'),
  );
  db.stream<number, Action>('typed', {
    ...plain,
    inverse: (action, before) => {
      expectTypeOf(action).toEqualTypeOf<Action>();
      expectTypeOf(before).toEqualTypeOf<number>();
      return undefined;
    },
  });
  // @ts-expect-error: it is no action of the stream
  db.stream<number, Action>('wrong', { ...plain, inverse: () => ({ type: 'other' }) });
});
