// Mistakes in the server: `test` is the file of tests that has to notice, on PostgreSQL (mutants.mjs).

export const server = [
  {
    name: 'known updates are looked up before the realms are locked',
    test: 'test/server/commit.test.ts',
    file: 'server/src/push/commit.ts',
    from: `    const [, , heads, found, rows] = await Promise.all([
      bindClients(tx, units, this.#clients),
      beginRealms(tx, units, realms, this.#realms),
      lockRealms(tx, realms, wait),
      lookUp(tx, units, realms),`,
    to: `    const [, , found, heads, rows] = await Promise.all([
      bindClients(tx, units, this.#clients),
      beginRealms(tx, units, realms, this.#realms),
      lookUp(tx, units, realms),
      lockRealms(tx, realms, wait),`,
  },
  {
    name: 'rows are read in another snapshot than the head',
    test: 'test/server/nodes/snapshot.test.ts',
    file: 'server/src/db/postgres.ts',
    from: `snapshot: 'begin isolation level repeatable read read only',`,
    to: `snapshot: 'begin read only',`,
  },
  {
    name: 'the revision of an aborted transaction is not given to the next',
    test: 'test/server/commit.test.ts',
    file: 'server/src/push/locks.ts',
    from: `rows.map(({ realm, head, at }) => [realm, { head: Number(head), headAt: Number(at) }]),`,
    to: `rows.map(({ realm, head, at }) => {
      const given = ((globalThis as { given?: Map<string, number> }).given ??= new Map());
      const next = Math.max(Number(head), (given.get(realm) ?? -1) + 1);
      given.set(realm, next);
      return [realm, { head: next, headAt: Number(at) }];
    }),`,
  },
  {
    name: 'a refusal is not committed',
    test: 'test/server/push.test.ts',
    file: 'server/src/push/done.ts',
    from: "if (done.touched.length === 0 && chains === '[]') return;",
    to: 'if (done.touched.length === 0) return;',
  },
  {
    name: 'a serialization failure refuses an update',
    test: 'test/server/flusher.test.ts',
    file: 'server/src/db/database.ts',
    from: `return state.startsWith('22') || state.startsWith('23');`,
    to: `return /^(22|23|40)/.test(state);`,
  },
  {
    name: 'what follows a postponed update of its client goes first',
    test: 'test/server/flusher.test.ts',
    file: 'server/src/push/flusher.ts',
    from: 'if (!busy && !clients.has(client)) return true;',
    to: 'if (!busy) return true;',
  },
  {
    name: 'what waits for a group under way is overtaken by what came after it for the same client',
    test: 'test/server/flusher.test.ts',
    file: 'server/src/push/groups.ts',
    from: 'kept.add(push);\n      continue;',
    to: 'continue;',
  },
  {
    name: 'the rows of a realm that is not locked are written over',
    test: 'test/server/tables.test.ts',
    file: 'server/src/sql/rows.ts',
    from: 'const counts = tables.map((_, i) => `(select count(*) from written_${i})`);',
    to: 'const counts = [String(count)];',
  },
  {
    name: 'an authority that has trapped is used again',
    test: 'test/server/authority-trap.test.ts',
    file: 'server/src/authority/authority.ts',
    from: 'instance.trapped = error instanceof WebAssembly.RuntimeError;',
    to: '',
  },
  {
    name: 'what is sent puts off the deadline of answers',
    test: 'test/server/nodes/hang.test.ts',
    file: 'server/src/db/pg-connection.ts',
    from: 'if (this.#deadline === null) this.#await();',
    to: 'this.#await();',
  },
  {
    name: 'a default that only clients know',
    test: 'test/server/tables.test.ts',
    file: 'server/src/sql/defaults.ts',
    from: "return absent === null ? '' :",
    to: "return absent !== undefined ? '' :",
  },
  {
    name: 'rows that an older server left null are mended without being logged',
    test: 'test/server/tables.test.ts',
    file: 'server/src/sql/absent-props.ts',
    from: '    this.#tell(prop, `t.${column.name} is null`);\n',
    to: '',
  },
  {
    name: 'a default that has changed is not told',
    test: 'test/server/tables.test.ts',
    file: 'server/src/sql/absent-props.ts',
    from: 'if (changed && !this.#returns) this.#tell',
    to: "if (changed && prop.name === '') this.#tell",
  },
  {
    name: 'a node of an older release goes on beside a newer one',
    test: 'test/server/schema-sequences.test.ts',
    file: 'server/src/sql/newest-schema.ts',
    from: 'Number(newest.value) <= version',
    to: 'Number(newest.value) >= 0',
  },
  {
    name: 'a token without exp is good for ever',
    test: 'test/server/auth.test.ts',
    file: 'server/src/auth/auth.ts',
    from: 'if (payload.exp === undefined) {',
    to: "if (payload.sub === '') {",
  },
  {
    name: 'the previous key is not tried',
    test: 'test/server/auth.test.ts',
    file: 'server/src/auth/auth.ts',
    from: 'if (!isOther || i === keys.length - 1) throw refusal(error);',
    to: 'if (!isOther || i >= 0) throw refusal(error);',
  },
  {
    name: 'a development server answers under foreign names',
    test: 'test/server/auth.test.ts',
    file: 'server/src/auth/loopback.ts',
    from: "return name !== '' && (isLoopbackName(name) || more.has(name));",
    to: "return name !== '' || more.has(name);",
  },
];
