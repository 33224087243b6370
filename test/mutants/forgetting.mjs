// Mistakes about a log that is forgotten (docs/design.md, "Compaction"), in the core and the server (mutants.mjs).

export const forgetting = [
  {
    name: 'an outcome is forgotten before its client knows it',
    file: 'src/authority/log_forgetting.cc',
    from: 'entry.revision == forgotten.floor || IsUnseen(entry);',
    to: 'entry.revision == forgotten.floor;',
  },
  {
    name: 'the entry that names the founder is forgotten',
    file: 'src/authority/log_forgetting.cc',
    from: 'entry.revision == 1 || ',
    to: '',
  },
  {
    name: 'the entry by which cursors at the floor are known is forgotten',
    file: 'src/authority/log_forgetting.cc',
    from: 'entry.revision == forgotten.floor || ',
    to: '',
  },
  {
    name: 'an entry is forgotten that is just old enough',
    file: 'src/authority/log_forgetting.cc',
    from: 'if (entry.at >= before) break;',
    to: 'if (entry.at > before) break;',
  },
  {
    name: 'a floor goes back',
    file: 'src/authority/log_forgetting.cc',
    from: 'if (entry.revision < forgotten.floor) continue;',
    to: '',
  },
  {
    name: 'a cursor below the floor counts as one of another history',
    file: 'src/authority/pull_own.cc',
    from: 'if (realm.mode != Mode::kRange || IsForgotten(realm)) continue;',
    to: 'if (realm.mode != Mode::kRange) continue;',
  },
  {
    name: 'a cursor below the floor goes on with what is left of the log',
    file: 'src/authority/pull_own.cc',
    from: 'return answer_.is_too_large;',
    to: 'return answer_.is_too_large = false;',
  },
  {
    name: 'a realm of another history is not told, if another one is forgotten',
    file: 'src/authority/pull_own.cc',
    from: 'is_any && answer_.reset.empty();',
    to: 'is_any;',
  },
  {
    name: 'rows that the client makes of own updates stay, though their ops are forgotten',
    file: 'src/authority/pull.cc',
    from: 'if (own.is_forgotten && found->second.mode == Mode::kState)',
    to: 'if (false)',
  },
  {
    name: 'an update of two realms is named in the one only whose log still has it',
    file: 'src/authority/pull_own.cc',
    from: '    for (const PulledOwn& own : realm.own) CollectSpans(own);',
    to: '',
  },
  {
    name: 'what was pushed under a former identity is applied once more',
    file: 'src/authority/admission_known.cc',
    from: 'if (!(follows && is_below) && !is_older) continue;',
    to: 'if (!is_older) continue;',
  },
  {
    name: 'a replayed action is applied once more when its id is forgotten',
    file: 'src/authority/admission_known.cc',
    from: 'if (!(follows && is_below) && !is_older) continue;',
    to: 'if (!(follows && is_below)) continue;',
  },
  {
    name: 'the age of a mutation that was never pushed makes it doubtful',
    file: 'src/authority/admission_known.cc',
    from: 'request.follows.is_said || action.is_again ||',
    to: 'action.at < kMaxTimeMs || request.follows.is_said || action.is_again ||',
  },
  {
    name: 'a change of an object that was deleted long ago is taken for done',
    file: 'src/authority/judgement.cc',
    from: 'if (!row && !op.Has(kCreates) && !op.Has(kDeletes) && !scene_.rows->WasThere(key) &&',
    to: 'if (!row && op.Has(kCreates) && op.Has(kDeletes) && !scene_.rows->WasThere(key) &&',
  },
  {
    name: '`if` holds over changes that are forgotten',
    file: 'src/authority/judgement.cc',
    from: 'if (row.revision > revision && scene_.HasForgottenSince(key.realm, revision)) return false;',
    to: '',
  },
  {
    name: 'a new identity does not say whom it follows',
    file: 'src/sync/push.cc',
    from: 'if (HasFormer(batch, outbox, sync)) {',
    to: 'if (false) {',
  },
  {
    name: 'a new identity follows the former one for ever',
    file: 'src/sync/push.cc',
    from: 'if (mutation.key.number() <= sync.follows->up_to) return true;',
    to: 'return true;',
  },
  {
    name: 'a mutation that the log had, and has forgotten, is pushed again',
    file: 'src/sync/pull_fold.cc',
    from: '} else if (IsForgotten(realm, revision)) {',
    to: '} else if (false) {',
  },
  {
    name: 'a retry of what is doubtful is as doubtful as before',
    file: 'src/client/tab_inbox.cc',
    from: 'mutation.action.at = now_ + clock_offset_;',
    to: '',
  },
  {
    name: 'an action is replayed that the server may have forgotten',
    file: 'src/client/client.cc',
    from: 'if (op.realm == realm && mutation.action.at <= at)',
    to: 'if (op.realm == realm && mutation.action.at < at)',
  },
];

export const forgettingOnServer = [
  {
    name: 'tombstones stay for ever',
    test: 'test/server/forget-log.test.ts',
    file: 'server/src/retention/log.ts',
    from: 'table === undefined\n      ? changes',
    to: 'table !== undefined\n      ? changes',
  },
  {
    name: 'the ids of kept actions are forgotten',
    test: 'test/server/retention.test.ts',
    file: 'server/src/retention/log.ts',
    from: "set actions = (select json_agg(json_build_object('id', x.action ->> 'id'))",
    to: "set answer = null, actions = (select json_agg(json_build_object('id', x.action ->> 'id'))",
  },
  {
    name: 'what a client has seen is not kept',
    test: 'test/server/forget-log.test.ts',
    file: 'server/src/push/done.ts',
    from: 'seen = greatest(k.seen, excluded.seen)),',
    to: 'seen = k.seen),',
  },
  {
    name: 'a table goes on from a time whose changes are forgotten',
    test: 'test/server/retention.test.ts',
    file: 'server/src/plain/plain-table.ts',
    from: ' and l.revision >= r.floor))::text as strange`',
    to: '))::text as strange`',
  },
  {
    name: 'the server does not remember that a client follows another one',
    test: 'test/server/retention.test.ts',
    file: 'server/src/push/locks.ts',
    from: 'if (follows.size === 0) return;',
    to: 'if (follows.size >= 0) return;',
  },
];
