// The schema of the test page with a rule of the application: a rank is not negative. The server has no such rule.
import { schema, t, table } from 'skerry';
import { tables } from './schema.ts';

export const ruledApp = schema(
  {
    ...tables,
    notes: table(
      {
        title: t.string(),
        body: t.string().optional(),
        rank: t.number().default(0),
        due: t.date().optional(),
        list: t.ref('lists', { onDelete: 'cascade' }).optional(),
      },
      { validate: ({ rank }) => (rank < 0 ? `A rank of ${rank} is not allowed.` : undefined) },
    ),
  },
  { version: 2 },
);
