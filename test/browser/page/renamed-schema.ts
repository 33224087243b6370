// The schema of a release that renames a table and props, and takes clients of the one before.
import { schema, t, table } from 'skerry';
import { tables } from './schema.ts';

export const renamedTables = {
  lists: tables.lists,
  entries: table({
    text: t.string().optional(),
    position: t.number().default(0),
    title: t.string(),
    due: t.date().optional(),
    list: t.ref('lists', { onDelete: 'cascade' }).optional(),
  }),
};

export const renamedApp = schema(renamedTables, {
  version: 3,
  accepts: [2],
  migrations: {
    3: (m) => {
      m.renameTable('notes', 'entries');
      m.table('entries').renameProp('rank', 'position').renameProp('body', 'text');
    },
  },
});

export default renamedApp;
