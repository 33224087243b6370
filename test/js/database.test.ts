/**
 * One window without a server, with the real core: reads, writes, transactions, errors, and what is there
 * after closing and opening again.
 */
import { open, ValidationError } from 'skerry';
import { memory } from 'skerry/testing';
import { describe, expect, test, vi } from 'vitest';
import { app, fresh, mutators, openApp } from './support.ts';

/** So many lists, one in the other. */
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe('a mutation', () => {
  test('is visible at once, and its promises resolve when it is stored', async () => {
    const db = await fresh();
    const mutation = db.mutate.addCity({ id: 'sto', name: 'Stockholm', population: 5 });
    expect(mutation.result).toBe('sto');
    expect(mutation.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(db.cities.get('sto')).toMatchObject({
      id: 'sto',
      name: 'Stockholm',
      population: 5,
      founded: null,
    });
    await Promise.all([mutation.durable, mutation.pushed, mutation.confirmed]);
    expect(db.sync.status).toMatchObject({ mode: 'local', phase: 'idle', pending: 0, error: null });
  });

  test('creates many rows as one by one: those before a refused one are there', async () => {
    const db = await fresh();
    const names = (rows: readonly { name: string }[]) => rows.map(({ name }) => name);
    const { result } = db.transact((tx) => {
      const some = tx.groups.createMany([
        { name: 'a' },
        { id: '00000000-0000-4000-8000-000000000001', name: 'b' },
        { name: 'c', realm: 'other' },
      ]);
      const many = tx.groups.createMany(Array.from({ length: 200 }, (_, i) => ({ name: `${i}` })));
      return { some, many };
    });
    expect(names(result.some.flatMap((id) => db.groups.get(id) ?? []))).toEqual(['a', 'b', 'c']);
    expect(db.groups.get(result.some[2] ?? '')?.realm).toBe('other');
    expect(result.some[1]).toBe('00000000-0000-4000-8000-000000000001');
    expect(new Set(result.many).size).toBe(200);
    expect(result.many.map((id) => db.groups.get(id)?.name)).toEqual(
      Array.from({ length: 200 }, (_, i) => `${i}`),
    );
    const refused = [
      { id: 'x', name: 'X', country: 'SE' },
      { id: 'y', name: 'Y', country: 'SE', population: 2 },
      { id: 'x', name: 'again', country: 'SE', population: 3 },
      { id: 'z', name: 'Z', country: 'SE' },
    ];
    const wrong = [
      { id: 'v', name: 'V', country: 'SE' },
      { id: 'w', colour: 'red' },
    ];
    db.transact((tx) => {
      expect(() => tx.cities.createMany(refused)).toThrow(/exists/);
      expect(() => tx.cities.createMany(wrong as never)).toThrow(/colour/);
    });
    expect(db.cities.ids()).toEqual(['v', 'x', 'y']);
    expect(db.cities.get('x')?.population).toBe(0);
  });

  test('shows in the status at once, and notifies listeners once a task', async () => {
    const db = await fresh();
    const heard: number[] = [];
    const stop = db.sync.subscribe(({ pending }) => heard.push(pending));
    const made = Array.from({ length: 10 }, (_, i) =>
      db.mutate.addCity({ id: `${i}`, name: 'x', population: i }),
    );
    expect(heard).toEqual([]);
    expect(db.sync.status.pending).toBe(10);
    await Promise.all(made.map(({ confirmed }) => confirmed));
    expect(db.sync.status.pending).toBe(0);
    expect(heard).toEqual([10, 0]);
    stop();
  });

  test('that changes nothing has nothing to wait for', async () => {
    const db = await fresh();
    const nothing = db.mutate.rename({ id: 'nowhere', name: 'x' });
    expect(nothing.result).toBe(false);
    await nothing.confirmed;
    expect(db.transact(() => 7).result).toBe(7);
  });

  test('sees its own writes, and leaves none behind when it throws', async () => {
    const db = await fresh();
    db.mutate.addCity({ id: 'a', name: 'A', population: 1 });
    const before = db.cities.get('a');
    const seen: unknown[] = [];
    const attempt = () =>
      db.transact((tx) => {
        tx.cities.update('a', { name: 'B' });
        seen.push(
          tx.cities.get('a')?.name,
          db.cities.get('a')?.name,
          tx.cities.where('name', '=', 'B').count(),
        );
        tx.cities.inc('a', { population: 41 });
        seen.push(tx.cities.get('a')?.population);
        tx.cities.create({ id: 'b', name: 'new', country: 'NO' });
        tx.cities.delete('a');
        seen.push(tx.cities.get('a'), tx.cities.ids());
        throw new Error('stop');
      });
    expect(attempt).toThrow('stop');
    expect(seen).toEqual(['B', 'B', 1, 42, undefined, ['b']]);
    expect(db.cities.get('a')).toEqual(before);
    expect(db.cities.ids()).toEqual(['a']);
    expect(db.cities.get('b')).toBeUndefined();
  });

  test('must be synchronous, alone, and over when it returns', async () => {
    const db = await fresh();
    const failing = db.transact.bind(db, (async (tx: { cities: { delete(id: string): void } }) => {
      await null;
      tx.cities.delete('a');
    }) as never);
    expect(failing).toThrow(
      expect.objectContaining({ name: 'ValidationError', code: 'async_mutator' }),
    );
    expect(() => db.transact(() => db.mutate.addGroup('x'))).toThrow(/another mutation/);
    let kept: { create(row: { name: string }): string } | undefined;
    db.transact((tx) => {
      kept = tx.groups;
    });
    expect(() => kept?.create({ name: 'late' })).toThrow(
      expect.objectContaining({ name: 'ClosedError' }),
    );
    expect(db.groups.count()).toBe(0);
    db.mutate.addGroup('works again');
    expect(db.groups.count()).toBe(1);
  });

  test('makes UUIDs where the application defines no ids', async () => {
    const db = await fresh();
    const [a, b] = db.transact((tx) => tx.groups.createMany([{ name: 'a' }, { name: 'b' }])).result;
    expect(a).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(a).not.toBe(b);
    expect(db.groups.getMany([b as string, 'x', a as string]).map((row) => row?.name)).toEqual([
      'b',
      undefined,
      'a',
    ]);
  });

  test('upsert, updateWhere, deleteWhere, move and cascade', async () => {
    const db = await fresh();
    db.transact((tx) => {
      for (const [id, country] of [
        ['a', 'SE'],
        ['b', 'SE'],
        ['c', 'NO'],
      ] as const) {
        tx.cities.upsert({ id, name: id, country });
      }
      tx.cities.upsert({ id: 'a', name: 'again', country: 'SE' });
    });
    expect(db.cities.get('a')?.name).toBe('again');
    const counts = db.transact((tx) => [
      tx.cities.updateWhere(tx.cities.where('country', '=', 'SE'), { population: 9 }),
      tx.cities.deleteWhere(tx.cities.where('country', '=', 'NO')),
    ]).result;
    expect(counts).toEqual([2, 1]);
    expect(
      db.cities
        .orderBy('id')
        .all()
        .map(({ id, population, realm }) => [id, population, realm]),
    ).toEqual([
      ['a', 9, 'local'],
      ['b', 9, 'local'],
    ]);
    const group = db.transact((tx) => {
      const id = tx.groups.create({ name: 'g' });
      const person = tx.people.create({ name: 'p' });
      tx.members.create({ group: id, person });
      expect(tx.groups.move(id, 'team')).toBe(true);
      return id;
    }).result;
    expect(db.groups.get(group)?.realm).toBe('team');
    expect(db.members.all().map(({ realm }) => realm)).toEqual(['team']);
    db.transact((tx) => tx.groups.delete(group));
    expect(db.members.count()).toBe(0);
  });
});

describe('an id of one’s own', () => {
  const named = async () => {
    const db = await fresh();
    db.transact((tx) => {
      for (const realm of ['local', 'team'])
        tx.cities.create({ id: 'theme', name: `of ${realm}`, country: 'SE', realm });
      for (const realm of ['one', 'two'])
        tx.cities.create({ id: 'far', name: `of ${realm}`, country: 'NO', realm });
      tx.cities.create({ id: 'only', name: 'of team', country: 'DK', realm: 'team' });
    });
    return db;
  };

  test('names a row of the realm that is named, of the default one, or the only one', async () => {
    const db = await named();
    expect(db.cities.count()).toBe(5);
    expect(db.cities.get('theme')?.name).toBe('of local');
    expect(db.cities.get('theme', { realm: 'team' })?.name).toBe('of team');
    expect(db.cities.get('theme', { realm: 'one' })).toBeUndefined();
    expect(db.cities.get('only')?.name).toBe('of team');
    expect(() => db.cities.get('far')).toThrow(ValidationError);
    expect(() => db.cities.isPending('far')).toThrow(/say which realm/);
    expect(db.cities.where('id', '=', 'far').all().length).toBe(2);
    db.transact((tx) => {
      expect(tx.cities.update('theme', { population: 1 }, { realm: 'team' })).toBe(true);
      expect(tx.cities.inc('theme', { population: 5 })).toBe(true);
      expect(tx.cities.delete('far', { realm: 'one' })).toBe(true);
    });
    expect(db.cities.get('theme', { realm: 'team' })?.population).toBe(1);
    expect(db.cities.get('theme')?.population).toBe(5);
    // What an id names may change with the rows of other realms. A row that was asked for twice is remembered.
    for (let times = 0; times < 2; times++) expect(db.cities.get('only')?.name).toBe('of team');
    expect(db.cities.get('far')?.realm).toBe('two');
    db.transact((tx) => tx.cities.create({ id: 'only', name: 'mine', country: 'DK' }));
    expect(db.cities.get('only')?.name).toBe('mine');
  });

  test('is changed by a query in every realm, and a row moves to no other one', async () => {
    const db = await named();
    const all = (tx: { cities: typeof db.cities }) => tx.cities.where('country', '=', 'SE');
    expect(db.transact((tx) => tx.cities.updateWhere(all(tx), { population: 3 })).result).toBe(2);
    expect(db.transact((tx) => tx.cities.deleteWhere(all(tx))).result).toBe(2);
    expect(() => db.transact((tx) => tx.cities.move('only', 'local'))).toThrow(ValidationError);
    expect(db.cities.get('only')?.realm).toBe('team');
  });

  test('alone may come with a realm: the rows of a UUID are one object', async () => {
    const db = await named();
    const id = db.transact((tx) => tx.groups.create({ name: 'g' })).result;
    const groups = db.groups as unknown as typeof db.cities;
    expect(() => groups.get(id, { realm: 'team' })).toThrow(ValidationError);
    expect(() => db.cities.get('only', { realm: 7 as never })).toThrow(ValidationError);
  });
});

describe('errors', () => {
  test('of writes are typed, and leave everything as it was', async () => {
    const db = await fresh();
    db.mutate.addCity({ id: 'a', name: 'A' });
    const cases: [() => unknown, string][] = [
      [
        () => db.transact((tx) => tx.cities.create({ id: 'b', country: 'SE' } as never)),
        'missing_prop',
      ],
      [
        () => db.transact((tx) => tx.cities.create({ id: '', name: 'x', country: 'SE' })),
        'invalid_id',
      ],
      [
        () =>
          db.transact((tx) => tx.cities.create({ id: 'x'.repeat(200), name: 'x', country: 'SE' })),
        'invalid_id',
      ],
      [() => db.transact((tx) => tx.groups.create({ id: 'no-uuid', name: 'x' })), 'invalid_id'],
      [
        () => db.transact((tx) => tx.cities.update('a', { population: 'many' as never })),
        'wrong_type',
      ],
      [() => db.transact((tx) => tx.cities.update('a', { name: null as never })), 'missing_prop'],
      [() => db.transact((tx) => tx.cities.update('a', { name: 'a\u0000b' })), 'wrong_type'],
      [() => db.transact((tx) => tx.cities.update('a', { name: '\ud800' })), 'wrong_type'],
      [() => db.transact((tx) => tx.cities.update('a', { population: Number.NaN })), 'wrong_type'],
      [() => db.transact((tx) => tx.cities.update('a', { size: 'xl' as never })), 'wrong_type'],
      [() => db.transact((tx) => tx.cities.update('a', { nope: 1 } as never)), 'unknown_prop'],
      [() => db.transact((tx) => tx.cities.update('a', { name: 'x'.repeat(2 << 20) })), 'limit'],
      [() => db.transact((tx) => tx.cities.update('a', { notes: nested(53) })), 'limit'],
      [() => db.transact((tx) => tx.cities.update('a', { notes: nested(80) })), 'limit'],
      [
        () => db.transact((tx) => tx.cities.create({ id: 'a', name: 'twice', country: 'SE' })),
        'conflict',
      ],
    ];
    for (const [attempt, code] of cases)
      expect(attempt, code).toThrow(expect.objectContaining({ code }));
    expect(db.cities.ids()).toEqual(['a']);
    expect(db.cities.get('a')).toMatchObject({ name: 'A', population: 0 });
    db.transact((tx) => tx.cities.update('a', { notes: nested(52) }));
    expect(db.cities.get('a')?.notes).toEqual(nested(52));
  });

  test('open refuses what makes no sense', async () => {
    const host = memory();
    const refused = (options: object) =>
      open({ name: 'test', schema: app, host, ...options } as never);
    await expect(refused({ name: 'a/b' })).rejects.toMatchObject({ name: 'ValidationError' });
    await expect(refused({ user: '' })).rejects.toMatchObject({ name: 'ValidationError' });
    await expect(refused({ conflicts: 'prevent' })).rejects.toMatchObject({
      name: 'UnsupportedError',
    });
    await expect(refused({ schema: {} })).rejects.toMatchObject({ name: 'SchemaError' });
    host.storage.faults.refuseOpen = true;
    await expect(refused({})).rejects.toMatchObject({
      name: 'StorageError',
      code: 'storage_refused',
    });
  });

  test('asks the browser once, at the first change, not to evict data, unless opted out', async () => {
    for (const [persist, times] of [
      [undefined, 1],
      [false, 0],
    ] as const) {
      const host = memory();
      const asked = vi.spyOn(host.storage, 'persist');
      const db = await fresh(host, persist === undefined ? {} : { persist });
      expect(asked).toHaveBeenCalledTimes(0);
      for (const id of ['a', 'b']) db.mutate.addCity({ id, name: id, population: 1 });
      expect(asked).toHaveBeenCalledTimes(times);
    }
  });

  test('an aborted open rejects with the reason', async () => {
    const stop = new AbortController();
    const opening = open({
      name: 'test',
      schema: app,
      mutators,
      host: memory(),
      signal: stop.signal,
    });
    stop.abort(new Error('changed my mind'));
    await expect(opening).rejects.toThrow('changed my mind');
  });

  test('everything is refused after close, and promises end', async () => {
    const db = await openApp();
    db.mutate.addCity({ id: 'a', name: 'A' });
    const closed: unknown[] = [];
    db.on('closed', ({ reason }) => closed.push(reason));
    await db.close();
    await db.close();
    expect(closed).toEqual(['close']);
    for (const call of [
      () => db.cities.all(),
      () => db.cities.get('a'),
      () => db.mutate.addCity({ id: 'b', name: 'B' }),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: 'ClosedError' }));
    }
    await expect(db.conflicts.resolve(1, 'discard')).rejects.toMatchObject({ name: 'ClosedError' });
  });
});
