// The system table of memberships: in the schema's description `$members`, in SQL `skerry.members`. Its rows are
// written and read like those of any other table. The core has the rules (src/model/members.h).

import type { SchemaDescription, TableDescription } from './description.ts';
import type { SqlTable } from './tables.ts';

export const kMembers = '$members';

export type Role = 'reader' | 'writer' | 'owner';

const description: TableDescription = {
  name: kMembers,
  ids: 'string',
  autosubscribe: true,
  props: [
    { name: 'user', type: 'string' },
    { name: 'role', type: 'enum', enum: { values: ['reader', 'writer', 'owner'] } },
  ],
};

/** The table, as migrations have made it. */
export const membersTable: SqlTable = {
  table: kMembers,
  name: 'skerry.members',
  uuids: false,
  autosubscribe: true,
  isSystem: true,
  columns: [
    { prop: 'user', type: 'string', name: '"user"' },
    { prop: 'role', type: 'enum', name: '"role"' },
  ],
};

/** The schema with the table of memberships, which those of the package `skerry` have already. */
export function withMembers(schema: SchemaDescription): SchemaDescription {
  if (schema.tables.some(({ name }) => name === kMembers)) return schema;
  return { ...schema, tables: [...schema.tables, description] };
}

/** The id of a membership. */
export function membershipId(realm: string, user: string): string {
  return `${realm}/${user}`;
}
