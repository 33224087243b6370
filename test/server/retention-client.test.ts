// Goal: a device that was away for longer than the server keeps its log has everything when it comes back: what others did, none of
// what they deleted, and what it wrote itself once, or in the inbox. Method: the package's own clients on memory hosts, against a
// real server that keeps its log for a second, and that is killed while it forgets.

import { defineMutators, http, open, schema, t, table } from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { Folder, startServer, type TestServer, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    notes: table({ title: t.string(), n: t.number().default(0) }),
    marks: table({ note: t.ref('notes', { onDelete: 'cascade' }) }),
  },
  { version: 1 },
);
const mutators = defineMutators(app, {
  bump: (tx, { id }: { id: string }) => tx.notes.inc(id, { n: 1 }),
});
const kArgs = ['--dev', '--retention', '1'];
const server = new SharedServer({ schema: app, args: kArgs });
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

let people = 0;
const newUser = () => `away-${++people}`;

/** A device that can be offline, and lose the answers of pushes. */
class Device {
  isOnline = true;
  losesAnswers = false;
  readonly user: string;
  readonly host: MemoryHost;

  constructor(user: string, url = () => server.url) {
    this.user = user;
    this.host = memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport: {
        request: async (request) => {
          if (!this.isOnline) throw new Error('offline');
          const { pathname, search } = new URL(request.url);
          const answer = await fetchTransport.request({
            ...request,
            url: url() + pathname + search,
          });
          if (this.losesAnswers && pathname.endsWith('/push')) {
            this.isOnline = false;
            throw new Error('the answer is lost');
          }
          return answer;
        },
      },
    });
  }

  async open() {
    const db = await open({
      ...{ name: 'away', schema: app, mutators, host: this.host, user: this.user, scopes: 'all' },
      remote: http('http://away.test/v1', { token: async () => `dev:${this.user}` }),
    });
    opened.push(db);
    return db;
  }
}
type Db = Awaited<ReturnType<Device['open']>>;

async function confirmed(db: Db): Promise<void> {
  await expect
    .poll(
      async () => {
        // On a busy machine a pull may fail: the next one tells.
        const isInStep = await db.sync.now().then(
          () => true,
          () => false,
        );
        return isInStep ? db.sync.status.pending : 'not in step';
      },
      { timeout: 20_000 },
    )
    .toBe(0);
}

/** Resolves once all that the realm's log has now is forgotten. */
async function forgotten(user: string, url = server.url): Promise<void> {
  const client = new WireClient(url, user);
  const realm = `user:${user}`;
  const { body } = await client.pull();
  const [head] = String((body.cursors as Record<string, string>)[realm]).split('@');
  const floor = async () => {
    const { body } = await client.pull({ floors: true });
    return (body.floors as Record<string, { revision: number }>)[realm]?.revision ?? 0;
  };
  await expect.poll(floor, { timeout: 20_000 }).toBeGreaterThanOrEqual(Number(head));
}

const titles = (db: Db) =>
  db.notes
    .all()
    .map(({ title, n }) => `${title} ${n}`)
    .sort();

test('pending changes are applied, or in the inbox if their object is unknown', async () => {
  const user = newUser();
  const [away, other] = [new Device(user), new Device(user)];
  const [db, there] = [await away.open(), await other.open()];
  const [kept, deleted, changed] = ['kept', 'deleted', 'changed'].map(
    (title) => db.transact((tx) => tx.notes.create({ title })).result,
  ) as [string, string, string];
  await confirmed(db);
  await confirmed(there);
  expect(titles(there)).toEqual(['changed 0', 'deleted 0', 'kept 0']);
  away.isOnline = false;
  db.transact((tx) => tx.notes.inc(kept, { n: 5 }));
  db.transact((tx) => tx.notes.update(deleted, { title: 'mine' }));
  db.transact((tx) => tx.notes.create({ title: 'new' }));
  there.transact((tx) => tx.notes.delete(deleted));
  there.transact((tx) => tx.notes.update(changed, { title: 'theirs' }));
  await confirmed(there);
  await forgotten(user);
  away.isOnline = true;
  await confirmed(db);
  expect(titles(db)).toEqual(['kept 5', 'new 0', 'theirs 0']);
  await confirmed(there);
  expect(titles(there)).toEqual(titles(db));
  const [entry] = db.conflicts.all();
  expect(entry).toMatchObject({ code: 'outcome_unknown', table: 'notes', key: deleted });
  // The user may try again: by now it is known that the object is not there.
  await db.conflicts.resolve(entry?.id ?? 0, 'retry');
  await confirmed(db);
  expect(db.conflicts.all()).toMatchObject([
    { code: 'row_deleted', table: 'notes', key: deleted, mine: { title: 'mine' } },
  ]);
  expect(titles(db)).toEqual(['kept 5', 'new 0', 'theirs 0']);
});

test('an update whose answer was lost is applied once', async () => {
  const user = newUser();
  const [away, other] = [new Device(user), new Device(user)];
  const db = await away.open();
  const note = db.transact((tx) => tx.notes.create({ title: 'note' })).result;
  await confirmed(db);
  away.losesAnswers = true;
  db.transact((tx) => tx.notes.inc(note, { n: 1 }));
  await expect.poll(() => away.isOnline).toBe(false);
  const there = await other.open();
  await confirmed(there);
  expect(titles(there)).toEqual(['note 1']);
  for (let i = 0; i < 3; i++) {
    there.transact((tx) => tx.notes.inc(note, { n: 10 }));
    await confirmed(there);
  }
  await forgotten(user);
  expect(db.sync.status.pending).toBe(1);
  // Its page was closed meanwhile, too.
  await db.close();
  away.losesAnswers = false;
  away.isOnline = true;
  const again = await away.open();
  await confirmed(again);
  expect(titles(again)).toEqual(['note 31']);
  expect(again.conflicts.all()).toEqual([]);
});

