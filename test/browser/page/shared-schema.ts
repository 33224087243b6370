// The schema of the tests that share realms: as well as lists and notes, a table whose ids are the application's own.
import { schema, t, table } from 'skerry';
import { tables } from './schema.ts';

export const sharedTables = {
  ...tables,
  themes: table({ color: t.string() }, { id: t.string() }),
};

export const sharedApp = schema(sharedTables, { version: 3 });

export default sharedApp;
