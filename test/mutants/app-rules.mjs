/** Mistakes about the rules of the application that the server asks: in the admission, in `skerry/rules`, and in the server. */
const asked = { file: 'src/authority/app_rules.cc' };
const reader = { file: 'src/authority/rule_reader.cc' };
const js = { file: 'js/rules/index.ts', test: 'test/js/rules.test.ts' };
const server = { test: 'test/server/rules.test.ts' };
const failures = {
  test: 'test/server/app-rules.test.ts',
  file: 'server/src/rules/app-rules.ts',
};

export const appRules = [
  {
    name: 'a rule is asked about rows that were only touched',
    ...asked,
    from: 'touched.contains(key) || ',
    to: '',
  },
  {
    name: 'a rule is asked about memberships',
    ...asked,
    from: ' || key.object.table == schema_->members()',
    to: '',
  },
  {
    name: 'what was answered before an earlier action was refused stands',
    ...asked,
    from: '      later->second.is_answered = false;\n',
    to: '      later->second.is_answered = true;\n',
  },
  {
    name: 'an answer over what a refused action has done is taken',
    ...asked,
    from: 'if (is_void || ',
    to: 'if (',
  },
  {
    name: 'a rule reads as if the action had been done already',
    ...reader,
    from: 'read.before ? When::kBefore : When::kNow',
    to: 'When::kNow',
  },
  {
    name: 'rows that have no details are not found by a rule',
    ...reader,
    from: 'parts[0].Is("not") ? !is_negated : is_negated',
    to: 'is_negated',
  },
  {
    name: 'a query of a rule does not say what is wrong with it',
    ...asked,
    from: 'value.ok() ? value.value() : ErrorToData(value.status())',
    to: 'value.ok() ? value.value() : Data()',
  },
  {
    name: 'the rules are asked about one update after the other',
    file: 'src/authority/admission_ahead.cc',
    from: '  if (asks) scene.app_rules',
    to: '  if (asks && index > 99) scene.app_rules',
  },
  {
    name: 'the rules are asked ahead about a realm that is being changed',
    file: 'src/authority/admission_rules.cc',
    from: 'return is_apart && !ChainAnswer',
    to: 'return !ChainAnswer',
  },
  {
    name: 'answers about a realm outlive what reaches into it',
    file: 'src/authority/admission.cc',
    from: '  if (!ChangesOnlyItsRealms(*pushed)) ForgetAnswers();\n',
    to: '',
  },
  {
    name: 'what a client pushes after a rule has failed is decided',
    file: 'src/authority/admission_rules.cc',
    from: '  postponed_.insert(request.client);\n',
    to: '',
  },
  {
    name: 'the rules use up the rounds of a commit',
    file: 'src/authority/admission_rules.cc',
    from: '  if (!asked.empty()) --rounds_;\n',
    to: '',
  },
  {
    name: 'a refusal by a rule names no op',
    file: 'src/authority/judgement.cc',
    from: 'problem.key ? cascade.CauseOf(*problem.key) : std::nullopt',
    to: 'std::nullopt',
  },
  {
    name: 'what a rule failed over is made again under the same release',
    file: 'src/client/tab_inbox.cc',
    from: 'entry.record.schema.value_or(UINT64_MAX) < schema_->version()',
    to: 'entry.record.schema.has_value()',
  },
  {
    name: 'an entry does not say under which schema a rule failed',
    file: 'src/sync/quarantine.cc',
    from: '  if (why.code == kInternal) entry.schema = schema_->version();\n',
    to: '',
  },
  {
    name: 'a restore of an older release lacks the props that are newer',
    file: 'src/log/op_codec.cc',
    from: '      if (is_whole && op->created_at) AddDefaults(op->table, in->schema(), &op->set, false);\n',
    to: '',
  },
];

export const appRulesOfPackage = [
  {
    name: 'a rule that catches all errors is believed',
    ...js,
    from: 'return view.missing.length > missing ? undefined : { value };',
    to: 'return { value };',
  },
  {
    name: 'what was wrong before is refused',
    ...js,
    from: '!old.has(nameOf(problem))',
    to: '!old.has("")',
  },
  {
    name: 'a sentence is repeated for every row',
    ...js,
    from: '    said.add(problem.message);\n',
    to: '',
  },
  {
    name: 'a rule reads without end',
    ...js,
    from: '> mostReads;',
    to: '> 10 * mostReads;',
  },
  {
    name: 'a rule that is slow is named each time',
    ...js,
    from: ' || ms < 2 * (this.#slow.get(of) ?? 0)',
    to: '',
  },
  {
    name: 'rows are asked for one after the other',
    ...js,
    file: 'js/rules/read-view.ts',
    from: '        missing = error;\n',
    to: '        throw error;\n',
  },
];

export const appRulesOnServer = [
  {
    name: 'a change that a rule fails over is never refused',
    ...failures,
    from: 'now - since >= ruleLimits.failureMs',
    to: 'now - since > ruleLimits.failureMs',
  },
  {
    name: 'a rule that fails is asked again at once',
    ...failures,
    from: 'now - last < ruleLimits.retryMs',
    to: 'now - last < 0',
  },
  {
    name: 'a failure is forgotten when the rule reads',
    ...failures,
    from: 'failure !== undefined && answer?.reads === undefined',
    to: 'failure !== undefined',
  },
  {
    name: 'rules that cannot run are the fault of an action',
    ...failures,
    from: 'if (!(error instanceof RulesAway)) throw error;',
    to: 'if (!(error instanceof RulesAway)) throw error;\n      for (const question of questions) this.#note(question, { place: question.place, failed: "x" });',
  },
  {
    name: 'two commits ask the rules at once',
    ...failures,
    file: 'server/src/rules/rules-link.ts',
    from: 'const asked = this.#last.then(async () => {',
    to: 'const asked = Promise.resolve().then(async () => {',
  },
  {
    name: 'all actions of a question are at fault',
    ...server,
    file: 'server/src/rules/rules-link.ts',
    from: 'return this.#oneByOne(questions);',
    to: 'return questions.map((question) => this.#failed(question, error));',
  },
  {
    name: 'the rows of a seed are put to the rules',
    test: 'test/server/rules-options.test.ts',
    file: 'server/src/seed/seed.ts',
    from: '      isRuled: false,\n',
    to: '',
  },
  {
    name: 'what a rule failed over is answered as if it were left',
    ...server,
    file: 'server/src/push/unit-results.ts',
    from: 'if (unit.client === client && flat[i] === null) yield',
    to: 'if (unit.client === client && flat[i] === undefined) yield',
  },
];
