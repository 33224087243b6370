// Mistakes in the authority's rules and limits, which the core's tests have to notice (mutants.mjs says what they are).

export const authority = [
  {
    name: 'an update of an earlier release is refused for what has no place',
    file: 'src/authority/admission.cc',
    from: '  if (is_older) Trim(pushed_data, &pushed);\n',
    to: '  static_cast<void>(is_older);\n',
  },
  {
    name: 'what has no place is left out for clients of any release',
    file: 'src/authority/admission_json.cc',
    from: 'request.older, std::move(request.sent)});',
    to: 'true, std::move(request.sent)});',
  },
  {
    name: 'a result names the ops that are left instead of those that were pushed',
    file: 'src/authority/admission_older.cc',
    from: '  if (!pushed.trimmed) return;\n',
    to: '  if (!pushed.trimmed || !pushed.dropped.empty()) return;\n',
  },
  {
    name: 'the log has what was left out of an update',
    file: 'src/authority/admission.cc',
    from: 'Apply(request, pushed->trimmed ? *pushed->trimmed : request.updates[index],',
    to: 'Apply(request, request.updates[index],',
  },
  {
    name: 'a pull does not repeat what was left out',
    file: 'src/log/wire/update_result.h',
    from: 'member.Optional("dropped", self.dropped);',
    to: '',
  },
  {
    name: 'an op stays in an update without anything that it changes',
    file: 'src/log/op_json.cc',
    from: '  return is_left || !is_trimmed;',
    to: '  return is_left || true;',
  },
  {
    name: 'a row that moves leaves no word where it went',
    file: 'src/authority/working_set.cc',
    from: '  entries_[from].remains->moved_to = row.realm;\n',
    to: '',
  },
  {
    name: 'a tombstone leads into realms that the author may not read',
    file: 'src/authority/scene.cc',
    from: 'if (!realm || !MaySee(*realm)) return nullptr;',
    to: 'if (!realm) return nullptr;',
  },
  {
    name: 'a row moves onto another one with its id',
    file: 'src/authority/judgement.cc',
    from: '    if (scene_.rows->Find(to)) {',
    to: '    if (false) {',
  },
  {
    name: 'rows of a forbidden realm are looked at',
    file: 'src/authority/judgement.cc',
    from: '    if (!judgement_.rejections.empty()) return std::move(judgement_);\n',
    to: '',
  },
  {
    name: 'all tokens of a commit have the rights of the last one',
    file: 'src/authority/admission.cc',
    from: 'input_.rights[request.rights]);',
    to: 'input_.rights.back());',
  },
  {
    name: 'an update may name any number of realms',
    file: 'src/authority/admission.cc',
    from: 'if (data.members().size() > kMaxRealmsPerUpdate) {',
    to: `if (data.members().size() > 1'000'000) {`,
  },
  {
    name: 'actions are limited in number like ops',
    file: 'src/log/update_json.cc',
    from: 'if (data.items().size() > kMaxActionsPerUpdate) {',
    to: 'if (data.items().size() > kMaxOpsPerUpdate) {',
  },
  {
    name: "an argument's bytes are counted once, though every realm keeps them",
    file: 'src/log/update_json.cc',
    from: 'if (bytes * update.after.size() <= kMaxActionBytesTimesRealms)',
    to: 'if (bytes <= kMaxActionBytesTimesRealms)',
  },
  {
    name: 'a rejection is kept in every realm that an update names',
    file: 'src/authority/admission.cc',
    from: '    chains_.Refuse(request.client, pushed.id, RealmOfRejection(request, pushed), answer);',
    to: `    for (const auto& [realm, link] : pushed.after) {
      chains_.Refuse(request.client, pushed.id, realm, answer);
    }`,
  },
  {
    name: 'a rejection is kept only where its author may write',
    file: 'src/authority/admission.cc',
    from: `  return pushed.after.front().first;
`,
    to: `  static const std::string nowhere;
  return nowhere;
`,
  },
  {
    name: 'the bytes of rejections are not counted',
    file: 'src/authority/chain.cc',
    from: `  row.refused_bytes += WriteJson(answer).size();
  row.changed = true;`,
    to: '  row.changed = true;',
  },
  {
    name: 'an update may change any number of rows',
    file: 'src/authority/admission.cc',
    from: 'if (rows_.changed_objects() > kMaxRowsPerUpdate) {',
    to: 'if (rows_.changed_objects() > 100 * kMaxRowsPerUpdate) {',
  },
  {
    name: 'the rows before an update may have any number of bytes',
    file: 'src/authority/admission.cc',
    from: 'if (bytes <= kMaxPriorRowBytes) return std::nullopt;',
    to: 'if (bytes <= 100 * kMaxPriorRowBytes) return std::nullopt;',
  },
  {
    name: 'a commit writes all updates that it was given, however large they are',
    file: 'src/authority/admission.cc',
    from: 'if (before_bytes_ > kMaxBeforeBytesPerCommit) return',
    to: 'if (before_bytes_ > 100 * kMaxBeforeBytesPerCommit) return',
  },
  {
    name: 'an update is judged again as often as its rounds allow',
    file: 'src/authority/admission.cc',
    from: 'rounds_ <= kMaxAdmissionRounds && judged_ <= kMaxAdmissionWork;',
    to: 'rounds_ <= kMaxAdmissionRounds;',
  },
  {
    name: "a child that names no realm does not go to its parent's",
    file: 'src/client/transaction.cc',
    from: 'if (!parent.ok() || parent.value() == kNoSlot) continue;',
    to: 'if (!parent.ok() || parent.value() != 1000) continue;',
  },
  {
    name: 'a transaction may span more realms than a server accepts',
    file: 'src/client/transaction_limits.cc',
    from: 'if (realms > kMaxRealmsPerUpdate) {',
    to: 'if (realms > 100 * kMaxRealmsPerUpdate) {',
  },
  {
    name: 'the rows of a rejected update are requested again',
    file: 'src/authority/admission_ahead.cc',
    from: 'if (!pushed.update || RefusalOf(request, pushed) != nullptr) {',
    to: 'if (!pushed.update) {',
  },
  {
    name: 'a cut range delays only the first of the realms that an update spans',
    file: 'src/authority/pull_ranges.cc',
    from: '        dependents[other].push_back({revision, name, entry->first});',
    to: '        dependents[other].push_back({revision, name, entry->first});\n        break;',
  },
  {
    name: 'an op other than a create changes a row in a realm that its author may only read',
    file: 'src/authority/judgement.cc',
    from: 'if (is_read_only && !IsLeave(*scene_.schema, op, scene_.user)) {',
    to: 'if (is_read_only && op.Has(kCreates)) {',
  },
  {
    name: 'an update is judged by the rights that it gives itself',
    file: 'src/authority/scene.cc',
    from: 'rows->FindBefore({',
    to: 'rows->Find({',
  },
  {
    name: 'a realm can be founded a second time',
    file: 'src/authority/membership.cc',
    from: '|| !state->second.exists || state->second.head > 0) return false;',
    to: '|| !state->second.exists) return false;',
  },
  {
    name: 'a second invitation lowers a role',
    file: 'src/model/members.cc',
    from: 'return !former.is_null() && RoleOf(former) > RoleOf(invited);',
    to: 'return !former.is_null() && RoleOf(former) < RoleOf(invited);',
  },
  {
    name: 'the last owner of a realm with members may go',
    file: 'src/authority/judgement.cc',
    from: 'if (HasOwner(scene_, realm)) continue;',
    to: 'if (!realm.empty()) continue;',
  },
  {
    name: 'a writer changes who the members are',
    file: 'src/authority/membership.cc',
    from: 'if (scene.RightIn(op.realm) == Right::kOwn) return std::nullopt;',
    to: 'if (scene.RightIn(op.realm) >= Right::kWrite) return std::nullopt;',
  },
  {
    name: 'a reader writes in a realm until the server refuses it',
    file: 'src/client/member_rights.cc',
    from: 'if (role == MemberRole::kReader) {',
    to: 'if (role == MemberRole::kReader && realm->empty()) {',
  },
  {
    name: 'a refused founding leaves what depends on it',
    file: 'src/sync/quarantine.cc',
    from: '      refused_foundings_.emplace(op.realm, record.id);',
    to: '      refused_creates_.emplace(op.key(), record.id);',
  },
  {
    name: 'a held founding holds nothing of its realm',
    file: 'src/sync/held_back.cc',
    from: 'realms_.insert(realm);',
    to: 'realms_.insert(own);',
  },
  {
    name: 'a leave of a realm that is gone goes to the inbox',
    file: 'src/sync/quarantine.cc',
    from: 'if (why != nullptr && OnlyLeaves(record, *why)) {',
    to: 'if (why != nullptr && record.realms.empty()) {',
  },
  {
    name: 'a retry leaves in the inbox what depends on it',
    file: 'src/client/tab_inbox.cc',
    from: 'other.depends_on.has_value() && tx->settled.contains(*other.depends_on);',
    to: 'other.depends_on.has_value() && tx->settled.contains(other.mutation.id);',
  },
  {
    name: 'rows of a revoked realm stay in an image',
    file: 'src/sync/image_job.cc',
    from: '(is_older(sync.image) || is_older(sync.previous));',
    to: 'is_older(sync.image);',
  },
  {
    name: 'a grant makes a realm that nobody has founded',
    file: 'src/authority/scene.cc',
    from: 'return has_begun || !IsFoundable(realm);',
    to: 'return has_begun || !realm.empty();',
  },
  {
    name: 'an update that leaves a realm may move a row into it, whatever the role',
    file: 'src/authority/judgement.cc',
    from: 'return (op.realm != realm && op.to != realm) || passes(op);',
    to: 'return op.realm != realm || passes(op);',
  },
];
