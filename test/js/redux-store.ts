/** Stores for the tests of `skerry/redux`: the counter of Redux's documentation, a list to do, and slices that are not synced. */
import {
  combineReducers,
  configureStore,
  createSlice,
  type PayloadAction,
  type UnknownAction,
} from '@reduxjs/toolkit';
import { type EnhancerOptions, skerryEnhancer } from 'skerry/redux';
import type { MemoryHost } from 'skerry/testing';
import { afterEach } from 'vitest';

// The counter of the documentation of Redux.
export const counter = createSlice({
  name: 'counter',
  initialState: { value: 0 },
  reducers: {
    incremented: (state) => {
      state.value += 1;
    },
    added: (state, { payload }: PayloadAction<number>) => {
      if (payload === 13) throw new Error('no thirteen');
      state.value += payload;
    },
  },
});
interface Todo {
  readonly id: string;
  readonly text: string;
  readonly done: boolean;
  readonly due?: Date;
}
export const todos = createSlice({
  name: 'todos',
  initialState: [] as Todo[],
  reducers: {
    added: (state, { payload }: PayloadAction<{ id: string; text: string; due?: Date }>) => {
      state.push({ ...payload, done: false });
    },
    toggled: (state, { payload }: PayloadAction<string>) => {
      const todo = state.find(({ id }) => id === payload);
      if (todo) Object.assign(todo, { done: !todo.done });
    },
  },
});
export const view = createSlice({
  name: 'view',
  initialState: { filter: 'all', theme: 'light' },
  reducers: {
    filtered: (state, { payload }: PayloadAction<string>) => {
      state.filter = payload;
    },
  },
});
export const device = createSlice({
  name: 'device',
  initialState: { sidebar: true },
  reducers: {
    hidden: (state) => {
      state.sidebar = false;
    },
  },
});
export const reducer = {
  counter: counter.reducer,
  todos: todos.reducer,
  view: view.reducer,
  device: device.reducer,
};
export const { incremented, added } = counter.actions;

export const opened: { readonly skerry: { close(): Promise<void> } }[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.skerry.close();
});

/** A root reducer that notes the types of the actions which reach it. */
export function recordingReducer() {
  const types: string[] = [];
  const root = combineReducers(reducer);
  const recording = (state: ReturnType<typeof root> | undefined, action: UnknownAction) => {
    // The slices alone are reduced for the stream.
    if (state?.view) types.push(action.type);
    return root(state, action);
  };
  return { types, recording };
}

/** A store, and the types of the actions that reached its reducers. */
export function makeStore(
  host: MemoryHost,
  more: Partial<EnhancerOptions> = {},
  preloaded?: object,
) {
  const { types, recording } = recordingReducer();
  const store = configureStore({
    reducer: recording,
    ...(preloaded && { preloadedState: preloaded as ReturnType<typeof recording> }),
    middleware: (all) => all({ serializableCheck: false }),
    enhancers: (all) =>
      all().concat(
        skerryEnhancer({
          ...{ name: 'store', host, slices: ['counter', 'todos'], sync: ['counter/*', 'todos/*'] },
          ...more,
        }),
      ),
  });
  opened.push(store);
  return { store, types };
}
export const loads = (types: readonly string[]) =>
  types.filter((type) => type === 'skerry/loadSnapshot').length;
