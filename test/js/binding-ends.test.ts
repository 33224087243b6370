/**
 * What the bindings do where their host fails or ends: each step of a binding's life, with storage that fails, a database that is
 * closed, and a binding that is ended. What was begun is ended, errors arrive, and what comes after them is shown.
 */
import './dom.ts';
import { createCollection } from '@tanstack/db';
import { act, createElement as h } from 'react';
import { createRoot } from 'react-dom/client';
import { open, schema } from 'skerry';
import { type AnyDatabase, SkerryProvider, useLive, useQuery, useStream } from 'skerry/react';
import { skerryCollectionOptions } from 'skerry/tanstack';
import { memory } from 'skerry/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Live, Stop } from '../../js/api/types.ts';
import { added, makeStore } from './redux-store.ts';
import { type App, fresh, turn, until } from './support.ts';

/** Counts who listens to a live value. */
function counted<V>(live: Live<V>) {
  const listening = { now: 0, ever: 0 };
  const counting: Live<V> = {
    get value() {
      return live.value;
    },
    subscribe(fn): Stop {
      const stop = live.subscribe(fn as never);
      listening.now++;
      listening.ever++;
      let isStopped = false;
      return Object.assign(
        () => {
          if (!isStopped) listening.now--;
          isStopped = true;
          stop();
        },
        { [Symbol.dispose]: () => stop() },
      );
    },
  };
  return { counting, listening };
}
const add = (db: App, name: string) => db.mutate.addGroup(name).durable;

describe('a collection of TanStack DB', () => {
  async function collection() {
    const host = memory();
    const db = await fresh(host);
    await add(db, 'One');
    const { counting, listening } = counted(db.groups.live());
    const groups = createCollection(
      skerryCollectionOptions({ db, table: 'groups', query: () => ({ live: () => counting }) }),
    );
    return { host, db, groups, listening };
  }

  test('listens from its start to its cleanup, and again when it is used again', async () => {
    const { db, groups, listening } = await collection();
    expect(listening).toEqual({ now: 0, ever: 0 });
    for (let times = 1; times <= 2; times++) {
      await groups.preload();
      expect(groups.size).toBe(times);
      expect(listening).toEqual({ now: 1, ever: times });
      await groups.cleanup();
      expect(listening).toEqual({ now: 0, ever: times });
      // Nothing is written to it, and nothing is lost.
      await add(db, `After ${times}`);
    }
    await groups.preload();
    expect(groups.size).toBe(3);
  });

  test('is written to while storage fails, and is stored once it can be', async () => {
    const { host, db, groups } = await collection();
    await groups.preload();
    host.storage.faults.fail = true;
    const { isPersisted } = groups.insert({ id: crypto.randomUUID(), name: 'Two' } as never);
    await until(() => db.sync.status.error !== null);
    expect([groups.size, isPersisted.isPending()]).toEqual([2, true]);
    host.storage.faults.fail = false;
    await isPersisted.promise;
    await db.close();
    expect((await fresh(host)).groups.count()).toBe(2);
  });

  test('takes back what storage had not taken when the database was closed', async () => {
    const { host, db, groups } = await collection();
    await groups.preload();
    host.storage.faults.fail = true;
    const { isPersisted } = groups.insert({ id: crypto.randomUUID(), name: 'Two' } as never);
    const persisted = expect(isPersisted.promise).rejects.toMatchObject({
      code: expect.any(String),
    });
    await db.close();
    await persisted;
  });

  test.each([
    ['insert', (groups: Writable) => groups.insert({ id: crypto.randomUUID(), name: 'Late' })],
    ['delete', (groups: Writable, id: string) => groups.delete(id)],
  ])('of a closed database refuses an %s, and keeps its rows', async (_, write) => {
    const { db, groups } = await collection();
    await groups.preload();
    const [row] = [...groups.values()];
    await db.close();
    const transaction = write(groups as never, row?.id as string);
    await expect(transaction.isPersisted.promise).rejects.toMatchObject({ code: 'closed' });
    expect([...groups.values()].map(({ name }) => name)).toEqual(['One']);
  });

  test('begun over a closed database fails, and does not wait for ever', async () => {
    const { db, groups } = await collection();
    await db.close();
    await expect(groups.preload()).rejects.toMatchObject({ code: 'closed' });
  });
});
interface Writable {
  insert(row: object): { isPersisted: { promise: Promise<unknown> } };
  delete(id: string): { isPersisted: { promise: Promise<unknown> } };
}

