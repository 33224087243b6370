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
    from: 'return /^(22|23|54)/.test(sqlState(error));',
    to: 'return /^(22|23|40|54)/.test(sqlState(error));',
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
    name: 'a limit is not checked before locking',
    test: 'test/server/push-cost.test.ts',
    file: 'server/src/http/app.ts',
    from: `    const cost = pushCost(updates, text.length);
`,
    to: `    const cost = { keys: 1, written: 1 };
`,
  },
  {
    name: 'realms that only ops name are not counted',
    test: 'test/server/push-cost.test.ts',
    file: 'server/src/cost/push-cost.ts',
    from: 'const named = realmsNamed(update);',
    to: 'const named = Object.keys(update.after as object);',
  },
  {
    name: 'actions are counted once, though each is looked up in every realm',
    test: 'test/server/push-cost.test.ts',
    file: 'server/src/cost/push-cost.ts',
    from: 'known += named.length * actions;',
    to: 'known += actions;',
  },
  {
    name: 'the depth of a body is not looked at',
    test: 'test/server/push-cost.test.ts',
    file: 'server/src/cost/push-cost.ts',
    from: 'if (depth > limits.jsonDepth)',
    to: 'if (depth > 100_000_000)',
  },
  {
    name: 'a number that is out of range is kept as null',
    test: 'test/server/push-cost.test.ts',
    file: 'server/src/cost/push-cost.ts',
    from: '!Number.isFinite(child)',
    to: 'Number.isNaN(child)',
  },
  {
    name: 'an id that no database can hold comes before it',
    test: 'test/server/push-cost.test.ts',
    file: 'server/src/cost/push-cost.ts',
    from: `return !text.includes('\\0') &&`,
    to: 'return',
  },
  {
    name: 'halving stops at class 23',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/division.ts',
    from: 'else if (owners.length > 1) await this.#divide(owners, error);',
    to: `else if (owners.length > 1 && !refusesValues(error)) {
        for (const owner of owners) this.fail(owner, error);
      } else if (owners.length > 1) await this.#divide(owners, error);`,
  },
  {
    name: 'a database that is away halves every group',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/division.ts',
    from: `if (isAway(error)) for (const owner of owners) this.fail(owner, error);
      else if`,
    to: 'if',
  },
  {
    name: 'a group is halved again and again though nobody is to blame',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/division.ts',
    from: 'if (isTooMuch && !this.#hasSucceeded) this.#hopeless = error;',
    to: '',
  },
  {
    name: 'a group is tried as often as one push before it is halved',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/division.ts',
    from: 'return this.#isWhole ? limits.groupTries : limits.partTries;',
    to: 'return limits.transactionTries;',
  },
  {
    name: 'a user by whom a group failed is grouped with others again',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/groups.ts',
    from: 'return !isApart(push) && !isApart(first);',
    to: 'return true;',
  },
  {
    name: 'a user who is kept apart holds up all others of its realms',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/groups.ts',
    from: 'kept.addClient(push);',
    to: 'kept.add(push);',
  },
  {
    name: 'what a commit leaves goes before what else waits',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/flusher.ts',
    from: 'behind < 0 ? this.#queue.length : behind',
    to: '0',
  },
  {
    name: 'what comes after an update that was left is committed before it',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/division.ts',
    from: 'all.filter(({ client }) => !this.#left.has(client));',
    to: 'all;',
  },
  {
    name: 'the bytes of a push that is passed over are not counted again',
    test: 'test/server/flusher.test.ts',
    file: 'server/src/push/flusher.ts',
    from: `    for (const waiting of pushes) this.#waitingBytes += waiting.bytes;
`,
    to: '',
  },
  {
    name: 'rights go by the user and not by the token',
    test: 'test/server/push-group.test.ts',
    file: 'server/src/push/commit.ts',
    from: `    if (!tokens.has(user)) tokens.set(user, tokens.size);
    const rights = tokens.get(user) as number;`,
    to: `    const known = [...tokens.keys()].find((other) => other.id === user.id) ?? user;
    if (!tokens.has(known)) tokens.set(known, tokens.size);
    const rights = tokens.get(known) as number;`,
  },
  {
    name: 'rows are read however many there are',
    test: 'test/server/tables.test.ts',
    file: 'server/src/sql/row-budget.ts',
    from: 'if (this.#rows < 0 || this.#bytes < 0) throw new TooMuchRead();',
    to: '',
  },
  {
    name: 'nobody who calls is heard between the transactions of one push',
    test: 'test/server/division.test.ts',
    file: 'server/src/push/flusher.ts',
    from: 'if (left.length > 0) await this.#options.pause(limits.pauseBesideLeftMs);',
    to: '',
  },
];
