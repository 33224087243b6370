// The schema of the test page, as a fresh server has it. The server loads this module too.
import { schema, t, table } from 'skerry';

export const tables = {
  lists: table({ name: t.string(), slug: t.string().optional().index({ unique: true }) }),
  notes: table({
    title: t.string(),
    body: t.string().optional(),
    rank: t.number().default(0),
    due: t.date().optional(),
    list: t.ref('lists', { onDelete: 'cascade' }).optional(),
  }),
};

export const app = schema(tables, { version: 2 });

export default app;
