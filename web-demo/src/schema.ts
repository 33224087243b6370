// The demo's schema: real cities, and people in groups through an explicit table.
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
  },
  { version: 1 },
);

export default app;
