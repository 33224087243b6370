// The system table of memberships: in the schema's description `$members`, in SQL `skerry.membership`. Its rows are
// written and read like those of any other table. The core has the rules (src/model/members.h).

import type { Queryable } from '../db/database.ts';
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

/** How many memberships each of the realms, or of the users, has: `most` where there are more. */
export async function countMemberships(
  tx: Queryable,
  by: 'realm' | 'user',
  keys: readonly string[],
  most: number,
): Promise<Map<string, number>> {
  const rows = await tx.query<{ key: string; count: string }>(
    `select k.key, c.count::text as count from json_array_elements_text($1::text::json) as k(key)
      cross join lateral (
        select count(*) as count from (
          select 1 from skerry.membership m where m."${by}" = k.key and m.deleted_at is null
           limit ${most}) m) c`,
    [JSON.stringify(keys)],
  );
  return new Map(rows.map(({ key, count }) => [key, Number(count)]));
}

/** The roles of those memberships that there are, by id. */
export async function readRoles(
  tx: Queryable,
  places: readonly { readonly realm: string; readonly id: string }[],
): Promise<Map<string, Role>> {
  const rows = await tx.query<{ id: string; role: Role }>(
    `select m.id, m."role" as role
       from json_to_recordset($1::text::json) as k(realm text, id text)
      cross join lateral (select m.id, m."role" from skerry.membership m
                           where m.realm = k.realm and m.id = k.id and m.deleted_at is null limit 1) m`,
    [JSON.stringify(places)],
  );
  return new Map(rows.map(({ id, role }) => [id, role]));
}