test('a device is forgotten after a hundred others, and its change is in the inbox', async () => {
  const user = newUser();
  const away = new Device(user);
  const db = await away.open();
  const note = db.transact((tx) => tx.notes.create({ title: 'note' })).result;
  await confirmed(db);
  away.losesAnswers = true;
  db.transact((tx) => tx.notes.inc(note, { n: 1 }));
  await expect.poll(() => away.isOnline).toBe(false);
  const realm = `user:${user}`;
  const op = { op: 'inc', table: 'notes', id: note, realm, add: { n: 10 } };
  const bump = () => new WireClient(server.url, user).push([op]);
  for (let n = 0; n < limits.clientsKept; n++)
    expect(await bump()).toMatchObject({ status: 'applied' });
  // The look that forgets the second one came after that which forgot clients.
  for (let look = 0; look < 2; look++) {
    await bump();
    await forgotten(user);
  }
  away.losesAnswers = false;
  away.isOnline = true;
  await confirmed(db);
  // It was applied, and the server cannot know that any more: the user decides.
  expect(titles(db)).toEqual(['note 1021']);
  expect(db.conflicts.all()).toMatchObject([{ code: 'outcome_unknown', key: note }]);
  // The device goes on, under a new identity.
  db.transact((tx) => tx.notes.inc(note, { n: 100 }));
  await confirmed(db);
  expect(titles(db)).toEqual(['note 1121']);
});

test('a device with a large realm starts over, and shows its own changes meanwhile', async () => {
  const user = newUser();
  const [away, other] = [new Device(user), new Device(user)];
  const [db, there] = [await away.open(), await other.open()];
  const many = (from: number) =>
    Array.from({ length: 1_000 }, (_, i) => ({ title: `${from + i}` }));
  for (let i = 0; i < 3; i++) there.transact((tx) => tx.notes.createMany(many(i * 1_000)));
  await confirmed(there);
  await confirmed(db);
  expect(db.notes.all().length).toBe(3_000);
  away.isOnline = false;
  db.transact((tx) => tx.notes.create({ title: 'mine' }));
  there.transact((tx) => {
    for (const { id, title } of tx.notes.all()) if (Number(title) % 2 === 1) tx.notes.delete(id);
  });
  await confirmed(there);
  await forgotten(user);
  let least = Number.POSITIVE_INFINITY;
  db.notes.where('title', '=', 'mine').subscribe((rows) => {
    least = Math.min(least, rows.length);
  });
  away.isOnline = true;
  await confirmed(db);
  expect(db.notes.all().length).toBe(1_501);
  expect(least).toBe(1);
  await confirmed(there);
  expect(titles(there)).toEqual(titles(db));
});

test('an old action is not replayed where the server may have forgotten it', async () => {
  const user = newUser();
  const db = await new Device(user).open();
  const note = db.transact((tx) => tx.notes.create({ title: 'note' })).result;
  const action = { id: '01890000-0000-7000-8000-00000000aaaa', name: 'bump', arg: { id: note } };
  const made = { ...action, at: Date.now() };
  expect(db.replay([made]).leftOut).toEqual([]);
  await confirmed(db);
  await forgotten(user);
  const fresh = await new Device(user).open();
  await confirmed(fresh);
  expect(fresh.replay([made])).toEqual({
    mutations: [],
    leftOut: [{ id: action.id, why: 'outcome_unknown' }],
  });
  expect(titles(fresh)).toEqual(['note 1']);
  // One that was made since cannot have been there.
  expect(fresh.replay([{ ...action, at: Date.now() }]).leftOut).toEqual([]);
  expect(titles(fresh)).toEqual(['note 2']);
});

describe('a server that is killed while it forgets', () => {
  const folder = new Folder();
  let running: TestServer | null = null;
  afterEach(async () => {
    await running?.stop();
    folder.remove();
  });

  test('goes on, and its clients miss nothing', async () => {
    const start = async (args: readonly string[]) => {
      running = await startServer(folder, folder.schema(app), { args });
      return running;
    };
    const user = newUser();
    const device = new Device(user, () => running?.url ?? '');
    await start(['--dev']);
    const db = await device.open();
    const writer = new WireClient(running?.url ?? '', user);
    const realm = `user:${user}`;
    // Of each of 60 rounds one row stays.
    for (let round = 0; round < 60; round++) {
      const ids = Array.from({ length: 100 }, (_, i) => idOf(round, i));
      const made = ids.map((id) => ({
        ...{ op: 'create', table: 'notes', id, realm },
        set: { title: `${round}`, n: 0 },
      }));
      const gone = ids.slice(1).map((id) => ({ op: 'delete', table: 'notes', id, realm }));
      const updates = [writer.update(made), writer.update(gone)];
      const { body } = await writer.send(updates);
      for (const { status } of body.results as { status: string }[]) expect(status).toBe('applied');
    }
    await confirmed(db);
    const whole = titles(db);
    expect(whole.length).toBe(60);
    for (let kill = 0; kill < 4; kill++) {
      await running?.kill();
      await start(['--dev', '--retention', '1']);
      // It begins at once, and dies in the middle of it, or before.
      await new WireClient(running?.url ?? '', user).pull();
    }
    await forgotten(user, running?.url);
    await confirmed(db);
    expect(titles(db)).toEqual(whole);
    const newcomer = await new Device(user, () => running?.url ?? '').open();
    await confirmed(newcomer);
    await expect.poll(() => titles(newcomer), { timeout: 20_000 }).toEqual(whole);
  });
});

function idOf(round: number, i: number): string {
  return `01890000-0000-7000-8000-${String(round * 1_000 + i).padStart(12, '0')}`;
}
