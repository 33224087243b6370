// A Redux store with a counter and a list. VARIANT: `bare`; `skerry`, with the enhancer; `persist`, with redux-persist over localStorage, as its
// documentation has it.
import { legacy_createStore as createStore } from 'redux';
import { persistReducer, persistStore } from 'redux-persist';
import { skerryEnhancer } from 'skerry/redux';

const initial = { count: 0, items: [] };
const todos = (state = initial, action) =>
  action.type === 'todos/added'
    ? { count: state.count + 1, items: [...state.items.slice(-99), action.payload] }
    : state;
const root = (state = {}, action) => ({ todos: todos(state.todos, action) });
const storage = {
  getItem: async (key) => localStorage.getItem(key),
  setItem: async (key, value) => localStorage.setItem(key, value),
  removeItem: async (key) => localStorage.removeItem(key),
};

let store;
let persistor;

export default {
  async open() {
    if (VARIANT === 'persist') {
      store = createStore(persistReducer({ key: 'bench', storage }, root));
      await new Promise((resolve) => {
        persistor = persistStore(store, null, () => resolve());
      });
    } else if (VARIANT === 'skerry') {
      store = createStore(
        root,
        skerryEnhancer({ name: 'redux', slices: ['todos'], sync: ['todos/*'] }),
      );
      await store.skerry.ready;
    } else store = createStore(root);
  },
  dispatch: (payload) => store.dispatch({ type: 'todos/added', payload }),
  /** Resolves when all that was dispatched is stored. */
  async stored() {
    if (VARIANT === 'persist') await persistor.flush();
    // Appends are stored in their order.
    if (VARIANT === 'skerry') await (await store.skerry.ready).stream('mark').append({}).durable;
  },
  count: async () => store.getState().todos.count,
};
