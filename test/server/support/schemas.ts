// The schema that the server's tests run on: every prop type, refs of each kind, a unique prop.

import type { SchemaDescription } from '../../../server/src/sql/description.ts';

const optional = { optional: true, index: false, unique: false };

export const testSchema = {
  version: 1,
  accepts: [],
  tables: [
    {
      name: 'cities',
      ids: 'string',
      autosubscribe: false,
      props: [
        { name: 'name', type: 'string', optional: false, index: false, unique: false },
        { name: 'country', type: 'string', ...optional, index: true },
        { name: 'population', type: 'number', ...optional },
        { name: 'capital', type: 'boolean', ...optional },
        { name: 'foundedOn', type: 'date', ...optional },
        { name: 'flag', type: 'bytes', ...optional },
        { name: 'size', type: 'enum', ...optional, enum: { type: null, values: ['s', 'm', 'l'] } },
        { name: 'extra', type: 'json', ...optional },
        { name: 'code', type: 'string', ...optional, unique: true },
        { name: 'revision', type: 'number', ...optional },
      ],
    },
    {
      name: 'userGroups',
      ids: 'uuid',
      autosubscribe: false,
      props: [{ name: 'name', type: 'string', optional: false, index: false, unique: false }],
    },
    {
      name: 'members',
      ids: 'uuid',
      autosubscribe: false,
      props: [
        {
          name: 'group',
          type: 'ref',
          optional: false,
          index: true,
          unique: false,
          ref: { table: 'userGroups', onDelete: 'cascade', touch: true },
        },
        { name: 'person', type: 'string', ...optional },
      ],
    },
    {
      name: 'notices',
      ids: 'string',
      autosubscribe: true,
      props: [{ name: 'text', type: 'string', ...optional }],
    },
  ],
} as unknown as SchemaDescription;
