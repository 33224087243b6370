/** Live queries: when subscribers are called, with what, and that values keep their identity until they change. */
import { describe, expect, test, vi } from 'vitest';
import { type App, collectUncaught, fresh } from './support.ts';

async function withThree(): Promise<App> {
  const db = await fresh();
  for (const [id, population] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const) {
    db.mutate.addCity({ id, name: id.toUpperCase(), population });
  }
  return db;
}
const microtask = () => Promise.resolve();

describe('a subscriber', () => {
  test('is called first a microtask later, then once per transaction, in its task', async () => {
    const db = await withThree();
    const calls: string[] = [];
    const stop = db.cities
      .orderBy('id')
      .subscribe((rows) => calls.push(rows.map(({ name }) => name).join('')));
    expect(calls).toEqual([]);
    await microtask();
    expect(calls).toEqual(['ABC']);
    db.transact((tx) => {
      tx.cities.update('a', { name: 'X' });
      tx.cities.update('b', { name: 'Y' });
      expect(calls).toHaveLength(1);
    });
    expect(calls).toEqual(['ABC', 'XYC']);
    db.mutate.rename({ id: 'a', name: 'Z' });
    stop();
    db.mutate.rename({ id: 'a', name: 'unheard' });
    expect(calls).toEqual(['ABC', 'XYC', 'ZYC']);
  });

  test('is called with added, removed, changed and moved rows', async () => {
    const db = await withThree();
    const deltas: unknown[] = [];
    db.cities.orderBy('population').subscribe((_rows, delta) => deltas.push(delta));
    await microtask();
    db.mutate.addCity({ id: 'd', name: 'D', population: 4 });
    db.mutate.remove('b');
    db.mutate.rename({ id: 'c', name: 'Ç' });
    expect(deltas).toEqual([
      undefined,
      { added: ['d'], removed: [], changed: [], moved: [] },
      { added: [], removed: ['b'], changed: [], moved: [] },
      expect.objectContaining({ added: [], removed: [], changed: ['c'] }),
    ]);
  });

  test('is called for rows that come and go by a change of another row', async () => {
    const db = await fresh();
    const [group, member, person] = db.transact((tx) => {
      const g = tx.groups.create({ name: 'one' });
      const p = tx.people.create({ name: 'p' });
      return [g, tx.members.create({ group: g, person: p }), p] as const;
    }).result;
    const heard: unknown[] = [];
    db.members
      .where((b) => b.related('group', (q) => q.where('name', '=', 'two')))
      .subscribe((rows) => heard.push(['members', rows.map(({ id }) => id)]));
    db.people
      .where((b) => b.exists('members', (q) => q.where('group', '=', group)))
      .subscribe((rows) => heard.push(['people', rows.map(({ id }) => id)]));
    await microtask();
    heard.length = 0;
    db.transact((tx) => tx.groups.update(group, { name: 'two' }));
    db.transact((tx) => tx.groups.update(group, { name: 'three' }));
    db.transact((tx) => tx.members.delete(member));
    expect(heard).toEqual([
      ['members', [member]],
      ['members', []],
      ['people', []],
    ]);
    db.transact((tx) => tx.members.create({ group, person }));
    expect(heard.at(-1)).toEqual(['people', [person]]);
  });

  test('is not called for what its query does not hold, nor after a rollback', async () => {
    const db = await withThree();
    const calls = vi.fn();
    db.cities.where('population', '>', 2).subscribe(calls);
    await microtask();
    db.mutate.rename({ id: 'a', name: 'X' });
    expect(() =>
      db.transact((tx) => {
        tx.cities.delete('c');
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(calls).toHaveBeenCalledTimes(1);
  });

  test('may write; then the next ones get both transactions in order', async () => {
    const db = await withThree();
    const seen: (string | undefined)[] = [];
    db.cities.where('id', '=', 'a').subscribe((rows) => {
      if (rows[0]?.name === 'X') db.mutate.rename({ id: 'a', name: 'Y' });
    });
    db.cities.where('id', '=', 'a').subscribe((rows) => seen.push(rows[0]?.name));
    await microtask();
    db.mutate.rename({ id: 'a', name: 'X' });
    expect(db.cities.get('a')?.name).toBe('Y');
    expect(seen.at(-1)).toBe('Y');
  });
});

describe('a subscriber that another one ends', () => {
  test('is not called any more, not even for the transaction in which it was ended', async () => {
    const db = await withThree();
    const query = db.cities.orderBy('id').live();
    const heard: string[] = [];
    query.subscribe((_rows, delta) => {
      heard.push('first');
      if (delta) stop();
    });
    const stop = query.subscribe(() => heard.push('second'));
    const other = db.cities.liveCount().subscribe(() => heard.push('count'));
    await microtask();
    heard.length = 0;
    db.mutate.addCity({ id: 'd', name: 'D' });
    expect(heard).toEqual(['first', 'count']);
    other();
    db.mutate.remove('d');
    expect(heard).toEqual(['first', 'count', 'first']);
  });

  test('is not called for the first time either', async () => {
    const db = await withThree();
    const calls = vi.fn();
    db.cities.subscribe(() => stop());
    const stop = db.cities.subscribe(calls);
    await microtask();
    expect(calls).not.toHaveBeenCalled();
  });

  test('leaves other subscribers of its live value, and a later one gets the value', async () => {
    const db = await withThree();
    const live = db.cities.orderBy('id').live();
    const [first, second] = [vi.fn(), vi.fn()];
    const stop = live.subscribe(first);
    live.subscribe(second);
    await microtask();
    stop();
    stop();
    db.mutate.remove('a');
    expect(first).toHaveBeenCalledTimes(1);
    expect(second).toHaveBeenCalledTimes(2);
    const late = vi.fn();
    live.subscribe(late);
    await microtask();
    expect(late.mock.calls[0]?.[0]).toBe(live.value);
    expect(live.value.map(({ id }) => id)).toEqual(['b', 'c']);
  });
});

describe('a live value', () => {
  test('is the same object until it changes, subscribed or not', async () => {
    const db = await withThree();
    const live = db.cities.where('population', '>', 1).orderBy('id').live();
    const before = live.value;
    expect(Object.isFrozen(before)).toBe(true);
    db.mutate.rename({ id: 'a', name: 'elsewhere' });
    expect(live.value).toBe(before);
    const stop = live.subscribe(() => {});
    expect(live.value).toBe(before);
    db.mutate.rename({ id: 'b', name: 'X' });
    const after = live.value;
    expect(after).not.toBe(before);
    expect(after[1]).toBe(before[1]);
    stop();
    expect(live.value).toBe(after);
    db.mutate.remove('c');
    expect(live.value.map(({ id }) => id)).toEqual(['b']);
  });

  test('of a first row or a number changes only with it', async () => {
    const db = await withThree();
    const first = db.cities.orderBy('population', 'desc').liveFirst();
    const count = db.cities.liveCount();
    const calls: unknown[] = [];
    first.subscribe((row) => calls.push(row?.id));
    count.subscribe((n) => calls.push(n));
    await microtask();
    expect(calls).toEqual(['c', 3]);
    db.mutate.addCity({ id: 'd', name: 'D', population: 9 });
    db.mutate.rename({ id: 'a', name: 'X' });
    expect(calls.slice(2).sort()).toEqual([4, 'd']);
  });

  test('with included rows follows both tables, and keeps what did not change', async () => {
    const db = await withThree();
    const [one, person] = db.transact((tx) => {
      const group = tx.groups.create({ name: 'one' });
      tx.groups.create({ name: 'two' });
      const id = tx.people.create({ name: 'p' });
      return [group, id] as const;
    }).result;
    const live = db.groups
      .orderBy('name')
      .include('members', (q) => q.include('person'))
      .live();
    const names: unknown[] = [];
    live.subscribe((rows) =>
      names.push(rows.map(({ members }) => members.map((m) => m.person?.name))),
    );
    await microtask();
    const before = live.value;
    const member = db.transact((tx) => tx.members.create({ group: one, person })).result;
    expect(live.value[1]).toBe(before[1]);
    db.transact((tx) => tx.people.update(person, { name: 'q' }));
    db.transact((tx) => tx.members.delete(member));
    expect(names).toEqual([
      [[], []],
      [['p'], []],
      [['q'], []],
      [[], []],
    ]);
  });
});

test('a mistake of one subscriber stops neither the others nor the mutation', async () => {
  const db = await withThree();
  await collectUncaught(async (uncaught) => {
    db.cities.subscribe((_rows, delta) => {
      if (delta) throw new Error('of the subscriber');
    });
    const calls = vi.fn();
    db.cities.subscribe(calls);
    await microtask();
    const mutation = db.mutate.rename({ id: 'a', name: 'X' });
    expect(calls).toHaveBeenCalledTimes(2);
    await mutation.durable;
    await vi.waitFor(() => expect(uncaught).toEqual([new Error('of the subscriber')]));
  });
});
