// Goal: the order of statements that exactly-once depends on. Method: the real authority over an empty database, with
// every statement recorded.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Authority } from '../../server/src/authority/authority.ts';
import { limits } from '../../server/src/base/limits.ts';
import type { Database, Queryable } from '../../server/src/db/database.ts';
import { Committer } from '../../server/src/push/commit.ts';
import { Flusher } from '../../server/src/push/flusher.ts';
import { RealmsBusy } from '../../server/src/push/locks.ts';
import type { Caller } from '../../server/src/rights/rights.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import { withMembers } from '../../server/src/sql/members.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { TooMuchRead } from '../../server/src/sql/row-budget.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { openTestDatabase } from './support/database.ts';
import { invite, remove, setRole } from './support/memberships.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';

const described = withMembers(testSchema);
let db: Database;
let authority: Authority;
let committer: Committer;
let statements: string[] = [];
/**
 * Runs before a statement of a recorded transaction: the work of another node. If it returns rows, these are the
 * answer.
 */
let meanwhile: ((sql: string, tx: Queryable) => Promise<object[] | undefined>) | null = null;

const user: Caller = {
  id: 'anna',
  grants: new Map([
    ['public', 'write'],
    ['user:anna', 'write'],
  ]),
  expires: null,
};

beforeAll(async () => {
  db = await openTestDatabase();
  const schema = sqlSchema(described);
  await migrate(db);
  await db.transaction({ mode: 'write' }, async (tx) => {
    await applySchema(tx, described, schema);
  });
  const recorded: Database = {
    ...db,
    transaction: (options, work) =>
      db.transaction(options, (tx) =>
        work({
          async query<Row extends object>(sql: string, params?: readonly (string | null)[]) {
            statements.push(sql.replace(/\s+/g, ' ').trim());
            const rows = await meanwhile?.(sql, tx);
            return (rows as Row[] | undefined) ?? tx.query<Row>(sql, params);
          },
        }),
      ),
  };
  authority = await Authority.load(described);
  committer = new Committer(recorded, authority, schema, { invitations: 'direct' });
});
beforeEach(() => {
  statements = [];
  meanwhile = null;
});
afterAll(async () => {
  await db.close();
  await authority.close();
});

const client = new WireClient('');
function commit(ops: readonly Json[], from = client) {
  const update = from.update(ops);
  return committer.commit([{ client: from.id, user, epoch: 1, update }], { wait: true });
}
const city = (id: string, set: Json = { name: id }) => ({
  op: 'create',
  table: 'cities',
  id,
  realm: 'public',
  set,
});

