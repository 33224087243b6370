// Mistakes about memberships that wait until they are accepted.

export const invitations = [
  {
    name: 'an invitation gives its right at once',
    file: 'src/authority/scene.cc',
    from: 'if (!member || IsPending(*member)) return right;',
    to: 'if (!member) return right;',
  },
  {
    name: 'anybody accepts an invitation for the invited',
    file: 'src/log/membership_op.cc',
    from: 'IsOnMembership(schema, op) && AcceptsAlone(op) && op.id == MembershipId(op.realm, user)',
    to: 'IsOnMembership(schema, op) && AcceptsAlone(op) && !user.empty()',
  },
  {
    name: 'an invitation says that it is accepted',
    file: 'src/log/membership_op.cc',
    from: 'if (ValueSet(op, kMemberAccepted) && !AcceptsAlone(op))',
    to: 'if (false)',
  },
  {
    name: 'who accepts writes in the same step',
    file: 'src/authority/judgement.cc',
    from: '(access == Access::kInvited && OnlyAnswers(realm));',
    to: '(access == Access::kInvited);',
  },
  {
    name: 'an invitation is not declined',
    file: 'src/authority/judgement.cc',
    from: `      return IsLeave(*scene_.schema, op, scene_.user) ||
             IsAcceptance(*scene_.schema, op, scene_.user);`,
    to: '      return IsAcceptance(*scene_.schema, op, scene_.user);',
  },
  {
    name: 'an owner who has not accepted is one',
    file: 'src/model/members.cc',
    from: 'return !IsPending(membership) && RoleOf',
    to: 'return RoleOf',
  },
  {
    name: 'direct invitations wait, too',
    file: 'src/authority/membership.cc',
    from: 'if (!scene.asks_consent || op.id == MembershipId(op.realm, scene.user)) return;',
    to: 'if (op.id == MembershipId(op.realm, scene.user)) return;',
  },
  {
    name: 'an invitation changes the rights of the invited',
    file: 'src/authority/changed_members.cc',
    from: '(IsPending(*row) ? changed.invited : changed.users)',
    to: 'changed.users',
  },
  {
    name: 'an acceptance of a lost realm waits until the realm is there',
    file: 'src/sync/grouping.cc',
    from: '|| IsAcceptance(*schema_, op, user_)',
    to: '|| false',
  },
  {
    name: 'a lost realm is not accepted again',
    file: 'src/client/transaction_answer.cc',
    from: 'return !row || (accepts && view_->IsFrozen(row->realm));',
    to: 'return !row;',
  },
  {
    name: 'an owner gives back memberships as accepted',
    file: 'src/client/offers.cc',
    from: 'for (PropIndex i = 0; i <= kMemberRole; ++i) {',
    to: 'for (PropIndex i = 0; i < row.props.size(); ++i) {',
  },
];

const kTest = 'test/server/invitations.test.ts';

export const invitationsOnServer = [
  {
    name: 'an invitation makes its realm readable',
    test: kTest,
    file: 'server/src/sql/members.ts',
    from: 'm.deleted_at is null and m.accepted is distinct from false',
    to: 'm.deleted_at is null',
  },
  {
    name: 'invitations come with every poke',
    test: kTest,
    file: 'server/src/poke/hub.ts',
    from: 'const pause = Math.max(0, last + limits.invitationsEveryMs - performance.now());',
    to: 'const pause = Math.min(0, last);',
  },
  {
    name: 'all who are invited at a time hear of it at a time',
    test: 'test/server/audiences.test.ts',
    file: 'server/src/poke/hub.ts',
    from: 'pause + told * limits.invitedEveryMs',
    to: 'pause',
  },
  {
    name: 'who invites is not charged for the pulls of the invited',
    test: 'test/server/audiences.test.ts',
    file: 'server/src/poke/hub.ts',
    from: 'this.#charge(author, told * limits.invitedMs);',
    to: 'this.#charge(author, 0);',
  },
  {
    name: 'a socket does not hear of invitations',
    test: kTest,
    file: 'server/src/poke/hub.ts',
    from: 'for (const listener of listeners) listener.send(kInvitations);',
    to: 'listeners.size;',
  },
  {
    name: 'who declined is invited again',
    test: kTest,
    file: 'server/src/push/member-limits.ts',
    from: 'if (declined.has(declinedKey(user, author)))',
    to: 'if (false)',
  },
  {
    name: 'a block ends as a refusal does',
    test: 'test/server/blocks.test.ts',
    file: 'server/src/push/done.ts',
    from: '({ ...each, at: kForever })',
    to: '({ ...each, at })',
  },
  {
    name: 'a user invites without limit',
    test: kTest,
    file: 'server/src/push/member-limits.ts',
    from: 'pending.of(author) + ++waiting > limits.pendingPerInviter',
    to: '++waiting > limits.pendingPerInviter',
  },
  {
    name: 'an answer has all invitations',
    test: kTest,
    file: 'server/src/rights/rights.ts',
    from: 'order by m.created_at desc limit ${limits.invitationsPerPull}) i',
    to: 'order by m.created_at desc) i',
  },
  {
    name: 'an answer has the oldest invitations',
    test: kTest,
    file: 'server/src/rights/rights.ts',
    from: 'order by m.created_at desc limit',
    to: 'order by m.created_at limit',
  },
];
