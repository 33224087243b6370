/** Queries of one window, through the package: each clause once, and mistakes. Their semantics are tested in the core. */
import { describe, expect, test } from 'vitest';
import { type App, fresh } from './support.ts';

describe('queries', () => {
  const rows = [
    ['a', 'Åre', 'SE', 3],
    ['b', 'Bergen', 'NO', 280],
    ['c', 'Stockholm', 'SE', 980],
    ['d', 'Stavanger', 'NO', 140],
    ['e', 'Örebro', 'SE', 120],
  ] as const;
  async function filled(): Promise<App> {
    const db = await fresh();
    db.transact((tx) => {
      for (const [id, name, country, population] of rows)
        tx.cities.create({ id, name, country, population });
    });
    return db;
  }

  test('filter, order, limit and page', async () => {
    const { cities } = await filled();
    const ids = (q: { ids(): readonly string[] }) => q.ids().join('');
    expect(ids(cities.where('country', '=', 'SE').orderBy('population', 'desc'))).toBe('cea');
    expect(ids(cities.where('name', 'like', 'St%').orderBy('name'))).toBe('dc');
    expect(ids(cities.where('id', 'in', ['a', 'd']).orderBy('id'))).toBe('ad');
    expect(
      ids(
        cities.where('population', '>=', 140).where('population', '<', 980).orderBy('population'),
      ),
    ).toBe('db');
    expect(
      ids(
        cities
          .where((b) => b.or(b.cmp('name', '=', 'Åre'), b.not(b.cmp('country', '=', 'SE'))))
          .orderBy('id'),
      ),
    ).toBe('abd');
    expect(
      ids(cities.where((b) => b.and(b.in('country', ['NO']), b.cmp('population', '>', 200)))),
    ).toBe('b');
    expect(ids(cities.orderBy('country').orderBy('population', 'desc').limit(3))).toBe('bdc');
    expect(ids(cities.orderBy('id').offset(1).limit(2))).toBe('bc');
    const third = cities.orderBy('population').offset(2).first();
    expect(
      ids(
        cities
          .orderBy('population')
          .after(third ?? null)
          .limit(2),
      ),
    ).toBe('bc');
    expect(ids(cities.where('founded', '=', null).orderBy('id'))).toBe('abcde');
    expect(ids(cities.where('founded', '!=', null))).toBe('');
  });

  test('a function that returns nothing is refused everywhere: it would mean all rows', async () => {
    const db = await filled();
    const { cities } = db;
    const nothing = { name: 'ValidationError', message: expect.stringMatching(/returned nothing/) };
    for (const value of [undefined, null]) {
      const give = (() => value) as never;
      expect(() => cities.where(give)).toThrow(expect.objectContaining(nothing));
      expect(() => cities.where((b) => b.not(give))).toThrow(/returned no filter/);
      expect(() => cities.where((b) => b.and(value as never))).toThrow(/returned nothing/);
      expect(() => db.groups.include('members', give)).toThrow(/returned nothing/);
      expect(() => db.groups.where((b) => b.exists('members', give))).toThrow(/returned nothing/);
      expect(() => db.transact((tx) => tx.cities.deleteWhere(tx.cities.where(give)))).toThrow(
        /returned nothing/,
      );
      expect(() =>
        db.transact((tx) => tx.cities.updateWhere(tx.cities.where(give), { name: 'X' })),
      ).toThrow(/returned nothing/);
    }
    expect(cities.where('name', '=', 'X').count()).toBe(0);
    expect(cities.count()).toBe(5);
    expect(cities.get(undefined as never)).toBeUndefined();
  });

  test('count and aggregate', async () => {
    const { cities } = await filled();
    const swedish = cities.where('country', '=', 'SE');
    expect([
      swedish.count(),
      swedish.sum('population'),
      swedish.min('population'),
      swedish.max('name'),
    ]).toEqual([3, 1103, 3, 'Örebro']);
    expect(cities.max('founded')).toBeUndefined();
    expect(cities.where('id', '=', 'none').sum('population')).toBe(0);
    expect(cities.min('createdAt')).toBeInstanceOf(Date);
  });

  test('include rows by refs, both ways, and ask whether there are any', async () => {
    const db = await fresh();
    const [g1, g2] = db.transact((tx) => {
      const [one, two] = tx.groups.createMany([{ name: 'one' }, { name: 'two' }]) as [
        string,
        string,
      ];
      const [p, q] = tx.people.createMany([{ name: 'p' }, { name: 'q' }]) as [string, string];
      tx.members.createMany([
        { group: one, person: p },
        { group: one, person: q },
      ]);
      return [one, two] as const;
    }).result;
    const groups = db.groups
      .include('members', (q) => q.include('person'))
      .orderBy('name')
      .all();
    expect(groups.map((g) => g.members.map((m) => m.person?.name).sort())).toEqual([
      ['p', 'q'],
      [],
    ]);
    expect(db.members.include('group').first()?.group?.name).toBe('one');
    expect(db.groups.where((b) => b.exists('members')).ids()).toEqual([g1]);
    expect(db.groups.where((b) => b.not(b.exists('members'))).ids()).toEqual([g2]);
  });

  test('hold rows whose ref leads to a row that matches, also through several', async () => {
    const db = await fresh();
    const [one, two] = db.transact((tx) => {
      const [g1, g2] = tx.groups.createMany([{ name: 'one' }, { name: 'two' }]) as [string, string];
      const person = tx.people.create({ name: 'p' });
      const m1 = tx.members.create({ group: g1, person });
      const m2 = tx.members.create({ group: g2, person });
      return [m1, m2] as const;
    }).result;
    const { members, people } = db;
    const inGroup = (name: string) =>
      members.where((b) => b.related('group', (q) => q.where('name', '=', name)));
    expect([inGroup('one').ids(), inGroup('none').ids()]).toEqual([[one], []]);
    expect(members.where((b) => b.not(b.related('group'))).ids()).toEqual([]);
    expect(
      members
        .where((b) =>
          b.or(
            b.cmp('id', '=', one),
            b.related('group', (q) => q.where('name', '=', 'two')),
          ),
        )
        .ids(),
    ).toEqual([one, two].sort());
    const peopleIn = (name: string) =>
      people.where((b) =>
        b.exists('members', (q) =>
          q.where((m) => m.related('group', (g) => g.where('name', '=', name))),
        ),
      );
    expect([peopleIn('two').count(), peopleIn('none').count()]).toEqual([1, 0]);
    expect(() => members.where((b) => b.related('id' as never))).toThrow(/no ref/);
  });

  test('mistakes are thrown where they are made', async () => {
    const { cities } = await filled();
    const wrong = (make: () => unknown, name: string) =>
      expect(make).toThrow(expect.objectContaining({ name }));
    wrong(() => cities.where('nope' as never, '=', 1 as never), 'SchemaError');
    wrong(() => cities.where('name', '~' as never, 'x'), 'ValidationError');
    wrong(() => cities.where('name', '=', undefined as never), 'ValidationError');
    wrong(() => cities.where('name', '=', 5 as never).all(), 'ValidationError');
    wrong(() => cities.orderBy('nope' as never), 'SchemaError');
    wrong(() => cities.limit(-1), 'ValidationError');
    wrong(() => cities.include('nope' as never), 'SchemaError');
  });
});
