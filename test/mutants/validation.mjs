/** Mistakes about what the application's rules hold back: in windows, in workers, and in the rules' host. */
export const validation = [
  {
    name: 'a window that has seen the most counts only what is pending',
    file: 'src/client/tab_validation.cc',
    from: 'mirror_.HighestSeen()}',
    to: 'mirror_.pending().HighestKey()}',
  },
  {
    name: 'a service worker trusts what it was told of sockets',
    file: 'src/sync/sync_job.cc',
    from: 'connection.mode() == Mode::kLease && ',
    to: '',
  },
  {
    name: 'a mutation is free until it is judged',
    file: 'src/client/tab_commit.cc',
    from: '  pending->held = options_.remote && schema_->validates();\n',
    to: '',
  },
  {
    name: 'what is made again out of the inbox is free until it is judged',
    file: 'src/client/tab_validation.cc',
    from: '  record.held = schema_->validates();\n',
    to: '',
  },
  {
    name: 'what was judged while a mutation was written is not stored',
    file: 'src/client/tab_validation.cc',
    from: '  if (pending != nullptr && pending->held != stored.record.held) Unjudge(pending);\n',
    to: '',
  },
  {
    name: 'a window with less of the log replaces what another has judged',
    file: 'src/client/tab_validation.cc',
    from: '(other.n > own.n || other.key > own.key)',
    to: '(other.key > own.key)',
  },
  {
    name: 'a window with fewer of the mutations replaces what another has judged',
    file: 'src/client/tab_validation.cc',
    from: '(other.n > own.n || other.key > own.key)',
    to: '(other.n > own.n)',
  },
  {
    name: 'what a window that has ended had judged over more stays for ever',
    file: 'src/client/tab_validation.cc',
    from: '          if (Pending* pending = mirror_.pending().Find(record.id)) pending->judged_by = 0;\n',
    to: '',
  },
  {
    name: 'a window that was overruled does not judge again',
    file: 'src/client/tab_validation.cc',
    from: '  if (tx->was_overruled) ReadLater(effects);\n',
    to: '',
  },
  {
    name: 'an earlier release frees what a later one has held',
    file: 'src/client/tab_validation.cc',
    from: '      if (other.version > own.version) continue;\n',
    to: '',
  },
  {
    name: 'a mutation in an update is judged again',
    file: 'src/client/tab_validation.cc',
    from: ' || record.update.has_value()) continue;\n    if (record.judged',
    to: ') continue;\n    if (record.judged',
  },
  {
    name: 'a worker does not hear that something is free',
    file: 'src/client/tab_validation.cc',
    from: '  if (tx->frees) Post(MutatedMessage(), effects);\n',
    to: '',
  },
  {
    name: 'a worker is answered before the result is stored',
    file: 'src/client/tab_validation.cc',
    from: '  if (tx.held.empty()) return AnswerValidated(effects);\n',
    to: '  AnswerValidated(effects);\n  if (tx.held.empty()) return;\n',
  },
  {
    name: 'a release without rules leaves what earlier ones have held',
    file: 'src/client/tab_validation.cc',
    from: '(is_other_list && mirror_.pending().saw_held())) Judge',
    to: '(is_other_list && false)) Judge',
  },
  {
    name: 'one more changed row than is named is forgotten',
    file: 'src/client/view.cc',
    from: '  if (changed_objects_->keys.size() == kMaxChangedObjects) return WillChangeAll();\n',
    to: '  if (changed_objects_->keys.size() == kMaxChangedObjects) return;\n',
  },
  {
    name: 'a release without rules obeys what an earlier one has judged',
    file: 'src/sync/grouping.cc',
    from: 'return record.held && (schema_->validates() || !is_of_earlier);',
    to: 'return record.held;',
  },
  {
    name: 'what refers to an object that a held mutation creates is pushed',
    file: 'src/sync/held_back.cc',
    from: '      if (op.Has(kCreates)) created_.insert',
    to: '      if (op.Has(kMoves)) created_.insert',
  },
  {
    name: 'a worker pushes without asking its windows',
    file: 'src/sync/sync_job.cc',
    from: '      if (WaitsForValidation(turn)) return;\n',
    to: '',
  },
  {
    name: 'the answer of an earlier release counts',
    file: 'src/sync/sync_job.cc',
    from: '  if (is_earlier || message.n < asked_n_',
    to: '  if (message.n < asked_n_',
  },
  {
    name: 'a worker waits for windows for ever',
    file: 'src/sync/sync_job.cc',
    from: '  turn->Timer(WorkerTimer::kValidate, state_->setup.times.validate_ms);\n',
    to: '',
  },
  {
    name: 'what is made without a network is put into an update where there are rules',
    file: 'src/sync/sync_job.cc',
    from: '(is_mutation && PullsFirst())',
    to: '(is_mutation && false)',
  },
];

export const validationOfPackage = [
  {
    name: 'what was wrong is not looked at again',
    file: 'js/api/validation.ts',
    from: '        for (const one of [row, ...(told ?? [])]) due.set(nameOf(one), one);\n',
    to: '        for (const one of [row, ...(told ?? [])]) nameOf(one);\n',
  },
  {
    name: 'a rule that throws holds a change for ever',
    file: 'js/api/validation.ts',
    from: '      report(where, cause);\n      return null;',
    to: '      report(where, cause);\n      return String(cause);',
  },
  {
    name: 'a rule may write',
    file: 'js/api/validation.ts',
    from: '    view.beginValidating();\n',
    to: '',
  },
  {
    name: 'rows of a window that has just opened are not looked at',
    file: 'js/api/validation.ts',
    from: '      this.#rest = this.#allRows();\n',
    to: '',
  },
  {
    name: 'who waits for all to be in step waits for what is held',
    file: 'js/api/sync-api.ts',
    from: 'if (pulled && this.input.window?.held)',
    to: 'if (pulled && this.input.window?.held === -1)',
  },
];
