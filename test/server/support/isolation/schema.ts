// The schema of the test of isolation: refs of each kind, a unique prop, a table that every client hears of.

import type { SchemaDescription } from '../../../../server/src/sql/description.ts';

const text = (name: string, more = {}) => ({
  ...{ name, type: 'string', optional: true, index: false, unique: false },
  ...more,
});
const ref = (name: string, table: string, onDelete?: string) => ({
  ...{ name, type: 'ref', optional: true, index: true, unique: false },
  ref: { table, touch: false, ...(onDelete === undefined ? {} : { onDelete }) },
});
const table = (name: string, props: unknown[], more = {}) => ({
  ...{ name, ids: 'string', autosubscribe: false, props },
  ...more,
});

export const isolationSchema = {
  version: 1,
  accepts: [],
  tables: [
    table('notes', [
      text('name'),
      text('code', { unique: true }),
      text('votes', { type: 'number' }),
      text('extra', { type: 'json' }),
    ]),
    table('parts', [text('name'), ref('note', 'notes', 'cascade')]),
    table('links', [text('name'), ref('note', 'notes', 'setNull')]),
    table('locks', [text('name'), ref('note', 'notes', 'restrict')]),
    table('marks', [text('name'), ref('note', 'notes')]),
    table('notices', [text('name')], { autosubscribe: true }),
  ],
} as unknown as SchemaDescription;

export const kTables = ['notes', 'parts', 'links', 'locks', 'marks', 'notices'];
