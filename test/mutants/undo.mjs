// Mistakes about undo, redo and restore (docs/design.md, "Undo").
export const undo = [
  {
    name: 'an undo sets a prop that somebody has changed since',
    file: 'src/log/fold_op.cc',
    from: '    if (!op.was.empty() &&\n        std::find(',
    to: '    if (op.was.size() > 99 &&\n        std::find(',
  },
  {
    name: 'an undo without effect counts as a change',
    file: 'src/log/fold_op.cc',
    from: 'if (!SetProps(op, &**row)) return false;',
    to: 'SetProps(op, &**row);',
  },
  {
    name: 'a restore makes a row in base, of what this client remembers',
    file: 'src/log/fold_op.cc',
    from: 'if (op.Has(kRestores) && (target == FoldTarget::kBase || !op.created_at)) return false;',
    to: 'if (op.Has(kRestores) && !op.created_at) return false;',
  },
  {
    name: 'ops of an undo are merged with others',
    file: 'src/log/fold_ops.cc',
    from: '  if (!op.of.empty()) return AddApart(op, tail);\n',
    to: '',
  },
  {
    name: 'an undo of what is not in the log has an effect',
    file: 'src/authority/judgement.cc',
    from: '    if (is_done) return true;\n',
    to: '    if (is_done || !op.Has(kRestores)) return true;\n',
  },
  {
    name: 'an undo of what did nothing has an effect',
    file: 'src/authority/admission.cc',
    from: '      if (vain.contains(place)) continue;\n',
    to: '',
  },
  {
    name: 'a move is undone from wherever the row is',
    file: 'src/authority/judgement.cc',
    from: '(!op.of.empty() && landed.realm != op.realm)',
    to: 'false',
  },
  {
    name: 'an undo of what is forgotten is a noop',
    file: 'src/authority/judgement.cc',
    from: 'if (floor > 0 && (!is_done ||',
    to: 'if (floor > 0 && is_done && (false ||',
  },
  {
    name: 'a restore brings back what others have deleted since',
    file: 'src/authority/restore.cc',
    from: 'return deleted && *deleted == entry_.revision;',
    to: 'return deleted.has_value();',
  },
  {
    name: 'a restore brings back what another action of the entry has deleted',
    file: 'src/authority/restore.cc',
    from: 'if (entry_.deleted_by_others.contains(key) || !entry_.before.contains(key)) return false;',
    to: 'if (!entry_.before.contains(key)) return false;',
  },
  {
    name: 'a restore brings back the row alone',
    file: 'src/authority/restore.cc',
    from: '        if (PutBack(ref)) back.push_back(ref.from);\n',
    to: '        (void)PutBack(ref);\n',
  },
  {
    name: 'a restore puts back a ref that somebody has set since',
    file: 'src/authority/restore.cc',
    from: 'if (!row || !row->props[ref.prop].is_null()) return false;',
    to: 'if (!row) return false;',
  },
  {
    name: 'a row that its entry has made as well is not made again',
    file: 'src/authority/restore.cc',
    from: 'return is_made_there ? restoring.Make(op) : restoring.Run(key.object);',
    to: 'return is_made_there ? Vector<PlacedKey>() : restoring.Run(key.object);',
  },
  {
    name: 'what this commit has done cannot be undone in it',
    file: 'src/authority/admission_undo.cc',
    from: '  if (undone_.empty()) return;\n',
    to: '  if (!undone_.empty()) return;\n',
  },
  {
    name: 'an undo cancels its action across a change of the same object',
    file: 'src/sync/cancelled.cc',
    from: '        between.insert(objects.begin(), objects.end());\n',
    to: '',
  },
  {
    name: 'two undos of one action cancel it, and one of them is pushed',
    file: 'src/sync/cancelled.cc',
    from: ' || !undone.insert(of).second) continue;',
    to: ') continue;',
  },
  {
    name: 'a restore is not followed by what was pending on the row',
    file: 'src/client/inverse.cc',
    from: '    if (confirmed) AddDifference(key, realm, *before, *confirmed);\n',
    to: '    (void)realm;\n',
  },
  {
    name: 'what was moved and deleted comes back where it was moved to',
    file: 'src/client/inverse.cc',
    from: '      return AddMoveBack(key, done, before);\n',
    to: '      return;\n',
  },
  {
    name: 'what is deleted with its parent is not restored at once',
    file: 'src/client/inverse.cc',
    from: '    if (!now) return AddRestore(key, before.realm, &before);\n',
    to: '    if (!now) return;\n',
  },
  {
    name: 'a redo puts back what the row was before the undo, not before others',
    file: 'src/client/inverse.cc',
    from: 'back == done.back.end() ? before->props[prop] : back->second',
    to: 'before != nullptr ? before->props[prop] : back->second',
  },
  {
    name: 'a change of many values is remembered whatever its size',
    file: 'src/client/inverse.cc',
    from: 'bytes <= most && ops.size()',
    to: 'ops.size()',
  },
  {
    name: 'what was undone can be redone after something new',
    file: 'src/client/undo_stack.cc',
    from: '  while (!redo_.empty()) DropNext(UndoWay::kRedo);\n',
    to: '',
  },
  {
    name: 'what was refused is offered to be undone',
    file: 'src/client/tab.cc',
    from: '    undo_.Refused(refusal.id);\n',
    to: '',
  },
  {
    name: 'what cannot be undone is offered for ever',
    file: 'src/client/client.cc',
    from: '  if (undoing_) tab_.undo().DropNext(*undoing_);\n',
    to: '',
  },
  {
    name: 'the log of undos has no end',
    file: 'src/client/undo_stack.cc',
    from: 'undo_.size() > kMaxUndoSteps || ',
    to: '',
  },
];

export const undoOfPackage = [
  {
    name: 'what must not be undone is',
    file: 'js/api/mutations.ts',
    from: 'undoable === false ? { undoable } : {},',
    to: '{},',
    test: 'test/js/undo.test.ts',
  },
];
export const undoOnServer = [
  {
    name: 'the rows of an entry come without those that it deleted',
    file: 'server/src/sql/done-actions.ts',
    from: 'and c.before is not null and not c.touch',
    to: 'and c.before is null and not c.touch',
    test: 'test/server/undo-client.test.ts',
  },
];
