/** `skerry/redux`, where something goes wrong: what others throw, what is closed, made again, or not there yet. */
import { combineReducers, configureStore } from '@reduxjs/toolkit';
import { http, open, schema, t, table, UnsupportedError, ValidationError } from 'skerry';
import { type EnhancerOptions, skerryEnhancer } from 'skerry/redux';
import { type MemoryHost, memory } from 'skerry/testing';
import { describe, expect, test, vi } from 'vitest';
import {
  added,
  device,
  incremented,
  loads,
  makeStore,
  opened,
  reducer,
  todos,
  view,
} from './redux-store.ts';
import { collectUncaught, until } from './support.ts';

/** A store of other reducers, whose synced slice is `counter` unless the options say otherwise. */
function storeOf<S extends object>(
  reducers: S,
  more: Partial<EnhancerOptions> = {},
  preloadedState?: object,
) {
  const store = configureStore({
    reducer: reducers as never,
    ...(preloadedState && { preloadedState: preloadedState as never }),
    middleware: (all) => all({ serializableCheck: false, immutableCheck: false }),
    enhancers: (all) =>
      all().concat(
        skerryEnhancer({ name: 'store', slices: ['counter'], sync: ['counter/*'], ...more }),
      ),
  });
  opened.push(store);
  return store as typeof store & { getState(): { [name: string]: { value: number } } };
}
const value = (store: { getState(): object }) =>
  (store.getState() as { counter: { value: number } }).counter.value;
const whole = (store: { skerry: { whole: boolean } }) => until(() => store.skerry.whole);

describe('what reducers and subscribers throw', () => {
  test('a reducer of another slice refuses an action, which is not stored then', async () => {
    const host = memory();
    /** Takes no more numbers when it is full. */
    const log = (full = false, { type }: { type: string }) => {
      if (type === 'counter/added' && full) throw new Error('the log is full');
      return type === 'fill' ? true : type === 'drain' ? false : full;
    };
    const store = storeOf({ counter: reducer.counter, log }, { host });
    await store.skerry.ready;
    store.dispatch({ type: 'fill' });
    expect(() => store.dispatch(added(5))).toThrow('the log is full');
    expect(value(store)).toBe(0);
    store.dispatch({ type: 'drain' });
    store.dispatch(added(1));
    const other = storeOf({ counter: reducer.counter }, { host });
    await whole(other);
    expect([value(store), value(other)]).toEqual([1, 1]);
  });

  test('a reducer that throws on what another window did does not hold its slices back', async () => {
    const host = memory();
    const log = (full = false, { type }: { type: string }) => {
      if (type === 'counter/added' && full) throw new Error('the log is full');
      return type === 'fill' ? true : full;
    };
    const store = storeOf({ counter: reducer.counter, log }, { host });
    const other = storeOf({ counter: reducer.counter }, { host });
    await Promise.all([whole(store), whole(other)]);
    store.dispatch({ type: 'fill' });
    await collectUncaught(async (uncaught) => {
      other.dispatch(added(5));
      await until(() => value(store) === 5);
      expect(uncaught.map(String)).toEqual(['Error: the log is full']);
    });
    store.dispatch(incremented());
    expect(value(store)).toBe(6);
  });

  test('a subscriber’s error reaches the caller of dispatch; the action is applied', async () => {
    const { store } = makeStore(memory());
    await store.skerry.ready;
    const stop = store.subscribe(() => {
      throw new Error('mine');
    });
    expect(() => store.dispatch(added(1))).toThrow('mine');
    stop();
    expect(store.dispatch(added(2))).toEqual(added(2));
    expect(store.getState().counter.value).toBe(3);
  });

  test('reducers do not dispatch', async () => {
    let dispatch: (action: { type: string }) => unknown = () => null;
    const bad = (state = 0, { type }: { type: string }) => {
      if (type === 'counter/incremented') dispatch({ type: 'view/x' });
      return state;
    };
    const store = storeOf({ counter: reducer.counter, bad }, { host: memory() });
    ({ dispatch } = store);
    expect(() => store.dispatch(incremented())).toThrow('may not dispatch');
    expect(value(store)).toBe(0);
  });
});

