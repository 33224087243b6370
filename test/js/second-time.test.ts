/**
 * Live values: each shows what it is at first, then what it becomes while it stays, and then that it is gone: to a subscriber,
 * by `value`, and in a component. A value that comes and goes may be right, and its change be missed. Over a pretended server.
 */
import './dom.ts';
import { act, createElement as h } from 'react';
import { createRoot } from 'react-dom/client';
import {
  type AnyDatabase,
  SkerryProvider,
  useConflicts,
  useLive,
  useSyncStatus,
  useUndo,
} from 'skerry/react';
import { describe, expect, test, vi } from 'vitest';
import { connect, world } from './account-world.ts';
import type { FakeServer } from './fake-server.ts';
import { type App, turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

interface Live<V> {
  readonly value: V;
  subscribe(fn: (value: V) => void): () => void;
}
type Step = (db: App, server: FakeServer) => unknown;
interface Row<V> {
  readonly name: string;
  /** The value, and what is looked at in it. */
  live(db: App): Live<V>;
  shows(value: V): unknown;
  /** The hook for it, where it has one of its own. */
  readonly use?: () => V;
  readonly steps: readonly (readonly [step: Step, shown: unknown])[];
}
const row = <V>(of: Row<V>) => of as Row<unknown>;

const city = (id: string, more = {}) => ({ id, name: id, country: 'SE', ...more });
const create =
  (id: string, more = {}) =>
  (db: App) =>
    db.transact((tx) => tx.cities.create(city(id, more)));
const update = (id: string, patch: object) => (db: App) =>
  db.transact((tx) => tx.cities.update(id, patch));
const remove = (id: string) => (db: App) => db.transact((tx) => tx.cities.delete(id));
/** The same by another client, whose change comes by a pull. */
const theirs = (op: object) => async (db: App, server: FakeServer) => {
  server.write([{ table: 'cities', id: 'a', op: 'update', ...op }]);
  await db.sync.now();
};
/** The pretended server neither cascades nor keeps streams. */
const paused = (db: App) => {
  db.sync.pause();
  return db;
};
const names = (rows: readonly { name: string }[]) => rows.map(({ name }) => name);

let realm = '';
let group = '';
let person = '';
const swedish = (db: App) => db.cities.where('country', '=', 'SE').orderBy('name');
const sum = {
  reducer: (state: number, by: number) => {
    if (by < 0) throw new Error(`not ${by}`);
    return state + by;
  },
  initialState: 0,
};
const refused = (id: string) => async (db: App, server: FakeServer) => {
  server.refuse = () => 'forbidden';
  create(id)(db);
  const many = db.conflicts.all().length;
  await until(() => db.conflicts.all().length > many);
  server.refuse = () => null;
};

const rows: readonly Row<unknown>[] = [
  row({
    name: 'the rows of a query',
    live: (db) => swedish(db).live(),
    shows: names,
    steps: [
      [create('a'), ['a']],
      [update('a', { name: 'b' }), ['b']],
      [update('a', { name: 'c' }), ['c']],
      [remove('a'), []],
    ],
  }),
  row({
    name: 'the rows of a query, changed by others',
    live: (db) => swedish(db).live(),
    shows: names,
    steps: [
      [theirs({ op: 'create', set: { name: 'a', country: 'SE' } }), ['a']],
      [theirs({ set: { name: 'b' } }), ['b']],
      [theirs({ set: { name: 'c' } }), ['c']],
      [theirs({ op: 'delete' }), []],
    ],
  }),
  row({
    name: 'the order of a query',
    live: (db) => swedish(db).live(),
    shows: names,
    steps: [
      [(db) => [create('a')(db), create('b')(db)], ['a', 'b']],
      [update('a', { name: 'x' }), ['b', 'x']],
      [update('a', { name: 'a' }), ['a', 'b']],
      [(db) => [remove('a')(db), remove('b')(db)], []],
    ],
  }),
  row({
    name: 'liveFirst',
    live: (db) => swedish(db).liveFirst(),
    shows: (row: { name: string } | undefined) => row?.name,
    steps: [
      [create('b'), 'b'],
      [create('a'), 'a'],
      [update('a', { name: 'aa' }), 'aa'],
      [remove('a'), 'b'],
      [remove('b'), undefined],
    ],
  }),
  row({
    name: 'liveCount',
    live: (db) => swedish(db).liveCount(),
    shows: (count: number) => count,
    steps: [
      [create('a'), 1],
      [create('b'), 2],
      [update('a', { country: 'FI' }), 1],
      [remove('b'), 0],
    ],
  }),
  row({
    name: 'the included rows',
    live: (db) =>
      paused(db)
        .groups.include('members', (members) => members.include('person'))
        .live(),
    shows: (groups: readonly { members: readonly { person: { name: string } | null }[] }[]) =>
      groups.flatMap(({ members }) => members.map((member) => member.person?.name)),
    steps: [
      [
        (db) =>
          db.transact((tx) => {
            group = tx.groups.create({ name: 'ours' });
            person = tx.people.create({ name: 'anna' });
            tx.members.create({ group, person });
          }),
        ['anna'],
      ],
      [(db) => db.transact((tx) => tx.people.update(person, { name: 'ann' })), ['ann']],
      [(db) => db.transact((tx) => tx.people.update(person, { name: 'an' })), ['an']],
      [(db) => db.transact((tx) => tx.people.delete(person)), []],
    ],
  }),
  row({
    name: 'the realms, and the own role in them',
    live: (db) => db.realms,
    shows: (realms: readonly { role: string }[]) => realms.map(({ role }) => role),
    steps: [
      [
        (db) => {
          db.sync.pause();
          realm = db.realms.create().result;
          db.realms.invite(realm, 'bo', 'owner');
        },
        ['owner'],
      ],
      [(db) => db.realms.setRole(realm, 'anna', 'writer'), ['writer']],
      [(db) => db.realms.leave(realm), []],
    ],
  }),
  row({
    name: 'the members of a realm',
    live: (db) => {
      db.sync.pause();
      realm = db.realms.create().result;
      return db.realms.members(realm);
    },
    shows: (members: readonly { user: string; role: string }[]) =>
      members.filter(({ user }) => user !== 'anna').map(({ user, role }) => `${user} ${role}`),
    steps: [
      [(db) => db.realms.invite(realm, 'bo', 'reader'), ['bo reader']],
      [(db) => db.realms.setRole(realm, 'bo', 'writer'), ['bo writer']],
      [(db) => db.realms.setRole(realm, 'bo', 'reader'), ['bo reader']],
      [(db) => db.realms.remove(realm, 'bo'), []],
    ],
  }),
  row({
    name: 'the conflicts',
    live: (db) => ({
      get value() {
        return db.conflicts.all();
      },
      subscribe: (fn) => db.conflicts.subscribe(fn),
    }),
    use: useConflicts,
    shows: (conflicts: readonly { key: string }[]) => conflicts.map(({ key }) => key),
    steps: [
      [refused('a'), ['a']],
      [refused('b'), ['a', 'b']],
      [(db) => db.conflicts.resolve(db.conflicts.all()[0]?.id ?? 0, 'discard'), ['b']],
      [(db) => db.conflicts.resolve(db.conflicts.all()[0]?.id ?? 0, 'discard'), []],
    ],
  }),
  row({
    name: 'what can be undone',
    live: (db) => ({
      get value() {
        return db.canUndo.value;
      },
      subscribe: (fn) => db.canUndo.subscribe(() => fn(db.canUndo.value)),
    }),
    use: () => useUndo().canUndo,
    shows: (can: boolean) => can,
    steps: [
      [create('a'), true],
      [(db) => db.undo(), false],
      [(db) => db.redo(), true],
      [(db) => db.undo(), false],
    ],
  }),
  row({
    name: 'what can be redone',
    live: (db) => db.canRedo,
    use: () => useUndo().canRedo,
    shows: (can: boolean) => can,
    steps: [
      [(db) => [create('a')(db), db.undo()], true],
      [(db) => db.redo(), false],
      [(db) => db.undo(), true],
      [create('b'), false],
    ],
  }),
  row({
    name: 'the status',
    live: (db) => ({
      get value() {
        return db.sync.status;
      },
      subscribe: (fn) => db.sync.subscribe(fn),
    }),
    use: useSyncStatus,
    shows: ({ pending }: { pending: number }) => pending,
    steps: [
      [(db) => [db.sync.pause(), create('a')(db)], 1],
      [create('b'), 2],
      [
        async (db) => {
          db.sync.resume();
          await until(() => db.sync.status.pending === 0);
        },
        0,
      ],
    ],
  }),
  row({
    name: 'whether the server is reached',
    live: (db) => ({
      get value() {
        return db.sync.status;
      },
      subscribe: (fn) => db.sync.subscribe(fn),
    }),
    use: useSyncStatus,
    shows: ({ connected }: { connected: boolean }) => connected,
    steps: [
      [async (db) => await until(() => db.sync.status.connected), true],
      [
        async (db) => {
          db.sync.pause();
          await until(() => !db.sync.status.connected);
        },
        false,
      ],
      [
        async (db) => {
          db.sync.resume();
          await until(() => db.sync.status.connected);
        },
        true,
      ],
    ],
  }),
  row({
    name: 'the items of a stream',
    live: (db) => paused(db).stream<string>('chat'),
    shows: (items: readonly string[]) => [...items],
    steps: [
      [(db) => db.stream<string>('chat').append('a'), ['a']],
      [(db) => db.stream<string>('chat').append('b'), ['a', 'b']],
    ],
  }),
  row({
    name: 'the state of a stream',
    live: (db) => paused(db).stream<number, number>('score', sum),
    shows: (state: number) => state,
    steps: [
      [(db) => db.stream<number, number>('score', sum).dispatch(1), 1],
      [(db) => db.stream<number, number>('score', sum).dispatch(2), 3],
    ],
  }),
  row({
    name: 'the problems',
    live: (db) => {
      paused(db).stream<number, number>('score', sum);
      return db.problems;
    },
    shows: (problems: readonly { message: string }[]) =>
      problems.map(({ message }) => message.match(/not -\d/)?.[0]),
    steps: [
      [(db) => db.stream<number, number>('score', sum).dispatch(-1), ['not -1']],
      [(db) => db.stream<number, number>('score', sum).dispatch(-2), ['not -1', 'not -2']],
    ],
  }),
];

async function opened() {
  const { host, server } = world();
  const db = await connect(host, 'anna', { defaultRealm: 'public' });
  await db.sync.now();
  return { db, server };
}

describe('shows what it is, what it becomes, and its end', () => {
  test.each(rows)('$name: to a subscriber, and as `value`', async ({ live, shows, steps }) => {
    const { db, server } = await opened();
    const value = live(db);
    const seen: unknown[] = [];
    const stop = value.subscribe((now) => seen.push(shows(now)));
    for (const [step, expected] of steps) {
      await step(db, server);
      await until(() => JSON.stringify(seen.at(-1)) === JSON.stringify(expected));
      expect(shows(value.value)).toEqual(expected);
    }
    const heard = seen.length;
    stop();
    db.sync.pause();
    await create('after')(db).durable;
    expect(seen).toHaveLength(heard);
  });

  test.each(rows)('$name: in a component', async ({ live, shows, use, steps }) => {
    const { db, server } = await opened();
    const value = live(db);
    const place = document.createElement('div');
    const useShown = use ?? (() => useLive(value as never) as unknown);
    const Shown = () => JSON.stringify(shows(useShown())) ?? 'nothing';
    const root = createRoot(place);
    await act(async () =>
      root.render(h(SkerryProvider, { db: db as unknown as AnyDatabase }, h(Shown))),
    );
    for (const [step, expected] of steps) {
      await act(async () => {
        await step(db, server);
        await turn();
      });
      const wanted = JSON.stringify(expected) ?? 'nothing';
      const shown = async () => {
        await act(async () => turn());
        expect(place.textContent).toBe(wanted);
      };
      await vi.waitFor(shown, { timeout: 10_000, interval: 5 });
    }
    await act(async () => root.unmount());
  });
});
