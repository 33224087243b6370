/** Mistakes about own changes that others overwrite without having seen them. */
const told = { file: 'src/authority/pull_rows.cc' };
const own = { file: 'src/sync/own_changes.cc' };

export const overwritten = [
  {
    name: 'an update has mutations that were made over several revisions',
    file: 'src/sync/grouping.cc',
    from: ' &&\n                      BaseOf(candidate.mutations[0], realms[0]) == BaseOf(mutation, realms[0])',
    to: '',
  },
  {
    name: 'an own update above what others had seen is not told, if it lies at or below the cursor',
    ...told,
    from: 'may_concern || *base < range.from.revision ||',
    to: 'may_concern ||',
  },
  {
    name: 'an own update of the range does not count as unseen',
    ...told,
    from: 'may_concern || *base < range.from.revision || has_own;',
    to: 'may_concern || *base < range.from.revision;',
  },
  {
    name: '`over` is the highest revision that others had seen',
    ...told,
    from: 'lowest = std::min(',
    to: 'lowest = std::max(',
  },
  {
    name: 'own updates count as others that have overwritten a row',
    ...told,
    from: 'entry == range.entries.end() || entry->second.client == client',
    to: 'entry == range.entries.end()',
  },
  {
    name: 'what was changed beyond the range counts for `over`',
    ...told,
    from: '    if (revision > range.to) break;\n    const auto entry',
    to: '    const auto entry',
  },
  {
    name: 'a deletion has the revision of the end of the range',
    ...told,
    from: 'return next == found->second.begin() ? range->to : std::prev(next)->first;',
    to: 'return next == found->second.begin() || true ? range->to : std::prev(next)->first;',
  },
  {
    name: 'an op that followed a row to another realm does not say over what it was made',
    file: 'src/authority/admission_entries.cc',
    from: '    if (!entry.is_declared()) entry.base = Data::MakeObject().Set(key.realm, 0);\n',
    to: '',
  },
  {
    name: 'a row that a page brings does not say that it was overwritten',
    file: 'src/authority/pull_changes.cc',
    from: '    if (outcome != outcomes_.end() && outcome->second.change)\n      change.over = outcome->second.change->over;\n',
    to: '',
  },
  {
    name: 'who had seen a change has overwritten it',
    ...own,
    from: ' || revision->second <= *change.over',
    to: '',
  },
  {
    name: 'who came first has overwritten a change',
    ...own,
    from: '  if (revision->second >= change.revision) return false;\n',
    to: '',
  },
  {
    name: 'the same value overwrites',
    ...own,
    from: 'return *now != set.value;',
    to: 'return true;',
  },
  {
    name: 'a deletion overwrites nothing',
    ...own,
    from: 'if (change.kind == ChangeKind::kDelete) return true;',
    to: 'if (change.kind == ChangeKind::kDelete) return false;',
  },
  {
    name: 'what a later own change has set again was overwritten',
    ...own,
    from: 'set_later->contains(set_now.back()) ||',
    to: '',
  },
  {
    name: 'an overwritten change is told with every pull',
    ...own,
    from: '  own.keys = std::move(watched);\n',
    to: '',
  },
  {
    name: 'entries of what was overwritten pile up',
    ...own,
    from: '    if (is_replaced) {',
    to: '    if (is_replaced && stay.size() > 99) {',
  },
  {
    name: 'an entry of other props takes the place of one of what was overwritten',
    ...own,
    from: ' &&\n                 HasAllOf(entry.mine, stored.mine)',
    to: '',
  },
  {
    name: 'any number of entries of what was overwritten stays',
    ...own,
    from: 'i + kMaxOwnChanges < count && i < stay.size()',
    to: 'i > i',
  },
  {
    name: 'windows are not told of an inbox in which one entry took the place of another',
    file: 'src/sync/fenced_transaction.cc',
    from: 'inbox_changed_ = std::any_of(',
    to: 'inbox_changed_ = moved > 0 && std::any_of(',
  },
  {
    name: 'own changes are watched without end',
    ...own,
    from: 'kept.is_done = kept.record.confirmed < now_ - kOwnDays * kDayMs;',
    to: 'kept.is_done = false;',
  },
  {
    name: 'any number of own changes is watched',
    ...own,
    from: 'LeaveOld(count > kMaxOwnChanges ? count - kMaxOwnChanges : 0, &list);',
    to: 'LeaveOld(0, &list);',
  },
  {
    name: 'large changes are watched, too',
    ...own,
    from: '  if (bytes > kMaxOwnBytes) return std::nullopt;\n',
    to: '',
  },
  {
    name: 'revisions of another history are compared',
    ...own,
    from: 'if (at == times.end() || at->second <= up_to) revisions.erase(realm);',
    to: '',
  },
];
