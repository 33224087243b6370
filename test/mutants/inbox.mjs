// Mistakes about what a mutation changed from, and about the inbox (docs/design.md, "What a mutation changed from", "Refusals").
export const inbox = [
  {
    name: 'a mutation remembers an object as its last change found it',
    file: 'src/client/changed_rows.cc',
    from: 'if (IsFirst(key.table, at) && before.has_value()) rows_.push_back({key, *before});',
    to: 'if (before.has_value()) rows_.insert(rows_.begin(), {key, *before});',
  },
  {
    name: 'what a transaction changed is remembered with the next one',
    file: 'src/client/changed_rows.cc',
    from: '  marked_.clear();\n  rows_.clear();',
    to: '  marked_.clear();',
  },
  {
    name: 'a row that only differs in a few props is remembered whole, however large',
    file: 'src/client/changed_rows.cc',
    from: 'const bool are_whole = bytes <= kMaxWholeRowsBytes;',
    to: 'const bool are_whole = true;',
  },
  {
    name: 'a row that is deleted is remembered by what differs from nothing',
    file: 'src/client/changed_rows.cc',
    from: 'before.set = before.is_whole ? SetOf(row) : DifferenceOf(row, *now);',
    to: 'before.set = are_whole ? SetOf(row) : DifferenceOf(row, now.value_or(row));',
  },
  {
    name: 'rows of any size are remembered',
    file: 'src/client/changed_rows.cc',
    from: '    bytes += 40 + BytesOf(before.set);\n    if (bytes > kMaxRowsBeforeBytes) return {};\n    list.push_back(std::move(before));\n  }\n  return EncodeRowsBefore(view.schema(), list);',
    to: '    list.push_back(std::move(before));\n  }\n  return EncodeRowsBefore(view.schema(), list);',
  },
  {
    name: 'a row whose times alone have changed counts as changed',
    file: 'src/client/view.cc',
    from: 'before.has_value() && before->props == row->props && before->realm == row->realm;',
    to: 'false;',
  },
  {
    name: 'the others` side shows what is pending here',
    file: 'src/client/inbox.cc',
    from: 'view_->Confirmed(KeyIn(*schema_, index, change.id, change.realm));',
    to: 'view_->Visible(KeyIn(*schema_, index, change.id, change.realm));',
  },
  {
    name: 'the others` side stays as it was when the entry came',
    file: 'src/client/inbox.cc',
    from: 'if (theirs == change.theirs) continue;',
    to: 'if (n > 0) continue;',
  },
  {
    name: 'what is added to a number is shown without the number',
    file: 'src/client/inbox.cc',
    from: 'ShownOps(names, ops, is_dropped ? nullptr : schema_, change.base);',
    to: 'ShownOps(names, ops, is_dropped ? nullptr : schema_);',
  },
  {
    name: 'an entry is about the first object of its mutation',
    file: 'src/sync/quarantine.cc',
    from: 'if (op.id == why.id && names.table(op.table).name == why.table) return &op;',
    to: '',
  },
  {
    name: 'an amendment is made though its entry was settled before',
    file: 'src/client/tab_inbox.cc',
    from: '    if (stored.key.number() != tx->entry) continue;\n    if (tx->amendment',
    to: '    if (stored.key.number() != tx->entry && !tx->amendment.has_value()) continue;\n    if (tx->amendment',
  },
  {
    name: 'the entry of an amendment stays',
    file: 'src/client/tab_inbox.cc',
    from: '  tx->Settle(entry);\n  SetBase(&amendment.mutation);',
    to: '  SetBase(&amendment.mutation);',
  },
  {
    name: 'an amendment is shown before it is stored',
    file: 'src/client/client.cc',
    from: '      view_.Detach(pending.value().get());\n      view_.Derive();\n      tab_.Amend(',
    to: '      tab_.Amend(',
  },
  {
    name: 'what depends on an amended change stays in the inbox',
    file: 'src/client/tab_inbox.cc',
    from: '  tx->added.push_back({record.id, std::move(record), {}});\n  WriteDependants(tx, writes);',
    to: '  tx->added.push_back({record.id, std::move(record), {}});\n  writes->Push(DeleteWrite(Store::kConflicts, entry.key));',
  },
  {
    name: 'a number that is left to the others is added all the same',
    file: 'src/client/tab_inbox.cc',
    from: '    erase_if(op.add, is_theirs);\n',
    to: '',
  },
  {
    name: 'a prop that a change does not have is left to the others',
    file: 'src/client/tab_inbox.cc',
    from: '  if (!unknown.empty()) {',
    to: '  if (unknown.size() > 1000) {',
  },
];