test('locks realms in a statement of its own, and looks everything up after it', async () => {
  await commit([city('lock-order')]);
  const lock = statements.findIndex(
    (sql) => sql.includes('skerry.realm') && sql.includes('for update'),
  );
  expect(lock).toBeGreaterThan(-1);
  expect(statements[lock]).not.toMatch(/skerry\.(log|chain|action|change)|public\./);
  const reads = statements
    .map((sql, i) => ({ sql, i }))
    .filter(({ sql }) => /skerry\.(log|chain|action|change)|public\."/.test(sql));
  expect(reads.length).toBeGreaterThan(1);
  for (const { i } of reads) expect(i).toBeGreaterThan(lock);
});

test('sees commits made during its wait for the lock, and logs no action twice', async () => {
  const rival = new WireClient('');
  const update = rival.update([city('rival')]);
  const [action] = update.actions as { id: string }[];
  // The rival's entry appears between the binding of the client and the lock, as after a wait for the lock.
  meanwhile = async (sql, tx) => {
    if (!sql.includes('for update') || !sql.includes('skerry.realm')) return undefined;
    meanwhile = null;
    await tx.query(
      `insert into skerry.action (realm, id, revision) values ('public', $1::text, 1)`,
      [action!.id],
    );
    return undefined;
  };
  const { results } = await committer.commit([{ client: rival.id, user, epoch: 1, update }], {
    wait: true,
  });
  expect(results[0]).toMatchObject({ status: 'rejected', known: { [action!.id]: 1 } });
});

test('refuses an update that reads too much, once, and what follows goes on', async () => {
  const rows = Math.ceil(limits.rowBytesPerTransaction / 1_000_000);
  await db.execute(
    `insert into cities (id, realm, revision, created_at, modified_at, name)
     select 'big-' || n, 'public', 1, now(), now(), repeat('x', 1000000) from generate_series(1, ${rows}) n`,
  );
  const flusher = new Flusher({
    ...{ committer, committed: () => {}, pause: async () => {} },
    shares: { charge: () => {}, restMs: () => 0 },
    log: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
  const from = new WireClient('');
  const push = (...updates: Json[]) =>
    flusher.push({
      ...{ client: from.id, user, epoch: 1, updates, bytes: 10_000 },
      cost: { keys: rows, written: 10_000 },
    });
  const change = (id: string) => ({ ...city(id), op: 'update', set: { country: 'SE' } });
  const large = from.update(Array.from({ length: rows }, (_, i) => change(`big-${i + 1}`)));
  const small = from.update([city('behind-it')]);
  for (let i = 0; i < 2; i++) {
    const { results } = await push(large, small);
    expect(results).toMatchObject([
      { status: 'rejected', rejected: [{ code: 'limit' }] },
      { status: 'held' },
    ]);
  }
  // As a client does: it groups what is behind anew.
  from.chain = {};
  const { results } = await push(from.update([city('behind-it')]));
  expect(results).toMatchObject([{ status: 'applied' }]);
  await flusher.close();
  await db.execute(`delete from cities where id like 'big-%'`);
});

test('beside the pushes of others an update reads less', async () => {
  const rows = Math.ceil(limits.rowBytesPerShared / 250_000);
  await db.execute(
    `insert into cities (id, realm, revision, created_at, modified_at, name)
     select 'half-' || n, 'public', 1, now(), now(), repeat('x', 250000) from generate_series(1, ${rows}) n`,
  );
  const from = new WireClient('');
  const ids = Array.from({ length: rows }, (_, i) => `half-${i + 1}`);
  const update = from.update(
    ids.map((id) => ({ ...city(id), op: 'update', set: { country: 'SE' } })),
  );
  const push = (isShared: boolean) =>
    committer.commit([{ client: from.id, user, epoch: 1, update }], { wait: true, isShared });
  await expect(push(true)).rejects.toThrow(TooMuchRead);
  expect((await push(false)).results).toMatchObject([{ status: 'applied' }]);
  await db.execute(`delete from cities where id like 'half-%'`);
});

test('locks more realms and starts again when a cascade needs them', async () => {
  const group = uuid7();
  const of = { table: 'userGroups', id: group, realm: 'public' };
  await commit([{ op: 'create', ...of, set: { name: 'g' } }]);
  await commit([{ op: 'create', table: 'members', id: uuid7(), realm: 'public', set: { group } }]);
  await commit([{ op: 'move', ...of, to: 'user:anna' }]);
  statements = [];
  // The op names a realm that the object has left: the row's realm counts, and must be locked first.
  const { results } = await commit([{ op: 'delete', ...of }]);
  expect(results[0]).toMatchObject({ status: 'applied' });
  const locks = statements.filter(
    (sql) => sql.includes('skerry.realm') && sql.includes('for update'),
  );
  expect(locks).toHaveLength(2);
  const [left] = await db.query<{ n: string }>(
    `select count(*)::text as n from public.members where deleted_at is null`,
  );
  expect(left?.n).toBe('0');
});

test('reports a locked realm if the caller does not want to wait', async () => {
  await commit([city('there')]);
  // Another node has locked the row: the statement skips it.
  meanwhile = async (sql) => (sql.includes('for update skip locked') ? [] : undefined);
  const update = client.update([city('busy')]);
  const pushed = committer.commit([{ client: client.id, user, epoch: 1, update }], { wait: false });
  const error = await pushed.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RealmsBusy);
  expect([...(error as RealmsBusy).realms]).toEqual(['public']);
});

test('a failed transaction leaves no gap: the next one gets its revision', async () => {
  const writer = new WireClient('');
  const first = await commit([city('abort-1')], writer);
  const revision = Number(((first.results[0] as Json).revisions as Json).public);
  // The database fails when everything is decided and a part of it is written.
  meanwhile = async (sql) => {
    if (!sql.includes('insert into skerry.log')) return undefined;
    meanwhile = null;
    throw new Error('the disk is full');
  };
  const update = writer.update([city('abort-2')]);
  const push = () =>
    committer.commit([{ client: writer.id, user, epoch: 1, update }], { wait: true });
  await expect(push()).rejects.toThrow('the disk is full');
  const { results } = await push();
  expect(results[0]).toMatchObject({ status: 'applied', revisions: { public: revision + 1 } });
  const [rows] = await db.query<{ n: string }>(
    `select count(*)::text as n from public.cities where id = 'abort-2'`,
  );
  expect(rows?.n).toBe('1');
});

test('sends the commit with the last statement, and keeps nothing if it fails', async () => {
  const write = (key: string, last: string) =>
    db.transaction({ mode: 'write' }, async (tx) => {
      await tx.query(`insert into skerry.meta values ($1::text, '')`, [key]);
      return tx.query<{ n: string }>(last, [], { last: true });
    });
  await expect(write('failed', 'select (1 / 0)::text as n')).rejects.toMatchObject({
    code: '22012',
  });
  expect(await write('written', `select '7' as n`)).toEqual([{ n: '7' }]);
  const kept = await db.query(`select key from skerry.meta where key in ('failed', 'written')`);
  expect(kept).toEqual([{ key: 'written' }]);
});

test('logs the changes of every entry, with the rows as they were before', async () => {
  await commit([city('before', { name: 'one' })], new WireClient(''));
  const writer = new WireClient('');
  const { results } = await commit(
    [{ op: 'update', table: 'cities', id: 'before', realm: 'public', set: { name: 'two' } }],
    writer,
  );
  const revision = String(((results[0] as Json).revisions as Json).public);
  const [change] = await db.query<{ before: string }>(
    `select before::text as before from skerry.change where realm = 'public' and revision = $1::text::bigint`,
    [revision],
  );
  expect(JSON.parse(change!.before)).toMatchObject({ id: 'before', props: { name: 'one' } });
  const [realm] = await db.query<{ head: string; rows: string; live: string }>(
    `select head::text as head, rows::text as rows,
            (select count(*) from public.cities where realm = 'public' and deleted_at is null)::text as live
       from skerry.realm where realm = 'public'`,
  );
  expect(realm).toEqual({ head: revision, rows: realm!.live, live: realm!.live });
});

test('writes remembered clients and realms again only if they have disappeared', async () => {
  const writer = new WireClient('');
  await commit([city('known-1')], writer);
  statements = [];
  await commit([city('known-2')], writer);
  expect(statements.filter((sql) => /insert into skerry\.client/.test(sql))).toEqual([]);
  // As after a restore from a backup that is older than all of it.
  for (const table of ['client', 'realm', 'log', 'change', 'action', 'chain']) {
    await db.query(`delete from skerry.${table}`);
  }
  const { results } = await commit([city('known-3')], new WireClient(''));
  expect(results[0]).toMatchObject({ status: 'applied', revisions: { public: 1 } });
  const again = await committer.commit(
    [{ client: writer.id, user, epoch: 1, update: writer.update([city('known-4')]) }],
    { wait: true },
  );
  expect(again.results[0]).toMatchObject({ status: 'unknown_client' });
  const [bound] = await db.query<{ user_id: string }>(
    `select user_id from skerry.client where client = $1::text`,
    [writer.id],
  );
  expect(bound?.user_id).toBe('anna');
});

test('judges by the memberships that are there when the realm is locked', async () => {
  const [anna, bo, realm] = [new WireClient(''), new WireClient('', 'bo'), uuid7()];
  const byBo = { id: 'bo', grants: new Map(), expires: null };
  const statusOf = async (from: WireClient, caller: Caller, op: Json, by = committer) => {
    const update = from.update([op]);
    const unit = { client: from.id, user: caller, epoch: 1, update };
    const { results } = await by.commit([unit], { wait: true });
    return (results[0] as Json).status;
  };
  expect(await statusOf(anna, user, invite(realm, 'anna', 'owner'))).toBe('applied');
  expect(await statusOf(anna, user, invite(realm, 'bo', 'writer'))).toBe('applied');
  // Another node removes bo between the binding of the client and the lock, as during a wait for the lock. The
  // statements after the lock wait for it.
  let removal: Promise<void> | undefined;
  meanwhile = async (sql, tx) => {
    if (sql.includes('for update')) {
      const query: Queryable['query'] = (text, params) => tx.query(text, params);
      const other: Database = { ...db, transaction: (_options, work) => work({ query }) };
      const committer = new Committer(other, authority, sqlSchema(described), {
        invitations: 'direct',
      });
      removal = statusOf(anna, user, remove(realm, 'bo'), committer).then((status) =>
        expect(status).toBe('applied'),
      );
    }
    await removal;
    return undefined;
  };
  const op = { op: 'create', table: 'cities', id: uuid7(), realm, set: { name: 'late' } };
  expect(await statusOf(bo, byBo, op)).toBe('rejected');
  expect(removal).toBeDefined();
});

test('leaves an invitation to a full realm until what it depends on is committed', async () => {
  const [anna, bo] = [new WireClient('', 'anna'), new WireClient('', 'bo')];
  const guest: Caller = { id: 'bo', grants: new Map(), expires: null };
  const realm = uuid7();
  const unit = (from: WireClient, by: Caller, ...ops: Json[]) => ({
    ...{ client: from.id, user: by, epoch: 1 },
    update: from.update(ops),
  });
  const founding = [
    invite(realm, 'anna', 'owner'),
    invite(realm, 'bo', 'writer'),
    ...Array.from({ length: 7_997 }, (_, i) => invite(realm, `user-${i}`, 'reader')),
  ];
  await committer.commit([unit(anna, user, ...founding)], { wait: true });
  // One of the two finds room. Bo's right to invite anybody comes in the same transaction.
  const promotion = unit(anna, user, setRole(realm, 'bo', 'owner'));
  const invitations = unit(bo, guest, invite(realm, 'x', 'reader'), invite(realm, 'y', 'reader'));
  const { results } = await committer.commit([promotion, invitations], { wait: true });
  expect(results).toMatchObject([{ status: 'applied' }, null]);
  const next = await committer.commit([invitations], { wait: true });
  expect(next.results).toMatchObject([{ status: 'rejected', rejected: [{ code: 'limit' }] }]);
});
