/**
 * `skerry/redux`: a store of Redux Toolkit that is durable by adding the enhancer. Without a server; with one, two users and their
 * order: test/server/redux.test.ts.
 */

import { ActionCreators, instrument } from '@redux-devtools/instrument';
import { combineReducers, configureStore, createListenerMiddleware } from '@reduxjs/toolkit';
import { createStore, type StoreEnhancer } from 'redux';
import { ValidationError } from 'skerry';
import { type EnhancerOptions, skerryEnhancer } from 'skerry/redux';
import { memory } from 'skerry/testing';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import {
  added,
  device,
  incremented,
  loads,
  makeStore,
  opened,
  recordingReducer,
  reducer,
  todos,
  view,
} from './redux-store.ts';
import { until } from './support.ts';

describe('a store with the enhancer', () => {
  test('starts at once, and has after a restart what was dispatched', async () => {
    const host = memory();
    const { store, types } = makeStore(host);
    expectTypeOf(store.getState().counter).toEqualTypeOf<{ value: number }>();
    // Before the database is open.
    store.dispatch(incremented());
    expect(store.getState().counter.value).toBe(1);
    await store.skerry.ready;
    store.dispatch(added(4));
    store.dispatch(todos.actions.added({ id: 'a', text: 'sail', due: new Date(5) }));
    store.dispatch(view.actions.filtered('done'));
    expect(store.getState().counter.value).toBe(5);
    // Each action was reduced in its own dispatch, and nothing came from behind.
    await until(() => store.skerry.whole);
    expect(loads(types)).toBe(0);
    const db = await store.skerry.ready;
    await until(() => db.sync.status.pending === 0);
    await store.skerry.close();

    const again = makeStore(host);
    expect(again.store.getState().counter.value).toBe(0);
    again.store.dispatch(incremented());
    await until(() => again.store.getState().counter.value === 6);
    expect(again.store.getState().todos).toEqual([
      { id: 'a', text: 'sail', due: new Date(5), done: false },
    ]);
    expect(again.store.getState().view.filter).toBe('all');
    expect(loads(again.types)).toBe(1);
  });

  test('keeps its state where nothing changes it, and slices of its own untouched', async () => {
    const { store } = makeStore(memory());
    await store.skerry.ready;
    store.dispatch(incremented());
    const before = store.getState();
    store.dispatch({ type: 'counter/unknown' });
    expect(store.getState().counter).toBe(before.counter);
    expect(store.getState().view).toBe(before.view);
  });

  test('an action whose reducer throws is not stored, and dispatch throws', async () => {
    const host = memory();
    const { store } = makeStore(host);
    await store.skerry.ready;
    expect(() => store.dispatch(added(13))).toThrow('no thirteen');
    store.dispatch(added(2));
    expect(store.getState().counter.value).toBe(2);
    const db = await store.skerry.ready;
    await until(() => db.sync.status.pending === 0);
    expect(db.problems.value).toEqual([]);
  });

  test('an action that cannot be stored is not reduced, and dispatch throws', async () => {
    const { store } = makeStore(memory());
    await store.skerry.ready;
    const bad = { type: 'todos/added', payload: { id: 'x', text: () => {} } };
    expect(() => store.dispatch(bad)).toThrow(ValidationError);
    expect(store.getState().todos).toEqual([]);
    store.dispatch(incremented());
    expect(store.getState().counter.value).toBe(1);
  });

  test('two windows have the same, each action by its own dispatch', async () => {
    const host = memory();
    const one = makeStore(host);
    const two = makeStore(host);
    await Promise.all([one.store.skerry.ready, two.store.skerry.ready]);
    one.store.dispatch(added(1));
    await until(() => two.store.getState().counter.value === 1);
    two.store.dispatch(todos.actions.added({ id: 'b', text: 'row' }));
    await until(() => one.store.getState().todos.length === 1);
    expect(one.store.getState()).toEqual(two.store.getState());
    expect(two.types).toContain('counter/added');
    expect(loads(two.types)).toBe(0);
  });

  test('slices of this device are kept by themselves', async () => {
    const host = memory();
    const persist = { slices: ['device'], actions: ['device/*'] };
    const { store } = makeStore(host, { persist });
    store.dispatch(device.actions.hidden());
    store.dispatch(incremented());
    const db = await store.skerry.ready;
    await until(() => db.sync.status.pending === 0);
    const stream = db.stream('redux');
    await until(() => stream.whole);
    expect(stream.value).toHaveLength(1);
    await store.skerry.close();
    const again = makeStore(host, { persist });
    await until(() => !again.store.getState().device.sidebar);
    await until(() => again.store.getState().counter.value === 1);
  });

  test('a preloaded state stays until the stored one is there', async () => {
    const host = memory();
    const first = makeStore(host);
    await first.store.skerry.ready;
    first.store.dispatch(added(7));
    const db = await first.store.skerry.ready;
    await until(() => db.sync.status.pending === 0);
    await first.store.skerry.close();
    const preloaded = {
      ...{ counter: { value: 3 }, todos: [], view: view.getInitialState() },
      device: device.getInitialState(),
    };
    const { store } = makeStore(host, {}, preloaded);
    const values: number[] = [];
    store.subscribe(() => values.push(store.getState().counter.value));
    expect(store.getState().counter.value).toBe(3);
    await until(() => store.getState().counter.value === 7);
    expect(values).not.toContain(0);
  });

  test('listeners that dispatch on what others did keep the order', async () => {
    const host = memory();
    const listener = createListenerMiddleware();
    listener.startListening({
      actionCreator: todos.actions.added,
      effect: (_action, { dispatch }) => {
        dispatch(incremented());
      },
    });
    const { types, recording } = recordingReducer();
    const store = configureStore({
      reducer: recording,
      middleware: (all) => all({ serializableCheck: false }).prepend(listener.middleware),
      enhancers: (all) =>
        all().concat(
          skerryEnhancer({ name: 'store', host, slices: ['counter', 'todos'], sync: () => true }),
        ),
    });
    opened.push(store);
    await store.skerry.ready;
    store.dispatch(todos.actions.added({ id: 'a', text: 'x' }));
    expect(types.slice(-2)).toEqual(['todos/added', 'counter/incremented']);
    const other = makeStore(host);
    await until(() => other.store.getState().counter.value === 1);
    // A listener on this device is not called for what another one did.
    other.store.dispatch(todos.actions.added({ id: 'b', text: 'y' }));
    await until(() => store.getState().todos.length === 2);
    expect(types.filter((type) => type === 'counter/incremented')).toHaveLength(1);
  });

  test('time travel in the DevTools shows each action, and the way back', async () => {
    const store = configureStore({
      reducer,
      devTools: false,
      enhancers: (all) =>
        all().concat(
          skerryEnhancer({ name: 'travel', host: memory(), slices: ['counter'], sync: () => true }),
          instrument() as StoreEnhancer,
        ),
    });
    opened.push(store);
    const { liftedStore } = store as unknown as {
      liftedStore: { dispatch(action: object): void };
    };
    await store.skerry.ready;
    for (const n of [1, 10, 100]) store.dispatch(added(n));
    liftedStore.dispatch(ActionCreators.jumpToState(2));
    expect(store.getState().counter.value).toBe(11);
    liftedStore.dispatch(ActionCreators.toggleAction(2));
    liftedStore.dispatch(ActionCreators.jumpToState(3));
    expect(store.getState().counter.value).toBe(101);
    liftedStore.dispatch(ActionCreators.toggleAction(2));
    expect(store.getState().counter.value).toBe(111);
    store.dispatch(added(1000));
    expect(store.getState().counter.value).toBe(1111);
    const db = await store.skerry.ready;
    await until(() => db.sync.status.pending === 0);
    expect(store.getState().counter.value).toBe(1111);
  });

  test('replaceReducer goes on with the new one', async () => {
    const { store } = makeStore(memory());
    await store.skerry.ready;
    store.dispatch(added(2));
    const db = await store.skerry.ready;
    await until(() => db.sync.status.pending === 0 && store.skerry.whole);
    const root = combineReducers({
      ...reducer,
      counter: (state = { value: 0 }, { type }: { type: string }) =>
        type === 'counter/incremented' ? { value: state.value * 10 } : state,
    });
    store.replaceReducer(root as never);
    store.dispatch(incremented());
    expect(store.getState().counter.value).toBe(20);
    await until(() => db.sync.status.pending === 0);
    expect(store.getState().counter.value).toBe(20);
  });

  test('replaceReducer: what is pending is reduced again by the new one', async () => {
    const { store } = makeStore(memory());
    const db = await store.skerry.ready;
    await until(() => store.skerry.whole);
    store.dispatch(incremented());
    const times = (factor: number) =>
      combineReducers({
        ...reducer,
        counter: (state = { value: 0 }, { type }: { type: string }) =>
          type === 'counter/incremented' ? { value: state.value + factor } : state,
      });
    store.replaceReducer(times(10) as never);
    store.replaceReducer(times(100) as never);
    store.dispatch(incremented());
    await until(() => db.sync.status.pending === 0);
    expect(store.getState().counter.value).toBe(200);
  });

  test('a server that renders has an ordinary store', () => {
    const store = createStore(
      combineReducers(reducer),
      skerryEnhancer({ name: 'ssr', slices: ['counter'], sync: ['counter/*'] }),
    );
    store.dispatch(incremented());
    expect(store.getState().counter.value).toBe(1);
    expect(store.skerry.whole).toBe(false);
  });

  test('an action is undone by the one that `inverse` names', async () => {
    const inverse = vi.fn<NonNullable<EnhancerOptions['inverse']>>(({ type, payload }, before) => {
      expectTypeOf(before).toEqualTypeOf<Readonly<Record<string, unknown>>>();
      if (type !== added.type) return null;
      if (payload === 5) throw new Error('five stays');
      return added(-Number(payload));
    });
    const { store, types } = makeStore(memory(), { inverse });
    store.dispatch(added(1));
    const db = await store.skerry.ready;
    await until(() => store.skerry.whole);
    store.dispatch(added(2));
    store.dispatch(incremented());
    store.dispatch(view.actions.filtered('done'));
    store.dispatch(added(5));
    expect(inverse.mock.calls.map(([, before]) => before)[1]).toMatchObject({
      counter: { value: 1 },
    });
    expect(db.problems.value).toMatchObject([{ message: 'inverse: five stays' }]);
    expect(db.canUndo.action?.arg).toEqual(added(2));
    db.undo();
    expect(store.getState().counter.value).toBe(7);
    // The store is given it like any other action.
    expect(types.at(-1)).toBe(added.type);
    db.undo();
    expect([store.getState().counter.value, db.undo()]).toEqual([6, null]);
    db.redo();
    expect(store.getState().counter.value).toBe(7);
  });

  test('wrong options are refused, and a failure to open is reported', async () => {
    const make = (more: object) =>
      skerryEnhancer({ name: 'x', slices: ['a'], sync: ['a/*'], ...more } as EnhancerOptions);
    for (const wrong of [
      { slices: [] },
      { slices: 'a' },
      { sync: 7 },
      { persist: { slices: ['a'], actions: [] } },
      { persist: { slices: ['b'] } },
    ])
      expect(() => make(wrong)).toThrow(ValidationError);
    const onError = vi.fn();
    const { store } = makeStore(memory(), { name: 'no such/name', onError });
    await expect(store.skerry.ready).rejects.toThrow(ValidationError);
    expect(onError).toHaveBeenCalledOnce();
    store.dispatch(incremented());
    expect(store.getState().counter.value).toBe(1);
  });
});
