// The schema of a release that drops a table and props, adds some, and takes clients of the one before.
import { schema, t, table } from 'skerry';

export const changedTables = {
  tags: table({ label: t.string() }),
  notes: table({
    color: t.string().default('grey'),
    rank: t.number().default(0),
    stars: t.number().optional(),
    title: t.string(),
  }),
};

export const changedApp = schema(changedTables, { version: 3, accepts: [2] });

export default changedApp;
