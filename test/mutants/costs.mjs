// Mistakes about what a caller may cost, or learn: in the core, and in the server.

export const costs = [
  {
    name: 'rows of a hidden realm are asked for ahead',
    file: 'src/authority/judgement.cc',
    from: '    if (scene.RightIn(op.realm) == Right::kNone) continue;\n    scene.rows->Find({op.realm, op.key()});',
    to: '    scene.rows->Find({op.realm, op.key()});',
  },
  {
    name: 'an action that is in the log of a hidden realm is told',
    file: 'src/authority/admission_known.cc',
    from: '      if (scene.RightIn(realm) == Right::kNone) continue;\n      const auto found',
    to: '      const auto found',
  },
  {
    name: 'a refusal shows what a hidden realm has forgotten',
    file: 'src/authority/admission_known.cc',
    from: '      if (scene.RightIn(realm) == Right::kNone) continue;\n      const bool is_below',
    to: '      const bool is_below',
  },
];

export const costsOnServer = [
  {
    name: 'rows of a hidden realm are read ahead',
    test: 'test/server/hidden-realms.test.ts',
    file: 'server/src/push/ahead.ts',
    from: 'keys.add([realm, op.table, op.id], user.id);',
    to: 'keys.add([realm, op.table, op.id], null);',
  },
  {
    name: 'a membership that has ended opens the rows of its realm',
    test: 'test/server/hidden-realms.test.ts',
    file: 'server/src/sql/rows.ts',
    from: "m.id = a.realm || '/' || u.name and m.deleted_at is null limit 1) m)) k`",
    to: "m.id = a.realm || '/' || u.name limit 1) m)) k`",
  },
  {
    name: 'an update that reads too much is read again to be refused',
    test: 'test/server/commit.test.ts',
    file: 'server/src/push/ahead.ts',
    from: 'if (refuse.some((one) => one.client === client && one.id === update.id)) continue;',
    to: '',
  },
  {
    name: 'all realms that are new to a client come in one answer',
    test: 'test/server/member-limits.test.ts',
    file: 'server/src/pull/pull.ts',
    from: 'new Set(all.slice(limits.newRealmsPerPull))',
    to: 'new Set<string>()',
  },
  {
    name: 'sub-selects without an index cost nothing',
    test: 'test/server/reads.test.ts',
    file: 'server/src/pull/sub-selects.ts',
    from: '    left -= known;\n',
    to: '',
  },
  {
    name: 'a sub-select over a ref counts as one without an index',
    test: 'test/server/reads.test.ts',
    file: 'server/src/pull/sub-selects.ts',
    from: "select === 'id' || table.columns.some((c) => c.prop === select && c.isIndexed === true)",
    to: "select === 'id'",
  },
  {
    name: 'statistics of the tables are those of the start',
    test: 'test/server/statistics.test.ts',
    project: 'server',
    file: 'server/src/sql/statistics.ts',
    from: '    this.#since += rows;\n',
    to: '',
  },
  {
    name: 'writes begin on a disk without room',
    test: 'test/server/disk-full.test.ts',
    project: 'server',
    file: 'server/src/db/pglite.ts',
    from: "if (options.mode === 'write') await room?.check();",
    to: "if (options.mode === 'tables') await room?.check();",
  },
  {
    name: 'a database that does not start is started at each call',
    test: 'test/server/disk-full.test.ts',
    project: 'server',
    file: 'server/src/db/restarts.ts',
    from: 'if (before !== null && this.#steady() < before.until) throw before.error;',
    to: '',
  },
  {
    name: 'each look at the health of a server asks the database',
    test: 'test/server/clock.test.ts',
    file: 'server/src/db/clock.ts',
    from: 'if (steady() - this.#askedAt >= healthFreshMs) this.#ask();',
    to: 'this.#ask();',
  },
  {
    name: 'a database that does not answer counts as there for ever',
    test: 'test/server/clock.test.ts',
    file: 'server/src/db/clock.ts',
    from: 'if (steady() - this.#answeredAt >= healthWithinMs)',
    to: 'if (steady() - this.#askedAt >= healthWithinMs)',
  },
  {
    name: 'a file is compressed at each request',
    test: 'test/server/http-parts.test.ts',
    file: 'server/src/http/compressed.ts',
    from: '    if (known !== undefined) {',
    to: '    if (known === null) {',
  },
  {
    name: 'an address asks for the health of a server as often as it likes',
    test: 'test/server/callers.test.ts',
    file: 'server/src/http/app.ts',
    from: "app.get('/v1/health', stranger, async",
    to: "app.get('/v1/health', async",
  },
];
