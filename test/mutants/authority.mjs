// Mistakes in the authority's rules and limits, which the core's tests have to notice (mutants.mjs says what they are).

export const authority = [
  {
    name: 'a tombstone is taken for no row',
    file: 'src/authority/judgement.cc',
    from: 'return !realm || scene_.AccessIn(*realm) != Access::kHidden;',
    to: 'return !realm || true;',
  },
  {
    name: 'whoever may not look into a realm takes the ids that were deleted there',
    file: 'src/authority/judgement.cc',
    from: 'scene_.AccessIn(*realm) != Access::kHidden;',
    to: 'scene_.AccessIn(*realm) != Access::kReadOnly;',
  },
  {
    name: 'all tokens of a commit have the rights of the last',
    file: 'src/authority/admission.cc',
    from: '&input_.rights[request.rights];',
    to: '&input_.rights.back();',
  },
  {
    name: 'an update may name any number of realms',
    file: 'src/authority/admission.cc',
    from: 'if (data.members().size() > kMaxRealmsPerUpdate) {',
    to: `if (data.members().size() > 1'000'000) {`,
  },
  {
    name: 'actions are bounded by what ops may be',
    file: 'src/log/update_json.cc',
    from: 'if (data.items().size() > kMaxActionsPerUpdate) {',
    to: 'if (data.items().size() > kMaxOpsPerUpdate) {',
  },
  {
    name: 'arguments are counted once, though every realm keeps them',
    file: 'src/log/update_json.cc',
    from: 'if (bytes * update.after.size() <= kMaxSpreadBytes)',
    to: 'if (bytes <= kMaxSpreadBytes)',
  },
  {
    name: 'a refusal is kept in every realm that an update names',
    file: 'src/authority/admission.cc',
    from: '    chains_.Refuse(request.client, pushed.id, RememberingRealm(request, pushed), result);',
    to: `    for (const auto& [realm, link] : pushed.after) {
      chains_.Refuse(request.client, pushed.id, realm, result);
    }`,
  },
  {
    name: 'a refusal is kept only where its author may write',
    file: 'src/authority/admission.cc',
    from: `  return pushed.after.front().first;
`,
    to: `  static const std::string nowhere;
  return nowhere;
`,
  },
  {
    name: 'the bytes of refusals are not counted',
    file: 'src/authority/chain.cc',
    from: `  row.refused_bytes += WriteJson(answer).size();
  row.changed = true;`,
    to: '  row.changed = true;',
  },
  {
    name: 'an update changes any number of rows',
    file: 'src/authority/admission.cc',
    from: 'if (journal.size() > kMaxRowsPerUpdate) {',
    to: 'if (journal.size() > 100 * kMaxRowsPerUpdate) {',
  },
  {
    name: 'rows as they were before one update may have any size',
    file: 'src/authority/admission.cc',
    from: 'if (bytes <= kMaxBeforeBytes) return std::nullopt;',
    to: 'if (bytes <= 100 * kMaxBeforeBytes) return std::nullopt;',
  },
  {
    name: 'a commit writes all that it was given, whatever that comes to',
    file: 'src/authority/admission.cc',
    from: 'if (before_bytes_ > kMaxBeforeBytesPerCommit) return',
    to: 'if (before_bytes_ > 100 * kMaxBeforeBytesPerCommit) return',
  },
  {
    name: 'an update is judged again as often as its rounds allow',
    file: 'src/authority/admission.cc',
    from: 'rounds_ <= kMaxAdmissionRounds && judged_ <= kMaxJudged;',
    to: 'rounds_ <= kMaxAdmissionRounds;',
  },
  {
    name: 'a transaction over more realms than a server takes is made',
    file: 'src/client/transaction.cc',
    from: 'if (realms > kMaxRealmsPerUpdate) {',
    to: 'if (realms > 100 * kMaxRealmsPerUpdate) {',
  },
  {
    name: 'the rows of what was refused are asked for again',
    file: 'src/authority/admission.cc',
    from: 'if (answer || !pushed.update || RefusalOf(request, pushed) != nullptr) continue;',
    to: 'if (answer || !pushed.update) continue;',
  },
  {
    name: 'of the realms that an update spans only the first is looked at where ranges are cut',
    file: 'src/authority/pull.cc',
    from: 'std::none_of(spans.begin(), spans.end(), is_beyond)',
    to: '(spans.empty() || !is_beyond(*spans.begin()))',
  },
  {
    name: 'rows where one may not look are changed',
    file: 'src/authority/judgement.cc',
    from: `      if (access == Access::kHidden) {
        judgement_.noops.push_back(index);
        return;
      }
`,
    to: '',
  },
  {
    name: 'rows are changed where one may only read, unless by a create',
    file: 'src/authority/judgement.cc',
    from: 'access == Access::kReadOnly || (access',
    to: '(access == Access::kReadOnly && op.Has(kCreates)) || (access',
  },
];
