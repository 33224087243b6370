// Goal: clients of a server that was restored to a backup from before a realm, or from before a member joined, keep what
// they hold of the realm, only read it, and give it back: an owner's client founds the realm again with its members, and
// every client offers the rows that the server lacks. Method: the package's own clients, on memory hosts, against the real
// server, whose database is really set back.
import { http, NetworkError, open, ReadOnlyError, schema, t, table } from 'skerry';
import { memory } from 'skerry/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { invite } from './support/memberships.ts';
import { RestorableServer } from './support/restorable.ts';
import { WireClient } from './support/server.ts';

const app = schema(
  {
    lists: table({ name: t.string() }),
    notes: table({
      title: t.string(),
      n: t.number().default(0),
      list: t.ref('lists', { onDelete: 'cascade' }).optional(),
    }),
  },
  { version: 1 },
);
const connect = (user: string, transport = server.transport) =>
  open({
    name: 'lost',
    schema: app,
    host: memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport,
    }),
    user,
    scopes: 'all',
    remote: http('http://restored/v1', { token: async () => `dev:${user}` }),
  });
type Db = Awaited<ReturnType<typeof connect>>;

let server: RestorableServer;
const opened: Db[] = [];
beforeEach(async () => {
  server = new RestorableServer(app);
  await server.start();
});
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
  await server.remove();
});

async function openAs(user: string, transport = server.transport): Promise<Db> {
  const db = await connect(user, transport);
  opened.push(db);
  await db.sync.now();
  return db;
}

const note = (db: Db, realm: string, title: string) =>
  db.transact((tx) => tx.notes.create({ title, realm })).result;
const titles = (db: Db, realm: string) =>
  db.notes
    .where('realm', '=', realm)
    .all()
    .map(({ title }) => title)
    .sort();
const members = (db: Db, realm: string) =>
  db.realms.members(realm).value.map(({ user, role }) => `${user} ${role}`);

async function caughtUp(...dbs: Db[]): Promise<void> {
  for (const db of dbs) {
    await db.sync.now();
    await db.sync.waitForSync({ timeoutMs: 20_000 });
    await db.sync.now();
  }
}

/** The clients give back what they have, in this order, and end with the same. */
async function givenBack(...dbs: Db[]): Promise<void> {
  for (const db of [...dbs, ...dbs]) {
    await db.sync.now();
    await expect.poll(() => db.sync.status.lost).toEqual([]);
    await caughtUp(db);
  }
  for (const db of dbs) {
    expect(db.sync.status).toMatchObject({ lost: [], pending: 0, conflicts: 0, error: null });
  }
}

test('a realm that the backup lacks is only read, until an owner founds it again', async () => {
  const [anna, bo] = [await openAs('anna'), await openAs('bo')];
  const kept = anna.realms.create().result;
  note(anna, kept, 'kept');
  await caughtUp(anna);
  const restore = await server.backUp();
  const realm = anna.realms.create().result;
  anna.realms.invite(realm, 'bo', 'writer');
  const list = anna.transact((tx) => tx.lists.create({ name: 'list', realm })).result;
  const id = anna.transact((tx) => tx.notes.create({ title: 'in it', realm, list })).result;
  anna.transact((tx) => tx.notes.inc(id, { n: 5 }));
  await caughtUp(anna, bo);
  anna.sync.pause();
  note(bo, realm, 'only with bo');
  await caughtUp(bo);
  // Not pushed when the realm is lost: it waits.
  bo.sync.pause();
  bo.transact((tx) => tx.notes.inc(id, { n: 1 }));
  const unsent = await bo.export({ pendingOnly: true });
  await bo.import(unsent);
  await restore();

  bo.sync.resume();
  await bo.sync.now();
  await expect.poll(() => bo.sync.status.lost).toEqual([realm]);
  expect(titles(bo, realm)).toEqual(['in it', 'only with bo']);
  expect(bo.realms.role(realm)).toBe('writer');
  await expect(bo.import(unsent)).rejects.toThrow(ReadOnlyError);
  const rename = () => bo.transact((tx) => tx.notes.update(id, { title: 'changed' }));
  expect(rename).toThrow(ReadOnlyError);
  expect(() => bo.realms.leave(realm)).toThrow(ReadOnlyError);
  // The other realms go on.
  const own = bo.transact((tx) => tx.notes.create({ title: 'own' }));
  await own.confirmed;
  expect(bo.sync.status).toMatchObject({ lost: [realm], pending: 1, conflicts: 0, error: null });

  anna.sync.resume();
  await givenBack(anna, bo);
  for (const db of [anna, bo]) {
    expect(titles(db, realm)).toEqual(['in it', 'only with bo']);
    expect(db.notes.get(id)).toMatchObject({ n: 6, list });
    expect(members(db, realm)).toEqual(['anna owner', 'bo writer']);
  }
  expect(titles(anna, kept)).toEqual(['kept']);
  rename();
  await caughtUp(bo, anna);
  expect(anna.notes.get(id)?.title).toBe('changed');
});

test('an owner restores a member who was added after the backup', async () => {
  const [anna, bo] = [await openAs('anna'), await openAs('bo')];
  const realm = anna.realms.create().result;
  note(anna, realm, 'old');
  await caughtUp(anna);
  const restore = await server.backUp();
  note(anna, realm, 'new');
  anna.realms.invite(realm, 'bo', 'writer');
  await caughtUp(anna, bo);
  note(bo, realm, 'of bo');
  await caughtUp(bo, anna);
  await restore();
  await bo.sync.now();
  await expect.poll(() => bo.sync.status.lost).toEqual([realm]);
  expect(titles(bo, realm)).toEqual(['new', 'of bo', 'old']);
  await givenBack(anna, bo);
  for (const db of [anna, bo]) {
    expect(titles(db, realm)).toEqual(['new', 'of bo', 'old']);
    expect(members(db, realm)).toEqual(['anna owner', 'bo writer']);
  }
});

