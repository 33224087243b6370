// Goal: the time of /v1/tables reveals nothing about realms that its caller may not read, and an answer is never too
// large. Method: a real server with signed tokens; times that are forged, cut, of other users, and of withdrawn
// rights.

import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { PlainTables } from '../../server/src/plain/plain-table.ts';
import { SealedTimes } from '../../server/src/plain/sealed-time.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { openTestDatabase } from './support/database.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, post, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const secret = 'a secret of the tests, long enough for HS256';
const server = new SharedServer({ args: ['--secret', secret] });

class Signed extends WireClient {
  token = '';

  static async of(user: string, realms: Record<string, string> = {}): Promise<Signed> {
    const client = new Signed(server.url, user);
    client.token = await new SignJWT({ sub: user, realms })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret));
    return client;
  }

  override get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  async table(lastUpdateTime: string | null, name = 'cities'): Promise<Json> {
    const { status, body } = await post(
      server.url,
      `/v1/tables/${name}`,
      { lastUpdateTime },
      this.headers,
    );
    expect(status).toBe(200);
    return body;
  }

  /** The whole table, page by page, from a time on. */
  async all(from: string | null, page: (body: Json) => void): Promise<string> {
    for (let time = from; ; ) {
      const body = await this.table(time);
      page(body);
      time = String(body.lastUpdateTime);
      if (body.more !== true) return time;
    }
  }
}

const create = (id: string, realm: string, set: Json = {}) => ({
  ...{ op: 'create', table: 'cities', id, realm },
  set: { name: id, ...set },
});
/** An answer without its time and its seal. */
const said = ({ time: _time, lastUpdateTime: _seal, ...rest }: Json) => JSON.stringify(rest);

test('a time reveals nothing about unknown, forbidden or withdrawn realms', async () => {
  const bob = await Signed.of('bob');
  const made = await bob.push([create('secret', 'user:bob')]);
  const both = await Signed.of('eve', { team: 'write' });
  await both.push([create('team-1', 'team')]);
  await both.push([create('mine', 'user:eve')]);
  const withdrawn = String((await both.table(null)).lastUpdateTime);
  const eve = await Signed.of('eve');
  const honest = String((await eve.table(null)).lastUpdateTime);
  await both.push([create('team-2', 'team')]);

  // With a withdrawn right, a time gives the same answer as one that never named the realm.
  const [with_, without] = [await eve.table(withdrawn), await eve.table(honest)];
  expect(said(with_)).toBe(said(without));
  expect(with_.reset).toBe(false);
  expect(with_.lastUpdateTime).toBe(without.lastUpdateTime);

  // Times that eve forges: with the exact entry of a realm that she may not read, with a wrong one, and of no realm.
  const forged = (heads: Json) =>
    Buffer.from(JSON.stringify({ v: 1, heads })).toString('base64url');
  const seal = honest.split('.')[1];
  const right = { 'user:bob': `1@${String(made.at)}` };
  const times = [right, { 'user:bob': '1@7' }, { 'user:nobody': '1@7' }, {}].flatMap((heads) => [
    forged(heads),
    `${forged(heads)}.`,
    `${forged(heads)}.${seal}`,
    `${forged(heads)}.${seal}.${seal}`,
  ]);
  const others = [
    ...[
      'nonsense',
      '.',
      'x'.repeat(300_000),
      honest.slice(0, -1),
      honest.slice(1),
      `${honest}AAAA`,
    ],
    String((await bob.table(null)).lastUpdateTime),
    String((await eve.table(null, 'notices')).lastUpdateTime),
  ];
  const answers = new Set<string>();
  for (const time of [...times, ...others]) answers.add(said(await eve.table(time)));
  expect([...answers]).toHaveLength(1);
  const [answer] = answers;
  expect(JSON.parse(answer!)).toMatchObject({ reset: true, rows: [{ id: 'mine' }] });
});

test('sends a whole realm after its right was granted, or granted again', async () => {
  const author = await Signed.of('mia', { club: 'write' });
  await author.push([create('club-1', 'club')]);
  const reader = await Signed.of('leo');
  const before = String((await reader.table(null)).lastUpdateTime);
  const member = await Signed.of('leo', { club: 'read' });
  expect((await member.table(before)).rows).toMatchObject([{ id: 'club-1' }]);
});

test('accepts a time after a restart, and on another node of the database', async () => {
  const anna = await Signed.of('anna');
  await anna.push([create('here', 'user:anna')]);
  const time = String((await anna.table(null)).lastUpdateTime);
  await server.restart();
  const again = await Signed.of('anna');
  expect(await again.table(time)).toMatchObject({ reset: false, rows: [] });
});