describe('values that look alike', () => {
  class Color {
    static readonly Red = new Color('red');
    static readonly Blue = new Color('blue');
    readonly #name: string;
    constructor(name: string) {
      this.#name = name;
    }
    get name() {
      return this.#name;
    }
  }
  const app = schema(
    { walls: table({ color: t.enum('Color', { Red: Color.Red, Blue: Color.Blue }) }) },
    { version: 1 },
  );
  interface Paint {
    readonly type: string;
    readonly payload?: unknown;
  }
  const wall = (state: unknown = Color.Red, { type, payload }: Paint) =>
    type === 'wall/painted' ? payload : state;

  test('are told apart: an enum’s members, and a date and its text', async () => {
    const host = memory();
    const db = await open({ name: 'walls', schema: app, host });
    const options = { db, slices: ['wall'], sync: ['wall/*'] };
    const store = storeOf({ wall }, options);
    await store.skerry.ready;
    const paint = (payload: unknown) => store.dispatch({ type: 'wall/painted', payload });
    const shown = () => (store.getState() as { wall: unknown }).wall;
    // Of a class that no schema knows: refused, and then not taken for what looks like it.
    class Secret {
      readonly #color = 'green';
      get color() {
        return this.#color;
      }
    }
    expect(() => paint(new Secret())).toThrow(ValidationError);
    for (const color of [Color.Blue, Color.Red, Color.Blue]) {
      paint(color);
      expect(shown()).toBe(color);
    }
    paint(new Date(5));
    paint(new Date(5).toISOString());
    expect(shown()).toBe(new Date(5).toISOString());
    paint(new Uint8Array([1, 2]));
    paint(Color.Blue);
    await until(() => db.sync.status.pending === 0);
    expect(shown()).toBe(Color.Blue);
    await store.skerry.close();
    await db.close();
    const again = storeOf(
      { wall },
      { ...options, db: await open({ name: 'walls', schema: app, host }) },
    );
    await whole(again);
    expect((again.getState() as { wall: unknown }).wall).toBe(Color.Blue);
  });

  test('many actions that change nothing are not remembered', async () => {
    const { store, types } = makeStore(memory());
    await whole(store);
    for (let i = 0; i < 600; i++) store.dispatch({ type: 'counter/nothing', payload: i });
    store.dispatch(added(1));
    const db = await store.skerry.ready;
    await until(() => db.sync.status.pending === 0);
    expect(store.getState().counter.value).toBe(1);
    expect(loads(types)).toBe(0);
  });
});

