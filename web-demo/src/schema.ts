// The demo's schema: real cities, people in groups through an explicit table, and shared lists; and two rules that changes of two
// people can break together, although each alone is right. The server loads this module too, so it imports nothing of the browser.
import { schema, t, table } from 'skerry';

export const MOST_MEMBERS = 3;

export const app = schema(
  {
    cities: table(
      {
        name: t.string(),
        country: t.string().index(),
        population: t.number(),
        lat: t.number(),
        lon: t.number(),
        adminCode: t.string().optional(),
        featureCode: t.string().optional(),
        cityId: t.number().optional(),
        likes: t.number().default(0),
      },
      {
        validate: ({ population }) =>
          population < 0 ? `The population cannot be below zero. It is ${population}.` : undefined,
      },
    ),
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
  {
    version: 2,
    accepts: [1],
    // All members of a group that is too large are named, because any of them can be the one to go.
    validate: (reader, changed) => {
      const touched = changed.flatMap((row) => {
        if (row.table === 'groups') return row.id;
        return row.table === 'memberships' ? (reader.memberships.get(row.id)?.group ?? []) : [];
      });
      return [...new Set(touched)].flatMap((group) => {
        const members = reader.memberships.where('group', '=', group).ids();
        if (members.length <= MOST_MEMBERS) return [];
        const message = `A group has at most ${MOST_MEMBERS} members. This one has ${members.length}.`;
        return members.map((id) => ({ table: 'memberships' as const, id, message }));
      });
    },
  },
);

export default app;
