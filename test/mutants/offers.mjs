// Mistakes about what clients give back to a restored server (docs/design.md, "Another history"; mutants.mjs).

const kRule = 'src/authority/offered.cc';
const kAdmission = 'src/authority/admission_offered.cc';
const kAppends = 'src/client/lost_appends.cc';
const kKnown = 'src/authority/admission_known.cc';
const kTest = 'test/server/offers.test.ts';
const kTakeBack = 'server/src/offers/take-back.ts';

export const offers = [
  {
    name: 'an older state of a row takes the place of a later one',
    file: kRule,
    from: '  if (at < last) return merge;\n',
    to: '',
  },
  {
    name: 'an offered row without its parent is left out and not refused',
    file: kAdmission,
    from: 'return refuse(kParentDeleted, kNoParent);',
    to: 'return;',
  },
  {
    name: 'an offered row that is in another realm is left out and not refused',
    file: kAdmission,
    from: 'return refuse(kRowDeleted, kElsewhere);',
    to: 'return;',
  },
  {
    name: 'what somebody has changed since is overwritten by an offer',
    file: kRule,
    from: 'changed[prop] = true;',
    to: 'changed[prop] = false;',
  },
  {
    name: 'an offer that was taken counts as a change by somebody',
    file: kRule,
    from: '    if (history.changes[i].offered) continue;\n',
    to: '',
  },
  {
    name: 'a row that somebody has deleted since is made again',
    file: kRule,
    from: 'if (!IsOfOffersOnly(history)) {\n      merge.kept = "row_deleted";',
    to: 'if (false) {\n      merge.kept = "row_deleted";',
  },
  {
    name: 'a row that somebody has made since takes an offer',
    file: kRule,
    from: 'if (before == nullptr || after == nullptr) return std::nullopt;',
    to: 'if (before == nullptr || after == nullptr) continue;',
  },
  {
    name: 'at equal times an offer takes the place of values',
    file: kRule,
    from: '} else if (at > last || value.is_null()) {',
    to: '} else {',
  },
  {
    name: 'the log does not keep the time of an offer',
    file: kAdmission,
    from: 'change.offered = found->second;',
    to: 'change.offered = {};',
  },
  {
    name: 'an offer that a rule refuses is kept all the same',
    file: kAdmission,
    from: '    rows_.DropStep();\n    if (judged.rejections.empty())',
    to: '    rows_.KeepStep();\n    if (judged.rejections.empty())',
  },
  {
    name: 'what others have changed since is told without its props',
    file: kRule,
    from: '      merge.props.push_back(set.prop);\n',
    to: '',
  },
  {
    name: 'an increment that may have been in a lost log is pushed again',
    file: 'src/sync/quarantine.cc',
    from: '[&](const Op& op) { return doubted->second.contains(op.realm); }',
    to: '[&](const Op& op) { return !doubted->second.contains(op.realm); }',
  },
  {
    name: 'rows that were not changed since the common point are offered',
    file: 'src/client/offers.cc',
    from: 'if (!row || row->revision <= common || ',
    to: 'if (!row || ',
  },
  {
    name: 'a client offers no props that somebody has cleared',
    file: 'src/client/offers.cc',
    from: 'if (!row->props[i].is_null() || table.props[i].optional) ',
    to: 'if (!row->props[i].is_null()) ',
  },
  {
    name: 'own changes from before the backup are told as lost',
    file: 'src/client/lost_changes.cc',
    from: ' || revision->second <= lost.common) continue;',
    to: ') continue;',
  },
  {
    name: 'own changes that others had changed again are told as lost',
    file: 'src/client/lost_changes.cc',
    from: 'return is_taken(set.prop) || (base && !(base->props[set.prop] == set.value));',
    to: 'return is_taken(set.prop);',
  },
  {
    name: 'what others have set since is told with the props that came back',
    file: 'src/client/lost_changes.cc',
    from: 'return !cause.props.empty() &&\n',
    to: 'return false && !cause.props.empty() &&\n',
  },
  {
    name: 'a deleted row comes back in an earlier state',
    file: kRule,
    from: '      merge.is_gone = true;\n',
    to: '',
  },
  {
    name: 'an offered delete takes a row away that others have changed since',
    file: kRule,
    from: 'if (now != nullptr) merge.kept = "overwritten";',
    to: 'if (now != nullptr) merge.op = offer;',
  },
  {
    name: 'a client gives back a delete of a row that is there again',
    file: 'src/client/offers.cc',
    from: 'if (deleted.revision > common && is_gone && ',
    to: 'if (deleted.revision > common && ',
  },
  {
    name: 'own deletes are not kept for a server that is restored',
    file: 'src/sync/own_changes.cc',
    from: 'return op.Has(kOnRow) && !op.Has(kOnlyNew) && op.of.empty() && op.table != schema.members();',
    to: 'return !op.set.empty() && !op.Has(kOnlyNew) && op.of.empty() && op.table != schema.members();',
  },
  {
    name: 'an increment that may have been given back counts again',
    file: kKnown,
    from: 'const bool was_sent = sent != request.sent.end() && sent->second < given_back;',
    to: 'const bool was_sent = false;',
  },
  {
    name: 'an increment that was sent when the rows were back is refused',
    file: kKnown,
    from: 'sent->second < given_back;',
    to: 'sent->second <= given_back;',
  },
  {
    name: 'an increment that is stored twice counts twice when it was given back',
    file: kKnown,
    from: 'was_sent || action.is_again || is_older',
    to: 'was_sent || is_older',
  },
  {
    name: 'an increment of another device counts twice when it was given back',
    file: kKnown,
    from: 'was_sent || action.is_again || is_older',
    to: 'was_sent || action.is_again',
  },
  {
    name: 'a push does not say what was sent before',
    file: 'src/sync/push.cc',
    from: '  if (!batch.sent.empty()) body.sent = batch.sent;\n',
    to: '',
  },
  {
    name: 'an update that is sent again knows what its client has read meanwhile',
    file: 'src/sync/push.cc',
    from: 'if (!update.sent.has_value()) update.sent = known;',
    to: 'update.sent = known;',
  },
  {
    name: 'an increment that is grouped again was never sent',
    file: 'src/sync/quarantine.cc',
    from: '    NoteSent(undone->second, &record);\n',
    to: '',
  },
  {
    name: 'an increment that was sent is grouped with others',
    file: 'src/sync/quarantine.cc',
    from: '  record->alone = true;\n}',
    to: '}',
  },
  {
    name: 'what was refused the first time counts as sent before',
    file: 'src/sync/push.cc',
    from: 'if (!Contains(asked_.ids, update.id)) return SentAt(update);',
    to: 'if (true) return SentAt(update);',
  },
  {
    name: 'what was appended to streams is not kept for a server that is restored',
    file: 'src/sync/own_changes.cc',
    from: '  if (op.Has(kOnStream)) return true;\n',
    to: '',
  },
  {
    name: 'actions of streams push changes of rows out of what is kept',
    file: 'src/sync/own_changes.cc',
    from: 'kept.record.keys.empty() != only_appends',
    to: 'only_appends',
  },
  {
    name: 'actions that the restored server has are appended again',
    file: kAppends,
    from: 'return append.revision <= common;',
    to: 'return append.revision < common;',
  },
  {
    name: 'actions of other realms are appended to the lost one',
    file: kAppends,
    from: 'if (op.Has(kOnStream) && op.realm == realm)',
    to: 'if (op.Has(kOnStream))',
  },
  {
    name: 'an action that the log has is told as lost',
    file: kAppends,
    from: 'if (actions.size() != 1 || code == "known_action") continue;',
    to: 'if (actions.size() != 1) continue;',
  },
  {
    name: 'after a refusal each action is appended by itself for good',
    file: kAppends,
    from: '    most_ = std::min(most_ * 2, kMaxAppendsAtOnce);\n',
    to: '',
  },
  {
    name: 'what is in the log again is forgotten, and is lost for good the second time',
    file: 'src/sync/own_changes.cc',
    from: 'if (at == times.end() || at->second <= up_to) revisions.erase(realm);',
    to: 'revisions.erase(realm);',
  },
  {
    name: 'where a delete is in the log again is not noted',
    file: 'src/client/offers.cc',
    from: 'if (deleted == nullptr || answer["revision"].is_null()) continue;',
    to: 'continue;',
  },
  {
    name: 'an action that is not taken back is not told',
    file: 'src/client/lost_changes.cc',
    from: 'if (is_lost && (is_refused || lost.all)) appends.push_back(op);',
    to: 'if (is_lost && lost.all) appends.push_back(op);',
  },
];