describe('the beginning and the end', () => {
  test('subscribers are notified of the whole state, also if nothing is stored', async () => {
    const { store, types } = makeStore(memory(), {
      persist: { slices: ['device'], actions: ['device/*'] },
    });
    await new Promise<void>((resolve) => {
      store.subscribe(() => store.skerry.whole && resolve());
    });
    expect(types.filter((type) => type === 'skerry/whole')).toHaveLength(1);
  });

  test('actions dispatched before the database was open are stored by close', async () => {
    const host = memory();
    const persist = { slices: ['device'], actions: ['device/*'] };
    const { store } = makeStore(host, { persist });
    store.dispatch(added(3));
    store.dispatch(device.actions.hidden());
    const closing = store.skerry.close();
    store.dispatch(added(100));
    expect(store.getState().counter.value).toBe(103);
    await closing;
    const again = makeStore(host, { persist });
    await whole(again.store);
    expect(again.store.getState().counter.value).toBe(3);
    expect(again.store.getState().device.sidebar).toBe(false);
  });

  test('a store can be made again over one database, and two may share it', async () => {
    const host = memory();
    const db = await open({ name: 'mine', schema: schema({}, { version: 1 }), host });
    const onError = vi.fn();
    const { store } = makeStore(host, { db, onError });
    await store.skerry.ready;
    store.dispatch(added(1));
    await store.skerry.close();
    const again = makeStore(host, { db, onError });
    const beside = makeStore(host, { db, onError });
    await Promise.all([whole(again.store), whole(beside.store)]);
    expect(again.store.getState().counter.value).toBe(1);
    again.store.dispatch(added(2));
    beside.store.dispatch(added(4));
    await until(() => db.sync.status.pending === 0);
    for (const one of [again, beside]) await until(() => one.store.getState().counter.value === 7);
    expect(onError).not.toHaveBeenCalled();
    // But not with other slices: each would make a state without the other's.
    const wrong = makeStore(host, { db, onError, slices: ['counter'] });
    await expect(wrong.store.skerry.ready).rejects.toThrow('another `stream`');
    expect(onError).toHaveBeenCalledOnce();
    await db.close();
  });

  /** Ways to name the one stream; each pair of a former and a later store of other slices. */
  const names: Partial<EnhancerOptions>[] = [
    {},
    { realm: 'local' },
    { version: 1 },
    { stream: 'redux' },
    { stream: 'redux', realm: 'local', version: 1 },
  ];
  test.each(
    names.flatMap((former) =>
      names.map((later) => [JSON.stringify([former, later]), former, later]),
    ),
  )('other slices of one stream are refused, however it is named: %s', async (_, former, later) => {
    const host = memory();
    const db = await open({ name: 'mine', schema: schema({}, { version: 1 }), host });
    const { store } = makeStore(host, { db, slices: ['counter'], ...(former as object) });
    await store.skerry.ready;
    const onError = vi.fn();
    const wrong = makeStore(host, { db, onError, slices: ['todos'], ...(later as object) });
    await expect(wrong.store.skerry.ready).rejects.toThrow('another `stream`');
    expect(onError).toHaveBeenCalledOnce();
    // The first one goes on with its own reducer.
    await whole(store);
    store.dispatch(added(2));
    await until(() => db.sync.status.pending === 0);
    store.dispatch(added(3));
    expect(store.getState().counter.value).toBe(5);
    // So does the stream, of which a store that is made later begins.
    const same = { reducer: (state: object) => state, initialState: {} };
    expect(db.stream<object, never>('redux', same).value).toEqual({ counter: { value: 5 } });
    await db.close();
  });

  test('two stores of other slices have one stream name in two realms', async () => {
    const host = memory();
    const db = await open({ name: 'mine', schema: schema({}, { version: 1 }), host });
    const one = makeStore(host, { db, slices: ['counter'], sync: ['counter/*'], realm: 'one' });
    const two = makeStore(host, { db, slices: ['todos'], sync: ['todos/*'], realm: 'two' });
    await Promise.all([one.store.skerry.ready, two.store.skerry.ready]);
    one.store.dispatch(added(2));
    two.store.dispatch(todos.actions.added({ id: 'a', text: 'A' }));
    await until(() => db.sync.status.pending === 0);
    for (const { store } of [one, two]) await store.skerry.close();
    const again = makeStore(host, { db, slices: ['counter'], sync: ['counter/*'], realm: 'one' });
    const other = makeStore(host, { db, slices: ['todos'], sync: ['todos/*'], realm: 'two' });
    await Promise.all([whole(again.store), whole(other.store)]);
    expect(again.store.getState().counter.value).toBe(2);
    expect(other.store.getState().todos).toMatchObject([{ id: 'a' }]);
    await db.close();
  });

  const persist = { slices: ['device'], actions: ['device/*'] };
  const nameOf = (length: number) => 'n'.repeat(length);
  const sentence = /With `persist`.* at most 57 characters/;

  test('with slices of this device a name has at most 57 characters', async () => {
    const onError = vi.fn();
    const { store } = makeStore(memory(), { name: nameOf(57), persist, onError });
    await store.skerry.ready;
    await whole(store);
    expect(onError).not.toHaveBeenCalled();
    // Without them it may be longer.
    const { store: other } = makeStore(memory(), { name: nameOf(58), onError });
    await other.skerry.ready;
    expect(() => makeStore(memory(), { name: nameOf(58), persist, onError })).toThrow(sentence);
    expect(onError).not.toHaveBeenCalled();
  });

  test('so has that of a database which is given', async () => {
    const host = memory();
    const db = await open({ name: nameOf(58), schema: schema({}, { version: 1 }), host });
    const onError = vi.fn();
    makeStore(host, { db, persist, onError });
    await expect.poll(() => onError.mock.calls[0]?.[0]?.message).toMatch(sentence);
    await db.close();
  });

  test('a preloaded state of other slices does not hide what is pending', async () => {
    const host = memory();
    host.network.respond = async () => Promise.reject(new Error('offline'));
    const remote = http('http://server.test/v1', { token: async () => 'dev:ada' });
    const make = () =>
      storeOf(
        { counter: reducer.counter, view: view.reducer },
        { host, remote, user: 'ada' },
        { view: { filter: 'done', theme: 'dark' } },
      );
    const store = make();
    await store.skerry.ready;
    store.dispatch(added(5));
    await store.skerry.close();
    const again = make();
    await until(() => value(again) === 5);
    again.dispatch(added(1));
    expect(value(again)).toBe(6);
  });

  test('a root reducer without one of the slices is refused, at first and later', async () => {
    const { todos: _, ...fewer } = reducer;
    expect(() => storeOf(fewer, { slices: ['counter', 'todos'] })).toThrow(ValidationError);
    const { store } = makeStore(memory());
    store.dispatch(added(1));
    expect(() => store.replaceReducer(combineReducers(fewer) as never)).toThrow('no slice todos');
    store.dispatch(todos.actions.added({ id: 'a', text: 'still there' }));
    expect(store.getState().todos).toHaveLength(1);
  });

  test('without IndexedDB `ready` rejects, and nothing is collected', async () => {
    const store = storeOf({ counter: reducer.counter });
    store.dispatch(added(1));
    await expect(store.skerry.ready).rejects.toThrow(UnsupportedError);
    expect(value(store)).toBe(1);
  });
});

