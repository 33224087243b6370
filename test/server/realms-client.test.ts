// Goal: what several members do offline in a shared realm comes together: invitations merge, what a role forbids is refused
// at once, a refused founding takes along what depends on it, and a queue never stops. Method: the package's own clients on
// memory hosts, against the real server.
import { type Conflict, http, LimitError, open, ReadOnlyError, schema, t, table } from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { invite as invitation } from './support/memberships.ts';
import { type Json, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    notes: table({ title: t.string(), n: t.number().default(0) }),
    themes: table({ color: t.string() }, { id: t.string() }),
  },
  { version: 1 },
);
const connect = (user: string, host: MemoryHost, more: Adopting) =>
  open({
    name: 'realms',
    schema: app,
    host,
    user,
    scopes: 'all',
    remote: http(`${server.url}/v1`, { token: async () => `dev:${user}` }),
    ...more,
  });
type Db = Awaited<ReturnType<typeof connect>>;
type Adopting = { readonly adoptLocal?: boolean; readonly defaultRealm?: string };

const server = new SharedServer({ schema: app });
const opened: Db[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

type Transport = typeof fetchTransport;
const hostWith = (transport: Transport = fetchTransport): MemoryHost =>
  memory({ workerTimes: { retry: 20, retryMax: 40, idle: 60_000 }, transport });

let people = 0;
/** A user that no other test has. */
const named = (name: string) => `${name}-${++people}`;

async function openAs(user: string, host = hostWith(), more: Adopting = {}): Promise<Db> {
  const db = await connect(user, host, more);
  opened.push(db);
  await db.sync.now();
  return db;
}

const note = (db: Db, realm: string, title: string) =>
  db.transact((tx) => tx.notes.create({ title, realm }));
const titles = (db: Db, realm: string) =>
  db.notes
    .where('realm', '=', realm)
    .all()
    .map(({ title }) => title)
    .sort();
const members = (db: Db, realm: string) =>
  db.realms.members(realm).value.map(({ user, role }) => `${user} ${role}`);
const codes = (db: Db) => db.conflicts.all().map(({ code }: Conflict) => code);

async function settled(...all: Db[]): Promise<void> {
  for (const db of all) {
    db.sync.resume();
    await db.sync.now();
    await expect.poll(() => db.sync.status.pending).toBe(0);
  }
  // What the later ones pushed reaches the earlier ones.
  for (const db of all) await db.sync.now();
}

/** A realm of the first, with the others in these roles. */
async function shared(
  owner: Db,
  others: readonly (readonly [Db, string, 'owner' | 'writer' | 'reader'])[],
): Promise<string> {
  const realm = owner.realms.create().result;
  for (const [, user, role] of others) owner.realms.invite(realm, user, role);
  await note(owner, realm, 'first').confirmed;
  for (const [db, , role] of others) {
    await db.sync.now();
    expect(db.realms.role(realm)).toBe(role);
  }
  return realm;
}

test('two owners who invite one person offline at once make one member', async () => {
  const [anna, bo, cy] = [named('anna'), named('bo'), named('cy')] as const;
  const [a, b, c] = [await openAs(anna), await openAs(bo), await openAs(cy)];
  const realm = await shared(a, [[b, bo, 'owner']]);
  a.sync.pause();
  b.sync.pause();
  await a.realms.invite(realm, cy, 'writer').durable;
  await b.realms.invite(realm, cy, 'reader').durable;
  await settled(a, b, c);
  for (const db of [a, b, c]) {
    expect(members(db, realm)).toContain(`${cy} writer`);
    expect(members(db, realm)).toHaveLength(3);
    expect(codes(db)).toEqual([]);
  }
});

test('a former owner’s offline changes are rejected, and others are pushed', async () => {
  const [anna, bo] = [named('anna'), named('bo')] as const;
  const [a, b] = [await openAs(anna), await openAs(bo)];
  const realm = await shared(a, [[b, bo, 'owner']]);
  b.sync.pause();
  note(b, realm, 'late');
  b.realms.invite(realm, named('dan'), 'reader');
  await b.transact((tx) => tx.notes.create({ title: 'mine' })).durable;
  a.realms.setRole(realm, bo, 'reader');
  await note(a, realm, 'second').confirmed;
  await settled(b);
  expect(titles(b, realm)).toEqual(['first', 'second']);
  expect(b.realms.role(realm)).toBe('reader');
  expect(codes(b)).toEqual(['forbidden', 'forbidden']);
  expect(titles(b, `user:${bo}`)).toEqual(['mine']);
  // The role is known now: the entry is not retried, and stays.
  const [entry] = b.conflicts.all();
  await expect(b.conflicts.resolve(entry?.id ?? 0, 'retry')).rejects.toBeInstanceOf(ReadOnlyError);
  expect(codes(b)).toHaveLength(2);
  await a.realms.setRole(realm, bo, 'writer').confirmed;
  await b.sync.now();
  await b.conflicts.resolve(entry?.id ?? 0, 'retry');
  await settled(b);
  expect(titles(b, realm)).toEqual(['first', 'late', 'second']);
});

/** Answers the first push with a refusal of its first op, of which the server never hears. */
function refusingFirst(code: string): Transport {
  let refused = false;
  return {
    async request(request) {
      if (refused || !request.url.endsWith('/push')) return fetchTransport.request(request);
      refused = true;
      const text = typeof request.body === 'string' ? request.body : decoded(request.body);
      const { updates } = JSON.parse(text) as { updates: Json[] };
      const results = updates.map((update, i) => {
        const { id } = (update.actions as { id: string }[])[0] ?? { id: '' };
        const rejected = [{ op: 0, actions: [id], code, detail: 'not now' }];
        const status = i === 0 ? 'rejected' : 'held';
        return { id: update.id, status, rejected };
      });
      const body = new TextEncoder().encode(JSON.stringify({ time: Date.now(), results }));
      return { status: 200, headers: { 'content-type': 'application/json' }, body };
    },
  };
}
const decoded = (body: Uint8Array | null | undefined) =>
  new TextDecoder().decode(body ?? undefined);

test('a refused founding takes along all in its realm, and a retry brings all back', async () => {
  const [anna, bo] = [named('anna'), named('bo')] as const;
  const a = await openAs(anna, hostWith(refusingFirst('limit')));
  a.sync.pause();
  const realm = a.realms.create().result;
  a.realms.invite(realm, bo, 'reader');
  note(a, realm, 'first');
  const own = a.transact((tx) => tx.notes.create({ title: 'mine' }));
  const both = a.transact((tx) => {
    tx.notes.create({ title: 'here', realm });
    tx.notes.create({ title: 'there' });
  });
  await both.durable;
  a.sync.resume();
  await own.confirmed;
  await expect.poll(() => a.sync.status.pending).toBe(0);
  expect(codes(a)).toEqual(['limit', 'depends', 'depends', 'depends']);
  expect(a.realms.role(realm)).toBeNull();
  expect(titles(a, `user:${anna}`)).toEqual(['mine']);
  const founding = a.conflicts.all().find(({ code }) => code === 'limit');
  await a.conflicts.resolve(founding?.id ?? 0, 'retry');
  await settled(a);
  expect(codes(a)).toEqual([]);
  expect(a.realms.role(realm)).toBe('owner');
  expect(titles(a, realm)).toEqual(['first', 'here']);
  expect(titles(a, `user:${anna}`)).toEqual(['mine', 'there']);
  const b = await openAs(bo);
  expect(titles(b, realm)).toEqual(['first', 'here']);
});

test('a user whose founding of a realm fails writes nothing to it', async () => {
  const [anna, mallory] = [named('anna'), named('mallory')] as const;
  const a = await openAs(anna);
  a.sync.pause();
  const realm = a.realms.create().result;
  await note(a, realm, 'ours').durable;
  const other = new WireClient(server.url, mallory);
  expect((await other.push([invitation(realm, mallory, 'owner')])).status).toBe('applied');
  // Even where the other would let anna write.
  expect((await other.push([invitation(realm, anna, 'writer')])).status).toBe('applied');
  await settled(a);
  expect(codes(a)).toEqual(['forbidden', 'depends']);
  expect(titles(a, realm)).toEqual([]);
  await a.transact((tx) => tx.notes.create({ title: 'mine' })).confirmed;
});

test('a leave that waits when its realm is taken away is done', async () => {
  const [anna, bo] = [named('anna'), named('bo')] as const;
  const [a, b] = [await openAs(anna), await openAs(bo)];
  const realm = await shared(a, [[b, bo, 'writer']]);
  b.sync.pause();
  const left = b.realms.leave(realm);
  await left.durable;
  await a.realms.remove(realm, bo).confirmed;
  await settled(b);
  await left.confirmed;
  expect(codes(b)).toEqual([]);
  expect(b.realms.role(realm)).toBeNull();
  expect(titles(b, realm)).toEqual([]);
});

test('a change that a role forbids fails at once, offline, in each way of writing', async () => {
  const [anna, bo] = [named('anna'), named('bo')] as const;
  const host = hostWith();
  const [a, b] = [await openAs(anna), await openAs(bo, host)];
  const realm = await shared(a, [[b, bo, 'writer']]);
  b.sync.pause();
  await b.transact((tx) => tx.themes.create({ id: 'dark', color: 'black', realm })).durable;
  const file = await b.export({ pendingOnly: true });
  await settled(b);
  await a.realms.setRole(realm, bo, 'reader').confirmed;
  await b.sync.now();
  b.sync.pause();
  const id = b.notes.where('realm', '=', realm).first()?.id ?? '';
  const all = b.notes.where('realm', '=', realm);
  const forbidden: readonly (() => unknown)[] = [
    () => note(b, realm, 'x'),
    () => b.transact((tx) => tx.notes.createMany([{ title: 'x', realm }])),
    () => b.transact((tx) => tx.notes.update(id, { title: 'x' })),
    () => b.transact((tx) => tx.notes.inc(id, { n: 1 })),
    () => b.transact((tx) => tx.notes.delete(id)),
    () => b.transact((tx) => tx.notes.move(id, `user:${bo}`)),
    () => b.transact((tx) => tx.notes.updateWhere(all, { title: 'x' })),
    () => b.transact((tx) => tx.notes.deleteWhere(all)),
    () => b.transact((tx) => tx.themes.upsert({ id: 'dark', color: 'x', realm })),
    () => b.transact((tx) => tx.themes.upsert({ id: 'light', color: 'x', realm })),
    () => b.realms.invite(realm, 'someone', 'reader'),
    () => b.realms.setRole(realm, bo, 'owner'),
    () => b.realms.remove(realm, anna),
  ];
  for (const write of forbidden) expect(write, String(write)).toThrow(ReadOnlyError);
  await expect(b.import(file)).rejects.toBeInstanceOf(ReadOnlyError);
  expect(b.sync.status.pending).toBe(0);
  expect([titles(b, realm), b.themes.get('dark')?.color]).toEqual([['first'], 'black']);
  await b.close();
  // Data made without a user, which would become rows of the realm, stay where they are.
  const local = await open({ name: 'realms', schema: app, host });
  await local.transact((tx) => tx.notes.create({ title: 'local' })).durable;
  await local.close();
  const adopting = { adoptLocal: true, defaultRealm: realm };
  const refused = await openAs(bo, host, adopting);
  expect(refused.sync.status.pending).toBe(0);
  expect(titles(refused, realm)).toEqual(['first']);
  await refused.close();
  const again = await openAs(bo, host, { adoptLocal: true });
  expect(titles(again, `user:${bo}`)).toEqual(['local']);
});

test('a member gets pokes of a realm before its first rows, and for them', async () => {
  const [anna, bo] = [named('anna'), named('bo')] as const;
  const [a, b] = [await openAs(anna), await openAs(bo)];
  await b.transact((tx) => tx.notes.create({ title: 'mine' })).confirmed;
  const realm = a.realms.create().result;
  await a.realms.invite(realm, bo, 'writer').confirmed;
  await b.sync.now();
  expect([b.realms.role(realm), titles(b, realm)]).toEqual(['writer', []]);
  await note(a, realm, 'first').confirmed;
  await note(b, realm, 'second').confirmed;
  await settled(b, a);
  expect(titles(a, realm)).toEqual(['first', 'second']);
  expect(titles(b, realm)).toEqual(['first', 'second']);
});

test('a user with a name of more than 91 bytes opens nothing, and is invited nowhere', async () => {
  const name = 'å'.repeat(46);
  await expect(openAs(name)).rejects.toThrow(LimitError);
  const a = await openAs(named('anna'));
  const realm = a.realms.create().result;
  expect(() => a.realms.invite(realm, name, 'reader')).toThrow(LimitError);
  const client = new WireClient(server.url, named('carl'));
  const result = await client.push([invitation(realm, name, 'owner')]);
  expect(result).toMatchObject({ status: 'rejected', rejected: [{ code: 'invalid_id' }] });
});