test('a later client revives and overwrites nothing, and restores missing rows', async () => {
  const [anna, bo, cy] = [await openAs('anna'), await openAs('bo'), await openAs('cy')];
  const restore = await server.backUp();
  const realm = anna.realms.create().result;
  anna.realms.invite(realm, 'bo', 'owner');
  anna.realms.invite(realm, 'cy', 'reader');
  const [changed, deleted] = [note(anna, realm, 'first'), note(anna, realm, 'deleted')];
  await caughtUp(anna, bo, cy);
  anna.sync.pause();
  note(bo, realm, 'only with bo');
  await caughtUp(bo);
  bo.sync.pause();
  cy.sync.pause();
  await restore();
  anna.sync.resume();
  await givenBack(anna);
  anna.transact((tx) => {
    tx.notes.update(changed, { title: 'second' });
    tx.notes.delete(deleted);
  });
  anna.realms.setRole(realm, 'cy', 'writer');
  await caughtUp(anna);
  bo.sync.resume();
  cy.sync.resume();
  await givenBack(bo, cy, anna);
  for (const db of [anna, bo, cy]) {
    expect(titles(db, realm)).toEqual(['only with bo', 'second']);
    expect(members(db, realm)).toEqual(['anna owner', 'bo owner', 'cy writer']);
  }
});

test('rows that no member may restore are in the inbox', async () => {
  const [anna, bo] = [await openAs('anna'), await openAs('bo')];
  const restore = await server.backUp();
  const realm = anna.realms.create().result;
  anna.realms.invite(realm, 'bo', 'writer');
  note(anna, realm, 'common');
  await caughtUp(anna, bo);
  anna.sync.pause();
  note(bo, realm, 'only with bo');
  await caughtUp(bo);
  bo.sync.pause();
  await restore();
  anna.sync.resume();
  await givenBack(anna);
  anna.realms.setRole(realm, 'bo', 'reader');
  await caughtUp(anna);
  bo.sync.resume();
  await bo.sync.now();
  await expect.poll(() => bo.conflicts.all().map(({ code }) => code)).toEqual(['forbidden']);
  await expect.poll(() => titles(bo, realm)).toEqual(['common']);
  anna.realms.setRole(realm, 'bo', 'writer');
  await caughtUp(anna);
  await bo.sync.now();
  await expect.poll(() => bo.realms.role(realm)).toBe('writer');
  const [conflict] = bo.conflicts.all();
  await bo.conflicts.resolve(conflict?.id as number, 'retry');
  await caughtUp(bo, anna);
  expect(titles(anna, realm)).toEqual(['common', 'only with bo']);
});

test('no rows go to a founder of a lost realm who has never owned it', async () => {
  const [anna, bo, eve] = [await openAs('anna'), await openAs('bo'), await openAs('eve')];
  const restore = await server.backUp();
  const realm = anna.realms.create().result;
  for (const user of ['bo', 'eve']) anna.realms.invite(realm, user, 'writer');
  note(anna, realm, 'common');
  await caughtUp(anna, bo, eve);
  anna.realms.remove(realm, 'eve');
  await caughtUp(anna, eve);
  note(anna, realm, 'not for eve');
  await caughtUp(anna, bo);
  for (const db of [anna, bo]) db.sync.pause();
  await restore();
  // By hand, because a client's own call makes a new name.
  const wire = new WireClient(server.url, 'eve');
  for (const ops of [
    [invite(realm, 'eve', 'owner')],
    [invite(realm, 'bo', 'writer'), invite(realm, 'anna', 'owner')],
  ]) {
    expect(await wire.push(ops)).toMatchObject({ status: 'applied' });
  }

  for (const db of [bo, anna]) {
    db.sync.resume();
    await db.sync.now();
    await expect.poll(() => db.sync.status.lost).toEqual([realm]);
    await db.sync.now();
    expect(db.sync.status.lost).toEqual([realm]);
    expect(titles(db, realm)).toEqual(['common', 'not for eve']);
  }
  // Her realm has nothing but the members that she gave it.
  await eve.sync.now();
  expect(titles(eve, realm)).toEqual([]);
  expect(members(eve, realm)).toEqual(['anna owner', 'bo writer', 'eve owner']);
  // Everything else goes on.
  const own = bo.transact((tx) => tx.notes.create({ title: 'own' }));
  await own.confirmed;
});

test('a founding that was pushed, but not pulled, is not lost with the server', async () => {
  let pulls = true;
  const anna = await openAs('anna', {
    async request(request) {
      const isPull = request.url.endsWith('/pull');
      if (isPull && !pulls) throw new NetworkError('network', 'No pull.', { retryable: true });
      return server.transport.request(request);
    },
  });
  const bo = await openAs('bo');
  const restore = await server.backUp();
  pulls = false;
  const realm = anna.realms.create().result;
  anna.realms.invite(realm, 'bo', 'writer');
  note(anna, realm, 'first');
  await expect
    .poll(async () => {
      await bo.sync.now();
      return titles(bo, realm);
    })
    .toEqual(['first']);
  await restore();

  pulls = true;
  await givenBack(anna, bo);
  for (const db of [anna, bo]) {
    expect(titles(db, realm)).toEqual(['first']);
    expect(members(db, realm)).toEqual(['anna owner', 'bo writer']);
  }
});