describe('a store of Redux', () => {
  const counterOf = ({ store }: ReturnType<typeof makeStore>) => store.getState().counter.value;

  test.each([
    ['the database is opened', 'opening'],
    ['the stream is whole', 'open'],
  ])('that is closed before %s keeps its state, and follows nothing', async (_, when) => {
    const host = memory();
    const db = await open({ name: 'mine', schema: schema({}, { version: 1 }), host });
    const onError = vi.fn();
    const one = makeStore(host, { db, onError });
    const two = makeStore(host, { db, onError });
    if (when === 'open') await Promise.all([one.store.skerry.ready, two.store.skerry.ready]);
    one.store.dispatch(added(1));
    await one.store.skerry.close();
    const before = counterOf(one);
    await until(() => two.store.skerry.whole && counterOf(two) === 1);
    two.store.dispatch(added(2));
    await until(() => db.sync.status.pending === 0);
    await turn();
    expect([counterOf(one), counterOf(two)]).toEqual([before, 3]);
    expect(onError).not.toHaveBeenCalled();
    await db.close();
  });

  test('whose storage fails while it opens is an ordinary store, and reports it once', async () => {
    const host = memory();
    host.storage.faults.refuseOpen = true;
    const onError = vi.fn();
    const made = makeStore(host, {
      onError,
      persist: { slices: ['device'], actions: ['device/*'] },
    });
    await expect(made.store.skerry.ready).rejects.toMatchObject({
      name: expect.stringMatching(/Error$/),
    });
    await until(() => onError.mock.calls.length > 0);
    made.store.dispatch(added(2));
    expect(counterOf(made)).toBe(2);
    await made.store.skerry.close();
  });

  test('whose database is closed throws in dispatch, and keeps its state', async () => {
    const host = memory();
    const db = await open({ name: 'mine', schema: schema({}, { version: 1 }), host });
    const made = makeStore(host, { db });
    await made.store.skerry.ready;
    made.store.dispatch(added(2));
    await until(() => db.sync.status.pending === 0);
    await db.close();
    expect(() => made.store.dispatch(added(3))).toThrow(/closed/);
    expect(counterOf(made)).toBe(2);
  });
});

describe('a component of React', () => {
  const places: HTMLElement[] = [];
  afterEach(() => {
    for (const place of places.splice(0)) place.remove();
  });
  async function shown(db: App, component: () => string) {
    const place = document.body.appendChild(document.createElement('div'));
    places.push(place);
    const root = createRoot(place);
    const tree = h(SkerryProvider, { db: db as unknown as AnyDatabase }, h(component));
    await act(async () => root.render(tree));
    return { text: () => place.textContent, end: () => act(async () => root.unmount()) };
  }
  const change = (fn: () => unknown) =>
    act(async () => {
      await fn();
      await turn();
    });

  /** Live values of each kind: what is shown at first, and after each of two changes of what stays. */
  const kinds: [string, (db: App) => Live<unknown>, (db: App, name: string) => unknown][] = [
    ['rows', (db) => db.groups.live(), rename],
    ['the first row', (db) => db.groups.liveFirst(), rename],
    ['a stream', (db) => db.stream('names'), (db, name) => db.stream('names').append(name)],
    [
      'the state of a stream',
      (db) =>
        db.stream('names', { reducer: (_: string, name: string) => name, initialState: 'none' }),
      (db, name) => db.stream('names').append(name),
    ],
  ];
  function rename(db: App, name: string): unknown {
    const id = db.groups.first()?.id;
    return db.transact((tx) => id && tx.groups.update(id, { name }));
  }
  test.each(kinds)('shows A, then B, and then nothing more: %s', async (_, of, write) => {
    const db = await fresh(memory());
    await add(db, 'One');
    const { counting, listening } = counted(of(db));
    const { text, end } = await shown(db, () => JSON.stringify(useLive(counting)));
    for (const name of ['A name', 'B name']) {
      await change(() => write(db, name));
      await until(() => text()?.includes(name) === true);
    }
    expect(listening.now).toBe(1);
    await end();
    expect(listening.now).toBe(0);
    await change(() => write(db, 'C name'));
  });

  test.each<[string, () => string]>([
    ['useQuery', () => `${useQuery((db) => db.groups).length}`],
    ['useLive', () => `${useLive((db) => db.groups.liveCount())}`],
    ['useStream', () => `${useStream((db) => db.stream('names')).length}`],
  ])(
    'that is unmounted after the database was closed ends without an error: %s',
    async (_, use) => {
      const db = await fresh(memory());
      await add(db, 'One');
      await db.stream('names').append('one').confirmed;
      const { text, end } = await shown(db, use);
      await until(() => text() === '1');
      await change(() => db.close());
      expect(text()).toBe('1');
      await end();
    },
  );
});
