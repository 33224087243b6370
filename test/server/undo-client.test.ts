// Goal: an undo takes back what its author did, with all that went along, also what the author never saw, and nothing that
// others did, whoever came first. Method: the package's own clients on memory hosts, against the real server: two devices that
// write one realm, each undo before it is sent, after it was, and while others write.
import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { random } from './support/random.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    lists: table({ name: t.string() }),
    items: table({
      text: t.string(),
      n: t.number().default(0),
      list: t.ref('lists', { onDelete: 'cascade' }),
      after: t.ref('items', { onDelete: 'setNull' }).optional(),
    }),
  },
  { version: 1 },
);

const server = new SharedServer({ schema: app });
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

let realms = 0;
async function connect(realm: string, only: 'lists' | 'all' = 'all') {
  const host = memory({
    workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
    transport: fetchTransport,
  });
  const db = await open({
    ...{ name: 'undo', schema: app, host, user: realm, defaultRealm: `user:${realm}` },
    scopes: only === 'all' ? 'all' : (q) => [q.lists],
    remote: http(`${server.url}/v1`, { token: async () => `dev:${realm}` }),
  });
  opened.push(db);
  await db.sync.now();
  return db;
}
type Db = Awaited<ReturnType<typeof connect>>;

/** Two devices of one user, with a list of two items, the second of which comes after the first. */
async function two() {
  const realm = `undoing-${++realms}`;
  const mine = await connect(realm);
  const made = mine.transact(
    (tx) => {
      const list = tx.lists.create({ name: 'list' });
      const first = tx.items.create({ text: 'first', list });
      const second = tx.items.create({ text: 'second', list, after: first });
      return { list, first, second };
    },
    { undoable: false },
  );
  await made.confirmed;
  const theirs = await connect(realm);
  return { realm, mine, theirs, ...made.result };
}

async function settled(...all: Db[]): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const db of all) {
      db.sync.resume();
      await db.sync.now();
      await db.sync.waitForSync();
    }
  }
}

const shown = (db: Db) => ({
  lists: db.lists
    .orderBy('id')
    .all()
    .map(({ id, name }) => ({ id, name })),
  items: db.items
    .orderBy('id')
    .all()
    .map(({ id, text, n, list, after }) => ({ id, text, n, list, after })),
});

/** What is done, and whether it was sent before it is undone. */
const deeds = {
  'a prop is set': (db: Db, { first }: { first: string }) =>
    db.transact((tx) => tx.items.update(first, { text: 'other' })),
  'a number is added': (db: Db, { first }: { first: string }) =>
    db.transact((tx) => tx.items.inc(first, { n: 5 })),
  'a row is created': (db: Db, { list }: { list: string }) =>
    db.transact((tx) => tx.items.create({ text: 'third', list })),
  'a row is deleted, to which another refers': (db: Db, { first }: { first: string }) =>
    db.transact((tx) => tx.items.delete(first)),
  'a list is deleted with its items': (db: Db, { list }: { list: string }) =>
    db.transact((tx) => tx.lists.delete(list)),
} as const;

describe.each(Object.entries(deeds))('%s', (_, deed) => {
  test.each(['sent', 'not sent'])('and undone and redone, when it was %s', async (when) => {
    const world = await two();
    const { mine, theirs } = world;
    const before = shown(mine);
    if (when === 'not sent') mine.sync.pause();
    const done = deed(mine, world);
    const after = shown(mine);
    if (when === 'sent') await done.confirmed;
    expect(mine.canUndo.action?.id).toBe(done.id);
    for (const [step, expected] of [
      ['undo', before],
      ['redo', after],
      ['undo', before],
    ] as const) {
      const undone = mine[step]();
      expect(undone?.kept).toEqual([]);
      expect(shown(mine)).toEqual(expected);
      if (when === 'not sent') continue;
      await undone?.confirmed;
      await settled(theirs);
      expect(shown(theirs)).toEqual(expected);
    }
    await settled(mine, theirs);
    expect(shown(mine)).toEqual(before);
    expect(shown(theirs)).toEqual(before);
    expect(mine.conflicts.all()).toEqual([]);
  });
});

test('brings back what the one who deleted never saw', async () => {
  const world = await two();
  const narrow = await connect(world.realm, 'lists');
  expect(narrow.items.all()).toEqual([]);
  const before = shown(world.mine);
  await narrow.transact((tx) => tx.lists.delete(world.list)).confirmed;
  await settled(world.mine);
  expect(world.mine.items.all()).toEqual([]);
  await narrow.undo()?.confirmed;
  await settled(world.mine);
  expect(shown(world.mine)).toEqual(before);
});

