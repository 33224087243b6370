import { configureStore, createSlice, nanoid } from '@reduxjs/toolkit';
import { http } from 'skerry';
import { skerryEnhancer } from 'skerry/redux';

export const user = new URLSearchParams(location.search).get('user') ?? 'ada';

const counter = createSlice({
  name: 'counter',
  initialState: { value: 0 },
  reducers: {
    incremented: (state) => {
      state.value += 1;
    },
    decremented: (state) => {
      state.value -= 1;
    },
  },
});

const todos = createSlice({
  name: 'todos',
  initialState: [],
  reducers: {
    todoAdded: {
      // What is random or of a clock belongs here: reducers must be pure.
      prepare: (text) => ({ payload: { id: nanoid(), text } }),
      reducer: (state, { payload }) => {
        state.push({ ...payload, completed: false });
      },
    },
    todoToggled: (state, { payload }) => {
      const todo = state.find(({ id }) => id === payload);
      if (todo) todo.completed = !todo.completed;
    },
  },
});

/** Not synced: each window has its own. */
const filter = createSlice({
  name: 'filter',
  initialState: 'all',
  reducers: { filterChanged: (_, { payload }) => payload },
});

export const { incremented, decremented } = counter.actions;
export const { todoAdded, todoToggled } = todos.actions;
export const { filterChanged } = filter.actions;

export const store = configureStore({
  reducer: { counter: counter.reducer, todos: todos.reducer, filter: filter.reducer },
  enhancers: (all) =>
    all().concat(
      // All that makes it work offline, in several windows, and on other devices:
      skerryEnhancer({
        name: 'redux-offline',
        user,
        remote: http('/v1', { token: async () => `dev:${user}` }),
        slices: ['counter', 'todos'],
        sync: ['counter/*', 'todos/*'],
      }),
    ),
});