export const offersOnServer = [
  {
    name: 'a caller learns the common point of a hidden realm',
    test: kTest,
    file: kTakeBack,
    from: 'if (!isGranted && !readable.has(realm)) return kHidden;',
    to: '',
  },
  {
    name: 'an emptied database is filled again',
    test: kTest,
    file: kTakeBack,
    from: 'const isWelcome = common > 0 ||',
    to: 'const isWelcome = common >= 0 ||',
  },
  {
    name: 'an entry of after the restore counts as common',
    test: kTest,
    file: kTakeBack,
    from: ' and l.at <= $3::text::bigint\n',
    to: ' and $3::text::bigint > 0\n',
  },
  {
    name: 'changes of before the common point count as later ones',
    test: kTest,
    file: 'server/src/offers/since.ts',
    from: ' and c.revision > k.above\n',
    to: '\n',
  },
  {
    name: 'a realm does not keep when it was given rows back',
    test: kTest,
    file: 'server/src/push/done.ts',
    from: 'given_back = greatest(skerry.realm.given_back, excluded.given_back)',
    to: 'given_back = skerry.realm.given_back',
  },
  {
    name: 'the next push of a realm forgets when it was given rows back',
    test: kTest,
    file: 'server/src/push/done.ts',
    from: 'given_back = greatest(skerry.realm.given_back, excluded.given_back)',
    to: 'given_back = excluded.given_back',
  },
];