test('splits rows of a megabyte into several answers, new and changed', async () => {
  const large = await Signed.of('large');
  const realm = 'user:large';
  const ids = Array.from({ length: 20 }, (_, i) => `large-${String(i).padStart(2, '0')}`);
  // Text, and json that a database compresses: the size on disk must not count.
  for (const [i, id] of ids.entries()) {
    const much = 'ab'.repeat(450_000);
    await large.push([create(id, realm, i % 2 ? { country: much } : { extra: { much } })]);
  }
  await large.push(Array.from({ length: 300 }, (_, i) => create(`small-${i}`, realm)));
  const seen = new Set<unknown>();
  let answers = 0;
  const page = (body: Json) => {
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(6 << 20);
    for (const row of body.rows as Json[]) seen.add(row.id);
    answers++;
  };
  const time = await large.all(null, page);
  expect(seen.size).toBe(320);
  expect(answers).toBeGreaterThan(3);

  // The changes of one entry that touches all of them do not fit into one answer either.
  await large.push([
    ...ids.map((id) => ({ op: 'inc', table: 'cities', id, realm, add: { population: 1 } })),
    { op: 'delete', table: 'cities', id: 'small-7', realm },
  ]);
  seen.clear();
  answers = 0;
  const deleted: unknown[] = [];
  const end = await large.all(time, (body) => {
    page(body);
    deleted.push(...(body.deleted as string[]));
  });
  expect([...seen].sort()).toEqual(ids);
  expect(deleted).toEqual(['small-7']);
  expect(answers).toBeGreaterThan(3);
  expect(await large.table(end)).toMatchObject({ rows: [], deleted: [], more: false });
});

test('does not skip changes made while changes are sent in pages', async () => {
  const busy = await Signed.of('busy');
  const realm = 'user:busy';
  const start = String((await busy.table(null)).lastUpdateTime);
  const much = 'x'.repeat(900_000);
  for (let i = 0; i < 8; i++) await busy.push([create(`busy-${i}`, realm, { country: much })]);
  const first = await busy.table(start);
  expect(first.more).toBe(true);
  const given = new Map((first.rows as Json[]).map((row) => [row.id, row]));
  await busy.push([
    { op: 'update', table: 'cities', id: 'busy-0', realm, set: { name: 'changed behind' } },
  ]);
  await busy.all(String(first.lastUpdateTime), (body) => {
    for (const row of body.rows as Json[]) given.set(row.id, row);
  });
  expect(given.size).toBe(8);
  expect(given.get('busy-0')).toMatchObject({ props: { name: 'changed behind' } });
});

test('a time has room for all realms that a user may have, and for no more', () => {
  const times = new SealedTimes('ab'.repeat(32));
  const of = (realms: number) => {
    const names = Array.from({ length: realms }, () => crypto.randomUUID());
    const user = {
      ...{ id: 'anna', expires: null },
      grants: new Map(names.map((realm) => [realm, 'read'] as const)),
    };
    return { at: { user, table: 'cities' }, rights: user.grants, names };
  };
  const { at, rights, names } = of(limits.cursors);
  const headsOf = (more: number) =>
    Object.fromEntries(names.map((realm, i) => [realm, `${10_000 + more + i}@${1.9e12 + i}`]));
  const since = { heads: headsOf(0), upto: headsOf(1), above: 'x'.repeat(128) };
  const time = times.seal(at, since);
  expect(times.open(at, time, rights)).toEqual(since);
  expect(time.length).toBeLessThan(1 << 20);
  expect(times.open(at, `x${time}`, rights)).toBeNull();
  const more = { heads: { ...since.heads, one: '1@1' } };
  expect(() => times.seal(at, more)).toThrow(`at most ${limits.cursors} realms`);
});

test('starts again for a time with an entry that a restored backup lacks', async () => {
  const db = await openTestDatabase();
  try {
    await db.execute(
      `drop schema if exists skerry cascade; drop schema public cascade; create schema public`,
    );
    await migrate(db);
    const schema = sqlSchema(testSchema);
    await db.transaction({ mode: 'tables' }, (tx) => applySchema(tx, testSchema, schema));
    const times = new SealedTimes('ab'.repeat(32));
    const tables = new PlainTables(db, schema, times);
    const user = { id: 'anna', grants: new Map([['user:anna', 'write'] as const]), expires: null };
    const reset = async (since: Parameters<SealedTimes['seal']>[1]) => {
      const lastUpdateTime = times.seal({ user, table: 'cities' }, since);
      const answer = await tables.read(user, 'cities', { lastUpdateTime, exclude: {} });
      return (JSON.parse(answer) as { reset: boolean }).reset;
    };
    expect(await reset({ heads: {} })).toBe(false);
    expect(await reset({ heads: { 'user:anna': '3@77' } })).toBe(true);
    expect(await reset({ heads: {}, upto: { 'user:anna': '3@77' }, above: 'a' })).toBe(true);
    expect(await reset({ heads: { team: '3@77' } })).toBe(false);
  } finally {
    await db.close();
  }
});
