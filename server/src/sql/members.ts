// The system table of memberships: in the schema's description `$members`, in SQL `skerry.membership`. Its rows are
// written and read like those of any other table. The core has the rules (src/model/members.h).

import type { SchemaDescription, TableDescription } from './description.ts';

/** The ops on memberships among those of the column `ops`; null: there are none. */
export function memberOps(ops: string): string {
  return `(select json_agg(x.op) from json_array_elements(coalesce(${ops}, '[]'::json)) as x(op)
            where x.op ->> 'table' = '${kMembers}')`;
}

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

/** The schema with the table of memberships, which those of the package `skerry` have already. */
export function withMembers(schema: SchemaDescription): SchemaDescription {
  if (schema.tables.some(({ name }) => name === kMembers)) return schema;
  return { ...schema, tables: [...schema.tables, description] };
}

/** The id of a membership. */
export function membershipId(realm: string, user: string): string {
  return `${realm}/${user}`;
}
