// Mistakes where releases with other versions of a database meet (js/host/idb-schema.ts): what an upgrade does twice or not
// at all, whom it does not wait for, and what the former release does to what it does not know.

const contracts = 'test/browser/contracts.test.ts';
const windows = 'test/js/newer-version.test.ts';

export const storage = [
  {
    name: 'an upgrade makes the stores again that are there',
    test: contracts,
    file: 'js/host/idb-schema.ts',
    from: 'schema.slice(version).flat()',
    to: 'schema.flat()',
  },
  {
    name: 'a change of an upgrade does not wait for the one before it',
    test: contracts,
    file: 'js/host/idb-open.ts',
    from: '() => next(at + 1), fail);',
    to: '() => {}, fail), next(at + 1);',
  },
  {
    name: 'what a step of an upgrade throws is passed over',
    test: contracts,
    file: 'js/host/idb-open.ts',
    from: 'fail(error);\n    }\n  };\n  listen(',
    to: 'then();\n    }\n  };\n  listen(',
  },
  {
    name: 'an upgrade that was refused happens later',
    test: contracts,
    file: 'js/host/idb-open.ts',
    from: 'if (isMissing || isLate) return',
    to: 'if (isMissing) return',
  },
  {
    name: 'a database of the former release counts as gone where it must exist',
    test: contracts,
    file: 'js/host/idb-open.ts',
    from: 'what.mustExist && event.oldVersion === 0',
    to: 'what.mustExist',
  },
  {
    name: 'an open that other windows block is not answered as that',
    test: contracts,
    file: 'js/host/idb-open.ts',
    from: '      isBlocked = true;\n',
    to: '',
  },
  {
    name: 'a window does not wait for the upgrade of another one',
    test: contracts,
    file: 'js/host/idb-open.ts',
    from: 'isElsewhere = true;\n        restart(what.upgradeLimitMs);',
    to: 'isElsewhere = true;',
  },
  {
    name: 'an upgrade does not tell the windows that wait for it',
    test: contracts,
    file: 'js/host/idb-open.ts',
    from: '          tell();\n',
    to: '',
  },
  {
    name: 'an older release deletes a newer database',
    test: contracts,
    file: 'js/host/idb-files.ts',
    from: '  await refuseNewer(name, schema, timeLimitMs);\n',
    to: '',
  },
  {
    name: 'a log-out of an older release closes the windows of a newer one',
    test: contracts,
    file: 'js/host/account.ts',
    from: '  await refuseNewer(database, schema, timeLimitMs);\n',
    to: '',
  },
  {
    name: 'a log-out is taken for a newer release',
    test: contracts,
    file: 'js/host/idb-schema.ts',
    from: 'newVersion !== null && newVersion !== aloneVersion',
    to: 'newVersion !== null',
  },
  {
    name: 'an old window keeps its connection, though a newer release waits for it',
    test: contracts,
    file: 'js/host/indexeddb.ts',
    from: 'setTimeout(() => this.close(), this.#settings.leaveLimitMs)',
    to: 'setTimeout(() => {}, this.#settings.leaveLimitMs)',
  },
  {
    name: 'an old window closes before it has stored what it was given',
    test: contracts,
    file: 'js/host/indexeddb.ts',
    from: "this.#go({ type: 'leaving', db, limit });\n",
    to: "this.#go({ type: 'leaving', db, limit });\n    this.close();\n",
  },
  {
    name: 'a window that was frozen while its database was upgraded waits for it for ever',
    test: contracts,
    file: 'js/host/indexeddb.ts',
    from: "if (isNewer && this.#state === opening) this.#lost('newer-version', null);",
    to: 'void isNewer;',
  },
  {
    name: 'a window that makes way does not wait until its changes are stored',
    test: windows,
    file: 'js/api/database-core.ts',
    from: "this.close('deleted-or-upgraded', true)",
    to: "this.close('deleted-or-upgraded')",
  },
  {
    name: 'the application does not hear that a newer release runs',
    test: windows,
    file: 'js/api/database-core.ts',
    from: "    events.updateNeeded('newer-tab');\n",
    to: '',
  },
  {
    name: 'a window that a newer release overtakes while it opens opens all the same',
    test: windows,
    file: 'js/api/database.ts',
    from: '      if (!isLeft) return both;\n',
    to: '      if (both) return both;\n',
  },
];
