// The demo's schema: real cities, people in groups through an explicit table, and shared lists.
// The server loads this module too, so it imports nothing of the browser.
import { schema, t, table } from 'skerry';

export const app = schema(
  {
    cities: table({
      name: t.string(),
      country: t.string().index(),
      population: t.number(),
      lat: t.number(),
      lon: t.number(),
      adminCode: t.string().optional(),
      featureCode: t.string().optional(),
      cityId: t.number().optional(),
      likes: t.number().default(0),
    }),
    people: table({ name: t.string() }),
    groups: table({ name: t.string() }),
    memberships: table({
      group: t.ref('groups', { onDelete: 'cascade', touch: true }),
      person: t.ref('people', { onDelete: 'cascade' }),
    }),
    // Each shared list is a realm of its own, with one row here.
    lists: table({ name: t.string() }),
    todos: table({
      list: t.ref('lists', { onDelete: 'cascade' }),
      text: t.string(),
      done: t.boolean().default(false),
    }),
  },
  { version: 2, accepts: [1] },
);

export default app;