describe('slices of this device', () => {
  const persist = { slices: ['device'], actions: ['device/*'] };

  test('keep an action that `sync` takes, too', async () => {
    const host = memory();
    const { store } = makeStore(host, { sync: () => true, persist });
    store.dispatch(device.actions.hidden());
    await store.skerry.close();
    const again = makeStore(host, { sync: () => true, persist });
    await until(() => !again.store.getState().device.sidebar);
  });

  function storeFor(user: string, host: MemoryHost) {
    const remote = http('http://server.test/v1', { token: async () => `dev:${user}` });
    return makeStore(host, { user, remote, persist }).store;
  }

  test('are each user’s own, and go at the log-out', async () => {
    const host = memory();
    host.network.respond = async () => Promise.reject(new Error('offline'));
    const ada = storeFor('ada', host);
    const db = await ada.skerry.ready;
    ada.dispatch(device.actions.hidden());
    await until(() => !ada.getState().device.sidebar);
    const bo = storeFor('bo', host);
    const bos = await bo.skerry.ready;
    await bos.sync.now().catch(() => {});
    expect(bo.getState().device.sidebar).toBe(true);
    bo.dispatch(device.actions.hidden());
    expect(await host.accounts?.exists('skerry/store.device/ada')).toBe(true);
    // Kept for the next time, or deleted with all the rest.
    await bos.logout({ unsynced: 'keep' });
    await db.logout({ unsynced: 'discard' });
    await Promise.all([ada.skerry.close(), bo.skerry.close()]);
    const again = storeFor('bo', host);
    await until(() => !again.getState().device.sidebar);
    expect(await host.accounts?.exists('skerry/store.device/ada')).toBe(false);
    const adas = storeFor('ada', host);
    await adas.skerry.ready;
    adas.dispatch(incremented());
    expect(adas.getState().device.sidebar).toBe(true);
  });
});
