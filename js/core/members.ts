/** The system table of memberships, which every schema has: `db.realms` reads and writes it (js/api/realms.ts). */
import type { NamedDef, PropDef, TableDef } from './prop-def.ts';
import type { SchemaCodec, TableCodec } from './values.ts';

export const membersTable = '$members';

/** In the own realm of a user: whom the user blocks (src/authority/survey.h). */
export const blockedStream = '$blocked';

export type Role = 'owner' | 'writer' | 'reader';

/** From the lowest; each may what the one before it may. */
export const roles: readonly Role[] = ['reader', 'writer', 'owner'];

function prop(name: string, more: Partial<PropDef>): PropDef & NamedDef {
  return {
    name,
    was: [],
    type: 'string',
    optional: false,
    fallback: undefined,
    index: false,
    unique: false,
    ...more,
  };
}

export function membersDef(index: number): TableDef {
  const props = [
    prop('user', { index: true }),
    prop('role', { type: 'enum', enumeration: { type: null, values: roles, members: null } }),
    // False: the user has not accepted it. Set by the server, as who has invited is.
    prop('accepted', { type: 'boolean', optional: true }),
    prop('by', { optional: true }),
  ];
  return {
    name: membersTable,
    was: [],
    index,
    ids: 'string',
    autosubscribe: true,
    props,
    byName: new Map(props.map((each) => [each.name, each])),
  };
}

/** The tables that the application has declared. */
export function declaredTables({ tables }: SchemaCodec): readonly TableCodec[] {
  return tables.filter(({ table }) => table.name !== membersTable);
}

/** The id of a membership: two invitations of one user are one object. */
export function membershipId(realm: string, user: string): string {
  return `${realm}/${user}`;
}
