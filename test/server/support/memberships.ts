// Ops on memberships, by hand.

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
export const remove = (realm: string, user: string) => ({ op: 'delete', ...member(realm, user) });
