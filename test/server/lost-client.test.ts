// Goal: a client whose server was restored to a backup from before a realm keeps the realm's rows, says so, and writes
// nothing to them; a realm of which the user was removed leaves, as ever. Method: the package's own client, on a memory
// host, against the real server, whose tables are set back by hand.
import { http, open, ReadOnlyError, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { expect, test } from 'vitest';
import { postgresUrl, runSql } from './support/database.ts';
import { Nodes } from './support/nodes.ts';

const app = schema({ notes: table({ title: t.string() }) }, { version: 1 });

test.skipIf(postgresUrl === undefined)('rows of a lost realm stay, and are only read', async () => {
  const nodes = new Nodes(undefined, app);
  try {
    const { url } = await nodes.start(0);
    const db = await open({
      name: 'lost',
      schema: app,
      host: memory({
        workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
        transport: fetchTransport,
      }),
      user: 'anna',
      scopes: 'all',
      remote: http(`${url}/v1`, { token: async () => 'dev:anna' }),
    });
    const tables = [
      'realm',
      'log',
      'change',
      'action',
      'chain',
      'membership',
      'user_rights',
      'rights_given',
    ];
    const all = ['public.notes', ...tables.map((name) => `skerry.${name}`)];
    const sql = (text: (name: string, copy: string) => string) =>
      nodes
        .databaseUrl()
        .then((at) =>
          runSql(
            at,
            `begin; ${all.map((name, i) => text(name, `skerry.backup_${i}`)).join(';')}; commit`,
          ),
        );
    const kept = db.realms.create();
    db.transact((tx) => tx.notes.create({ title: 'kept', realm: kept.result }));
    await db.sync.waitForSync();
    await sql((name, copy) => `create table ${copy} as select * from ${name}`);
    const realm = db.realms.create().result;
    const id = db.transact((tx) => tx.notes.create({ title: 'only here', realm })).result;
    await db.sync.waitForSync();
    await db.sync.now();
    expect(db.sync.status.lost).toEqual([]);
    await sql((name, copy) => `delete from ${name}; insert into ${name} select * from ${copy}`);
    await db.sync.now();
    await expect.poll(() => db.sync.status.lost).toEqual([realm]);
    expect(db.notes.get(id)?.title).toBe('only here');
    expect(db.realms.role(realm)).toBe('owner');
    expect(() => db.transact((tx) => tx.notes.update(id, { title: 'changed' }))).toThrow(
      ReadOnlyError,
    );
    expect(() => db.realms.invite(realm, 'bo', 'reader')).toThrow(ReadOnlyError);
    // It stays so, while the other realms go on.
    db.transact((tx) => tx.notes.create({ title: 'more', realm: kept.result }));
    await db.sync.waitForSync();
    await db.sync.now();
    expect(db.sync.status).toMatchObject({ lost: [realm], pending: 0, error: null });
    expect(
      db.notes
        .all()
        .map(({ title }) => title)
        .sort(),
    ).toEqual(['kept', 'more', 'only here']);
    await db.close();
  } finally {
    await nodes.remove();
  }
});