test('brings back what was pending on a row when it was deleted, sent or not', async () => {
  for (const isSent of [true, false]) {
    const { mine, theirs, first } = await two();
    mine.sync.pause();
    mine.transact((tx) => tx.items.update(first, { text: 'mine' }));
    if (isSent) await settled(mine);
    mine.sync.pause();
    mine.transact((tx) => tx.items.delete(first));
    await settled(mine);
    mine.undo();
    await settled(mine, theirs);
    for (const db of [mine, theirs]) expect(db.items.get(first)?.text).toBe('mine');
  }
});

test('leaves what others have changed, before and after the undo was made', async () => {
  const { mine, theirs, first } = await two();
  await mine.transact((tx) => tx.items.update(first, { text: 'mine', n: 9 })).confirmed;
  await settled(theirs);
  await theirs.transact((tx) => tx.items.update(first, { text: 'theirs' })).confirmed;
  await settled(mine);
  const undone = mine.undo();
  expect(undone?.kept).toEqual([{ table: 'items', id: first, prop: 'text' }]);
  await settled(mine, theirs);
  for (const db of [mine, theirs])
    expect(db.items.get(first)).toMatchObject({ text: 'theirs', n: 0 });
  // They write while the undo of this device is not sent yet.
  await mine.transact((tx) => tx.items.update(first, { n: 20 })).confirmed;
  mine.sync.pause();
  mine.undo();
  expect(mine.items.get(first)?.n).toBe(0);
  await settled(theirs);
  await theirs.transact((tx) => tx.items.update(first, { n: 30 })).confirmed;
  await settled(mine, theirs);
  for (const db of [mine, theirs]) expect(db.items.get(first)?.n).toBe(30);
});

test('random undos of two devices: both show the same, and what others added', async () => {
  for (let seed = 1; seed <= rounds(20, 3); seed++) {
    const next = random(seed);
    const { mine, theirs, first } = await two();
    // By device: what it has added and not undone.
    const added = [0, 0];
    const stacks: number[][] = [[], []];
    const undone: number[][] = [[], []];
    for (let step = 0; step < 30; step++) {
      const who = next(2);
      const db = [mine, theirs][who] as Db;
      const by = 1 + next(50);
      switch (next(5)) {
        case 0:
          db.undo();
          if (stacks[who]!.length > 0) {
            const last = stacks[who]!.pop() as number;
            undone[who]!.push(last);
            added[who]! -= last;
          }
          break;
        case 1:
          db.redo();
          if (undone[who]!.length > 0) {
            const last = undone[who]!.pop() as number;
            stacks[who]!.push(last);
            added[who]! += last;
          }
          break;
        case 2:
          await (next(2) === 0 ? settled(db) : db.sync.now().catch(() => {}));
          break;
        case 3:
          db.sync.pause();
          break;
        default:
          db.transact((tx) => tx.items.inc(first, { n: by }));
          stacks[who]!.push(by);
          undone[who] = [];
          added[who]! += by;
      }
    }
    await settled(mine, theirs);
    await settled(mine, theirs);
    for (const db of [mine, theirs])
      expect([seed, db.items.get(first)?.n]).toEqual([seed, added[0]! + added[1]!]);
    expect(shown(mine)).toEqual(shown(theirs));
  }
});

test('what was refused is not undone, and its undo subtracts nothing', async () => {
  const { mine, theirs, first, list } = await two();
  mine.sync.pause();
  // The item is deleted by the other one: the change of it is told in the inbox.
  mine.transact((tx) => tx.items.inc(first, { n: 5 }));
  mine.undo();
  await theirs.transact((tx) => tx.items.inc(first, { n: 3 })).confirmed;
  await settled(mine, theirs);
  expect(mine.items.get(first)?.n).toBe(3);
  mine.sync.pause();
  mine.transact((tx) => tx.items.create({ text: 'late', list }));
  await theirs.transact((tx) => tx.lists.delete(list)).confirmed;
  await settled(mine, theirs);
  expect(mine.conflicts.all().map(({ code }) => code)).toEqual(['parent_deleted']);
  expect(mine.items.all()).toEqual([]);
});

test('a deletion is not undone by a restore of somebody else, twice', async () => {
  const { mine, theirs, list } = await two();
  await mine.transact((tx) => tx.lists.delete(list)).confirmed;
  await mine.undo()?.confirmed;
  await settled(theirs);
  await theirs.transact((tx) => tx.lists.delete(list)).confirmed;
  await settled(mine);
  // The redo deletes what is not there; the undo of that brings nothing back that they have deleted.
  await mine.redo()?.confirmed;
  await mine.undo()?.confirmed;
  await settled(mine, theirs);
  for (const db of [mine, theirs]) expect(db.lists.all()).toEqual([]);
});
