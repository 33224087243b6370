// Mistakes about what the authority says of updates before the rules are asked (src/authority/survey.h), and about who relies on it.

export const survey = [
  {
    name: 'whatever is appended blocks',
    file: 'src/authority/survey.cc',
    from: '  if (action.name != kBlockAction) return {};\n',
    to: '',
  },
  {
    name: 'a block in a shared realm counts',
    file: 'src/authority/survey.cc',
    from: 'if (op.stream != kBlockedStream || op.realm != "user:" + std::string(author)) return;',
    to: 'if (op.stream != kBlockedStream) return;',
  },
  {
    name: 'a membership that only changes counts as added',
    file: 'src/authority/survey.cc',
    from: 'member.adds = op.Has(kCreates);',
    to: 'member.adds = !op.Has(kDeletes);',
  },
  {
    name: 'whoever makes an owner founds',
    file: 'src/authority/survey.cc',
    from: 'if (MayFound(schema, op, author)) survey->founds.insert(op.realm);',
    to: 'if (member.adds) survey->founds.insert(op.realm);',
  },
  {
    name: 'the row to which a move leads is not read',
    file: 'src/authority/survey.cc',
    from: '    if (op.Has(kMoves)) survey.rows[op.to][op.table].insert(op.id);\n',
    to: '',
  },
  {
    name: 'a window lets the last owner go',
    file: 'src/client/transaction.cc',
    from: '  SKERRY_RETURN_IF_ERROR(CheckOwnersAfter(*view_, mutation.ops));\n',
    to: '',
  },
  {
    name: 'an invitation is refused where the device knows no owner',
    file: 'src/client/owner_rule.cc',
    from: '(!op.Has(kCreates) && ValueSet(op, kMemberRole))',
    to: 'ValueSet(op, kMemberRole)',
  },
  {
    name: 'a window lowers the role of who is invited again',
    file: 'src/client/transaction.cc',
    from: '    if (is_role && KeepsRole(present, set.value)) set.value = present;\n',
    to: '',
  },
  {
    name: 'the survey of an older update knows nothing of what is left out',
    file: 'src/authority/survey.cc',
    from: 'if (item.older) trimmed',
    to: 'if (!item.older) trimmed',
  },
];

export const surveyOnServer = [
  {
    name: 'a realm that is founded has no row to be locked',
    test: 'test/server/rights.test.ts',
    file: 'server/src/rights/founding.ts',
    from: 'isFoundable(realm) ? founded.has(realm) : isGranted(realm)',
    to: '!isFoundable(realm) && founded.size === 0 && isGranted(realm)',
  },
  {
    name: 'an update of an earlier release is surveyed as one of this',
    test: 'test/server/survey.test.ts',
    file: 'server/src/authority/authority.ts',
    from: 'older: String(older), update: text',
    to: "older: 'false', update: text",
  },
];
