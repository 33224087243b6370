// Shared by the tests of memberships: ops by hand, and pokes.

import { type Json, uuid7 } from './server.ts';

const member = (realm: string, user: string) => ({
  table: '$members',
  id: `${realm}/${user}`,
  realm,
});
export const invite = (realm: string, user: string, role: string) => ({
  op: 'create',
  ...member(realm, user),
  set: { user, role },
});
export const setRole = (realm: string, user: string, role: string) => ({
  op: 'update',
  ...member(realm, user),
  set: { role },
});
export const accept = (realm: string, user: string) => ({
  op: 'update',
  ...member(realm, user),
  set: { accepted: true },
});
export const remove = (realm: string, user: string) => ({ op: 'delete', ...member(realm, user) });
export const city = (realm: string, id: string = uuid7()) => ({
  op: 'create',
  table: 'cities',
  id,
  realm,
  set: { name: id },
});

/** The poke for a change of the user's rights: it names only the user's own realm. */
export const isRights = (user: string) => (message: Json) =>
  message.type === 'poke' && message.realm === `user:${user}` && message.revision === 0;
export const isOf = (realm: string) => (message: Json) =>
  message.type === 'poke' && message.realm === realm;
