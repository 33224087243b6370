import { http, open } from 'skerry';
import schema from './schema.js';

export const user = new URLSearchParams(location.search).get('user') ?? 'ada';

const mutators = {
  addList: (tx, { name, realm }) => tx.lists.create({ name, realm }),
  // A row with a cascade ref is created in the realm of the row that it refers to.
  addTodo: (tx, { list, text }) => tx.todos.create({ list, text }),
  setDone: (tx, { id, done }) => tx.todos.update(id, { done }),
  remove: (tx, { id }) => tx.todos.delete(id),
};

export const db = open({
  name: 'lists',
  schema,
  mutators,
  user,
  scopes: 'all',
  remote: http('/v1', { token: async () => `dev:${user}` }),
});
