// Goal: people invite, accept and decline offline, in several windows, and a realm that a backup lacks comes back without asking
// its members again. Method: the package's own clients on memory hosts, against a real server that asks.
import { http, NotFoundError, open, schema, t, table, ValidationError } from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { RestorableServer } from './support/restorable.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema({ notes: table({ title: t.string() }) }, { version: 1 });
const asks = ['--dev', '--invitations', 'consent'];
const connect = (user: string, host: MemoryHost, url: string) =>
  open({
    name: 'invitations',
    schema: app,
    host,
    user,
    scopes: 'all',
    remote: http(`${url}/v1`, { token: async () => `dev:${user}` }),
  });
type Db = Awaited<ReturnType<typeof connect>>;
type Transport = typeof fetchTransport;
const hostWith = (transport: Transport = fetchTransport): MemoryHost =>
  memory({ workerTimes: { retry: 20, retryMax: 40, idle: 60_000 }, transport });

const opened: Db[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

let people = 0;
/** A user that no other test has. */
const named = (name: string) => `${name}-${++people}`;

async function openAs(user: string, url: string, host = hostWith()): Promise<Db> {
  const db = await connect(user, host, url);
  opened.push(db);
  await db.sync.now();
  return db;
}

const titles = (db: Db, realm: string) =>
  db.notes
    .where('realm', '=', realm)
    .all()
    .map(({ title }) => title)
    .sort();
const realmsOf = (db: Db) => db.realms.invitations.value.map(({ realm }) => realm);
const member = (db: Db, realm: string, user: string) => {
  const found = db.realms.members(realm).value.find((each) => each.user === user);
  return found && { role: found.role, pending: found.pending, accepted: found.accepted };
};

/** A realm with a note, to which the user is invited. */
async function inviting(owner: Db, user: string): Promise<string> {
  const realm = owner.realms.create().result;
  owner.transact((tx) => tx.notes.create({ title: 'first', realm }));
  await owner.realms.invite(realm, user, 'writer').confirmed;
  return realm;
}

describe('a server that asks', () => {
  const server = new SharedServer({ schema: app, args: asks });

  test('an invitation is accepted offline, and its rows come with the next pull', async () => {
    const [anna, bo] = [named('anna'), named('bo')] as const;
    const a = await openAs(anna, server.url);
    const realm = await inviting(a, bo);
    expect(member(a, realm, bo)).toEqual({ role: 'writer', pending: true, accepted: false });
    const host = hostWith();
    const [b, window] = [await openAs(bo, server.url, host), await openAs(bo, server.url, host)];
    const heard: number[] = [];
    b.realms.invitations.subscribe(({ length }) => heard.push(length));
    await Promise.resolve();
    for (const db of [b, window])
      expect(db.realms.invitations.value).toEqual([
        { realm, role: 'writer', by: anna, at: expect.any(Date) },
      ]);
    expect(b.realms.invitations.value).toBe(b.realms.invitations.value);
    expect(b.realms.role(realm)).toBeNull();
    for (const db of [b, window]) db.sync.pause();
    const accepted = b.realms.accept(realm);
    expect(realmsOf(b)).toEqual([]);
    await accepted.durable;
    await expect.poll(() => realmsOf(window)).toEqual([]);
    for (const db of [b, window]) db.sync.resume();
    await accepted.confirmed;
    await expect.poll(() => titles(window, realm)).toEqual(['first']);
    expect(b.realms.role(realm)).toBe('writer');
    await b.transact((tx) => tx.notes.create({ title: 'by bo', realm })).confirmed;
    await a.sync.now();
    expect(titles(a, realm)).toEqual(['by bo', 'first']);
    expect(member(a, realm, bo)).toEqual({ role: 'writer', pending: false, accepted: true });
    expect(heard).toEqual([1, 0]);
    for (const db of [a, b, window]) expect(db.conflicts.all()).toEqual([]);
  });

  test('invitations are there without a network, and are declined for good', async () => {
    const [anna, bo] = [named('anna'), named('bo')] as const;
    const a = await openAs(anna, server.url);
    const realm = await inviting(a, bo);
    let isOff = false;
    const host = hostWith({
      request: (request) =>
        isOff ? Promise.reject(new TypeError('off')) : fetchTransport.request(request),
    });
    const before = await openAs(bo, server.url, host);
    await before.close();
    isOff = true;
    const b = await connect(bo, host, server.url);
    opened.push(b);
    expect(realmsOf(b)).toEqual([realm]);
    const declined = b.realms.decline(realm);
    expect(realmsOf(b)).toEqual([]);
    isOff = false;
    void b.sync.now();
    await declined.confirmed;
    await a.sync.now();
    expect(member(a, realm, bo)).toBeUndefined();
    await expect(a.realms.invite(realm, bo, 'owner').confirmed).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(b.conflicts.all()).toEqual([]);
  });

  test('a blocked user can no longer invite, also from another realm', async () => {
    const [anna, bo] = [named('anna'), named('bo')] as const;
    const [a, b] = [await openAs(anna, server.url), await openAs(bo, server.url)];
    await inviting(a, bo);
    await inviting(a, bo);
    await b.sync.now();
    expect(b.realms.invitations.value).toHaveLength(2);
    b.sync.pause();
    const blocked = b.realms.block(anna);
    expect(realmsOf(b)).toEqual([]);
    b.sync.resume();
    await blocked.confirmed;
    await expect(inviting(a, bo)).rejects.toMatchObject({ code: 'forbidden' });
    await b.sync.now();
    expect(realmsOf(b)).toEqual([]);
    expect(() => b.realms.block(bo)).toThrow(ValidationError);
    // Others may invite, and what the blocked one does for others goes on.
    const other = await openAs(named('cy'), server.url);
    await inviting(other, bo);
    await inviting(a, named('dan'));
  });

  test('accepting an invitation that was withdrawn is reported in the inbox', async () => {
    const [anna, bo] = [named('anna'), named('bo')] as const;
    const [a, b] = [await openAs(anna, server.url), await openAs(bo, server.url)];
    const realm = await inviting(a, bo);
    await b.sync.now();
    b.sync.pause();
    const accepted = b.realms.accept(realm);
    await a.realms.remove(realm, bo).confirmed;
    b.sync.resume();
    await expect(accepted.confirmed).rejects.toMatchObject({ code: 'forbidden' });
    await expect
      .poll(() => b.conflicts.all())
      .toMatchObject([{ table: '$members', key: `${realm}/${bo}`, code: 'forbidden' }]);
    await b.sync.now();
    expect(realmsOf(b)).toEqual([]);
    expect(() => b.realms.accept(realm)).toThrow(NotFoundError);
    expect(() => b.realms.decline(realm)).toThrow(NotFoundError);
  });
});

test('a realm that the backup lacks is accepted again by the devices of its members', async () => {
  const server = new RestorableServer(app, asks.slice(1));
  await server.start();
  try {
    const [a, b] = await Promise.all(
      ['anna', 'bo'].map((user) => openAs(user, 'http://restored', hostWith(server.transport))),
    );
    if (!a || !b) throw new Error('two clients');
    const restore = await server.backUp();
    const realm = await inviting(a, 'bo');
    await b.sync.now();
    await b.realms.accept(realm).confirmed;
    await a.sync.waitForSync();
    await a.sync.now();
    a.sync.pause();
    await b.transact((tx) => tx.notes.create({ title: 'only with bo', realm })).confirmed;
    await restore();
    await b.sync.now();
    await expect.poll(() => b.sync.status.lost).toEqual([realm]);
    a.sync.resume();
    await a.sync.now();
    await expect.poll(() => a.sync.status.lost).toEqual([]);
    await a.sync.waitForSync({ timeoutMs: 20_000 });
    await b.sync.now();
    await expect.poll(() => b.sync.status.lost).toEqual([]);
    await b.sync.waitForSync({ timeoutMs: 20_000 });
    await a.sync.now();
    for (const db of [a, b]) {
      expect(titles(db, realm)).toEqual(['first', 'only with bo']);
      expect(db.conflicts.all()).toEqual([]);
      expect(member(db, realm, 'bo')).toMatchObject({ role: 'writer', accepted: true });
    }
  } finally {
    await server.remove();
  }
});
