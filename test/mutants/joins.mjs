// Mistakes in scopes with sub-selects, which the core's tests have to notice, or the named test of the server (mutants.mjs
// says what they are).

export const joins = [
  {
    name: 'a join scope is evaluated with the inner rows of today',
    file: 'src/authority/pull_joins.cc',
    from: 'PullNeeds::Selected need{name, i, {}, range.from.revision};',
    to: 'PullNeeds::Selected need{name, i, {}, realm.now.head};',
  },
  {
    name: 'a page of a join scope is sent before its inner scope is filled',
    file: 'src/authority/scope.cc',
    from: 'if (list_[i].is_filled || list_[i].waits) continue;',
    to: 'if (list_[i].is_filled) continue;',
  },
  {
    name: 'an inner row that leaves takes no outer row along',
    file: 'src/authority/pull_joins.cc',
    from: '    if (!start.is_null()) affected.push_back(start);\n',
    to: '',
  },
  {
    name: 'an outer row that changes beyond a range is no candidate in it',
    file: 'src/authority/pull_joins.cc',
    from: 'if (!value.is_null() && affected.contains(SelectableOf(value)))',
    to: 'if (false)',
  },
  {
    name: 'a join scope stays as it is when inner changes are left out',
    file: 'src/authority/pull_unread.cc',
    from: '  SpreadUnread(joins);\n',
    to: '',
  },
  {
    name: 'inner rows select in every realm',
    file: 'src/log/record.cc',
    from: 'return {realm, {value.number(), value.text()}};',
    to: 'return {realm.substr(0, 0), {value.number(), value.text()}};',
  },
  {
    name: 'rows are dropped by a sub-select whose scope is not filled',
    file: 'src/sync/scopes.cc',
    from: 'EncodeData(can_evaluate ? scope.where : everything)',
    to: 'EncodeData(can_evaluate || !scope.table.empty() ? scope.where : everything)',
  },
  {
    name: 'an inner scope goes while an outer one needs it',
    file: 'src/sync/scopes.cc',
    from: '    if (!IsNeeded(kept, one.scope)) {',
    to: '    if (!one.scope.table.empty()) {',
  },
  {
    name: 'a join scope stays filled when its inner scope begins again',
    file: 'src/sync/pull_fold_scopes.cc',
    from: '  is_refilled = RefillOuter() || is_refilled;\n',
    to: '',
  },
  {
    name: 'a scope over a scope that begins again by its own sub-select goes on',
    file: 'src/authority/pull_unread.cc',
    from: '      has_grown = true;\n',
    to: '',
  },
];

const test = 'test/server/joins.test.ts';

export const joinsOnServer = [
  {
    name: 'inner changes beyond the end of a range are not read',
    test,
    file: 'server/src/pull/reading.ts',
    from: 'const text = await readToHead(tx, asked, limits.joinRows);',
    to: "const text = '';",
  },
  {
    name: 'inner rows that have changed since count as they are today',
    test,
    file: 'server/src/pull/join-reads.ts',
    from: "const unchanged = 'i.realm = k.realm and i.revision <= k.upto';",
    to: "const unchanged = 'i.realm = k.realm';",
  },
  {
    name: 'a page looks for inner rows in every realm',
    test: 'test/server/pages.test.ts',
    file: 'server/src/sql/filter.ts',
    from: '`${nested}.realm = ${of}.realm\n      and',
    to: '`true and',
  },
  {
    name: 'any number of outer rows is compared for one inner row',
    test: 'test/server/joins-large.test.ts',
    file: 'server/src/pull/reading.ts',
    from: 'const { joinRows: rows, entryBytes: bytes, unindexedRows: looks } = limits;',
    to: 'const { entryBytes: bytes, unindexedRows: looks } = limits;\n    const rows = 100 * limits.joinRows;',
  },
];
