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
    { name: 'accepted', type: 'boolean', optional: true },
    { name: 'by', type: 'string', optional: true },
  ],
};

/** The schema with this server's table of memberships, whatever that of the package which made it was. */
export function withMembers(schema: SchemaDescription): SchemaDescription {
  const declared = schema.tables.filter(({ name }) => name !== kMembers);
  return { ...schema, tables: [...declared, description] };
}

/** The id of a membership. */
export function membershipId(realm: string, user: string): string {
  return `${realm}/${user}`;
}

/** Of a row `m`: it is a membership, and the user has accepted it, or was not asked. */
export const kIsMember = `(m.deleted_at is null and m.accepted is distinct from false)`;
/** Of a row `m`: it waits to be accepted. */
export const kIsPending = `(m.deleted_at is null and m.accepted = false)`;

const counted = {
  /** Also those that wait. */
  realm: 'm.realm = k.key and m.deleted_at is null',
  user: `m."user" = k.key and ${kIsMember}`,
  /** Those that wait, by who has invited. */
  by: `m."by" = k.key and ${kIsPending}`,
} as const;

/** How many memberships each of the keys has: `most` where there are more. */
export async function countMemberships(
  tx: Queryable,
  by: keyof typeof counted,
  keys: readonly string[],
  most: number,
): Promise<Map<string, number>> {
  const rows = await tx.query<{ key: string; count: string }>(
    `select k.key, c.count::text as count from json_array_elements_text($1::text::json) as k(key)
      cross join lateral (
        select count(*) as count from (
          select 1 from skerry.membership m where ${counted[by]} limit ${most}) m) c`,
    [JSON.stringify(keys)],
  );
  return new Map(rows.map(({ key, count }) => [key, Number(count)]));
}

export interface MembershipRow {
  readonly role: Role;
  readonly isPending: boolean;
}

/** Those memberships that there are, by id. */
export async function readMembershipsAt(
  tx: Queryable,
  places: readonly { readonly realm: string; readonly id: string }[],
): Promise<Map<string, MembershipRow>> {
  const rows = await tx.query<{ id: string; role: Role; pending: string }>(
    `select m.id, m."role" as role, m.pending::text as pending
       from json_to_recordset($1::text::json) as k(realm text, id text)
      cross join lateral (select m.id, m."role", ${kIsPending} as pending from skerry.membership m
                           where m.realm = k.realm and m.id = k.id and m.deleted_at is null limit 1) m`,
    [JSON.stringify(places)],
  );
  return new Map(
    rows.map(({ id, role, pending }) => [id, { role, isPending: pending === 'true' }]),
  );
}
