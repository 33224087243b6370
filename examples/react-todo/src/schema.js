// Loaded by the server, too.
import { schema, t, table } from 'skerry';

/** Each list is in a realm of its own, so that it can be shared alone. */
export default schema(
  {
    lists: table({ name: t.string() }),
    todos: table({
      list: t.ref('lists', { onDelete: 'cascade' }),
      text: t.string(),
      done: t.boolean().default(false),
    }),
  },
  { version: 1 },
);
