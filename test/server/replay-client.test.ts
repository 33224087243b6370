// Goal: an action that is replayed counts once, on however many devices and however often, in any parts; and what its mutator
// makes is the same everywhere. Method: the package's own clients on memory hosts, against the real server.
import {
  defineMutators,
  http,
  open,
  schema,
  t,
  table,
  UnsupportedError,
  ValidationError,
} from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    notes: table({ title: t.string(), n: t.number().default(0), at: t.date().optional() }),
    marks: table({ note: t.ref('notes', { onDelete: 'cascade' }) }),
  },
  { version: 1 },
);
const mutators = defineMutators(app, {
  add: (tx, { title, at }: { title: string; at?: Date }) => {
    const note = tx.notes.create({ title, ...(at && { at }) });
    tx.marks.create({ note });
    return note;
  },
  bump: (tx, { title }: { title: string }) => {
    const [note] = tx.notes.where('title', '=', title).all();
    if (!note) throw new Error('no such note');
    tx.notes.inc(note.id, { n: 1 });
  },
});

const server = new SharedServer({ schema: app });
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

let people = 0;
const newUser = () => `replaying-${++people}`;
const newHost = (): MemoryHost =>
  memory({ workerTimes: { retry: 20, retryMax: 40, idle: 60_000 }, transport: fetchTransport });

async function connect(user: string, host = newHost()) {
  const remote = http(`${server.url}/v1`, { token: async () => `dev:${user}` });
  const db = await open({
    name: 'replay',
    schema: app,
    mutators,
    host,
    user,
    scopes: 'all',
    remote,
  });
  opened.push(db);
  await db.sync.now();
  return db;
}
type Db = Awaited<ReturnType<typeof connect>>;

async function settled(...all: Db[]): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const db of all) {
      db.sync.resume();
      await db.sync.now();
      await expect.poll(() => db.sync.status.pending).toBe(0);
    }
  }
}

interface Exported {
  readonly id: string;
  readonly name: string;
  readonly at: number;
  readonly arg: unknown;
}
/** The pending actions, as a file has them. */
async function exported(db: Db): Promise<Exported[]> {
  const file = await db.export({ pendingOnly: true });
  return JSON.parse(await file.text()).content.mutations;
}

const shown = (db: Db) =>
  db.notes
    .orderBy('title')
    .all()
    .map(({ id, title, n, at }) => ({ id, title, n, at: at?.getTime() ?? null }));

/** Three actions of an application whose user is offline. */
async function madeElsewhere(): Promise<Exported[]> {
  const db = await connect(newUser());
  db.sync.pause();
  db.mutate.add({ title: 'a', at: new Date(7) });
  db.mutate.bump({ title: 'a' });
  await db.mutate.bump({ title: 'a' }).durable;
  return exported(db);
}

test('actions of another application: replayed twice, in parts, by two devices', async () => {
  const actions = await madeElsewhere();
  expect(actions.map(({ name }) => name)).toEqual(['add', 'bump', 'bump']);
  const user = newUser();
  const [one, other] = [await connect(user), await connect(user)];
  one.sync.pause();
  other.sync.pause();
  const first = one.replay(actions);
  expect(first.leftOut).toEqual([]);
  expect(first.mutations.map(({ id }) => id)).toEqual(actions.map(({ id }) => id));
  expect(shown(one)).toMatchObject([{ title: 'a', n: 2, at: 7 }]);
  // What is pending is left out.
  expect(one.replay(actions)).toEqual({
    mutations: [],
    leftOut: actions.map(({ id }) => ({ id, why: 'pending' })),
  });
  // In parts, and without having seen the first device's.
  for (const action of actions) expect(other.replay([action]).mutations).toHaveLength(1);
  expect(shown(other)).toEqual(shown(one));
  await settled(one, other);
  expect(shown(one)).toMatchObject([{ title: 'a', n: 2 }]);
  expect(shown(other)).toEqual(shown(one));
  expect(one.marks.count()).toBe(1);
  // All of it once more, when it is in the log.
  one.replay(actions);
  await settled(one, other);
  expect(shown(one)).toMatchObject([{ title: 'a', n: 2 }]);
  expect([...one.conflicts.all(), ...other.conflicts.all()]).toEqual([]);
});

test('two windows of a profile replay the same at once', async () => {
  const actions = await madeElsewhere();
  const user = newUser();
  const host = newHost();
  const [one, other] = [await connect(user, host), await connect(user, host.window())];
  one.replay(actions);
  other.replay(actions);
  await settled(one, other);
  expect(shown(one)).toMatchObject([{ title: 'a', n: 2 }]);
  expect(shown(other)).toEqual(shown(one));
  expect(one.conflicts.all()).toEqual([]);
});

test('actions that cannot be run are named, and the others are run', async () => {
  const [add, bump] = await madeElsewhere();
  const db = await connect(newUser());
  const id = (n: number) => `01890000-0000-7000-8000-00000000000${n}`;
  const { mutations, leftOut } = db.replay([
    bump as Exported,
    { id: id(1), name: 'unknown', arg: null },
    { ...(add as Exported), at: 5 },
    { id: 'no id', name: 'add', arg: { title: 'b' } },
  ]);
  expect(leftOut).toEqual([
    { id: bump?.id, why: 'failed' },
    { id: id(1), why: 'unknown_mutator' },
    { id: 'no id', why: 'invalid_id' },
  ]);
  expect(mutations.map((mutation) => mutation.id)).toEqual([add?.id]);
  await settled(db);
  // In another order, where that is allowed: what failed is replayed when it can be run.
  expect(db.replay([bump as Exported]).leftOut).toEqual([]);
  await settled(db);
  expect(shown(db)).toMatchObject([{ title: 'a', n: 1 }]);
  expect(() => db.replay([{ name: 'add' } as never])).toThrow(ValidationError);
});

test('values are as the mutator takes them', async () => {
  const db = await connect(newUser());
  const id = '01890000-0000-7000-8000-0000000000aa';
  db.replay([{ id, name: 'add', arg: { title: 'c', at: new Date(9) } }]);
  await settled(db);
  expect(shown(db)).toMatchObject([{ title: 'c', at: 9 }]);
});

test('without a remote it is refused', async () => {
  const db = await open({ name: 'replay', schema: app, mutators, host: newHost(), scopes: 'all' });
  opened.push(db);
  expect(() => db.replay([])).toThrow(UnsupportedError);
});
