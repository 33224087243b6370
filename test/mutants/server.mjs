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
    name: 'the seal of a lastUpdateTime is not checked',
    test: 'test/server/table-time.test.ts',
    file: 'server/src/plain/sealed-time.ts',
    from: 'if (given.length !== mac.length || !timingSafeEqual(given, mac)) return null;',
    to: "if (!text.startsWith('{') || given.length > 99 || !timingSafeEqual(mac, mac)) return null;",
  },
  {
    name: 'a lastUpdateTime is not of one user',
    test: 'test/server/table-time.test.ts',
    file: 'server/src/plain/sealed-time.ts',
    from: 'JSON.stringify([user.id, table, text])',
    to: 'JSON.stringify([user.id.length > 0, table, text])',
  },
  {
    name: 'realms of a lastUpdateTime are looked up before the rights to them',
    test: 'test/server/table-time.test.ts',
    file: 'server/src/plain/sealed-time.ts',
    from: 'Object.entries(heads).filter(([realm]) => realms.has(realm))',
    to: 'Object.entries(heads).filter(() => realms.size > 0)',
  },
  {
    name: 'a page of a table is bounded in rows only',
    test: 'test/server/table-time.test.ts',
    file: 'server/src/plain/plain-table.ts',
    from: 'const bytes = String(limits.tableBytes);',
    to: 'const bytes = String(limits.tableBytes * 1e6);',
  },
  {
    name: 'an image is offered that the store does not have any more',
    test: 'test/server/image-realms.test.ts',
    file: 'server/src/image/images.ts',
    from: 'const isThere = made !== null && (await this.#store.has(made));',
    to: 'const isThere = made !== null;',
  },
  {
    name: 'so many images are kept of all realms together',
    test: 'test/server/folder-store.test.ts',
    file: 'server/src/image/folder-store.ts',
    from: 'this.#held.filter(({ kept }) => kept.realm === realm);\n    const extra',
    to: 'this.#held.filter(() => realm.length > 0);\n    const extra',
  },
  {
    name: 'the parts of filters are counted scope by scope',
    test: 'test/server/pull-cost.test.ts',
    file: 'server/src/cost/pull-cost.ts',
    from: '    if (where !== null) filters.add(where);',
    to: '    filters.add(["true"]);\n    if (where !== null) new FilterCount().add(where);',
  },
  {
    name: 'an index is taken for another of its name',
    test: 'test/server/tables.test.ts',
    file: 'server/src/sql/tables.ts',
    from: 'return index?.table === plain && index.columns.has(column);',
    to: 'return index !== undefined;',
  },
];
