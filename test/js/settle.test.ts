/**
 * How a refused change is settled: its three sides, `amend` and `take`, two windows at once, and calls that settle nothing.
 * Method: windows with a server in memory that refuses what the test says.
 */
import { describe, expect, test, vi } from 'vitest';
import { until } from './support.ts';
import { connect, world } from './sync-world.ts';

vi.setConfig({ testTimeout: 30_000 });

type Scene = Awaited<ReturnType<typeof scene>>;

/** A city A of ten, and a change of its name and population that the server has refused. */
async function scene() {
  const { host, server } = world();
  const db = await connect(host);
  await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
  await db.mutate.grow({ id: 'a', by: 10 }).confirmed;
  server.refuse = ({ set }) => (set?.['name'] === 'bad' ? 'not_nice' : null);
  const change = db.transact((tx) => {
    tx.cities.update('a', { name: 'bad' });
    tx.cities.inc('a', { population: 5 });
    tx.cities.create({ id: 'b', name: 'B', country: 'SE' });
  });
  await expect(change.confirmed).rejects.toMatchObject({ code: 'not_nice' });
  server.refuse = () => null;
  await until(() => db.conflicts.all().length === 1);
  const entry = db.conflicts.all()[0]!;
  return { host, server, db, entry, change };
}

/** What came of the cities, when the log has all. */
async function settled({ db, server }: Scene) {
  expect(db.conflicts.all()).toEqual([]);
  await db.sync.waitForSync();
  const [action] = server.log.at(-1)?.update.actions ?? [];
  const { name } = action as unknown as { name: string };
  return { action: name, a: db.cities.get('a'), b: db.cities.get('b') };
}

test('an entry has the three sides of each object, and the action as it was made', async () => {
  const { db, server, entry, change } = await scene();
  expect(entry).toMatchObject({
    ...{ table: 'cities', key: 'a', code: 'not_nice', reason: 'rejected', dependsOn: null },
    base: { name: 'A', population: 10 },
    mine: { name: 'bad', population: 15 },
    theirs: { name: 'A', population: 10 },
    mutation: { id: change.id, name: 'skerry/transact' },
  });
  expect(entry.at).toBeInstanceOf(Date);
  expect(entry.mutation?.at).toBeInstanceOf(Date);
  expect(
    entry.changes.map(({ key, base, theirs }) => [key, base === null, theirs === null]),
  ).toEqual([
    ['a', false, false],
    ['b', true, true],
  ]);
  server.write([{ op: 'update', table: 'cities', id: 'a', set: { name: 'theirs' } }]);
  await until(() => db.conflicts.all()[0]?.theirs?.['name'] === 'theirs');
  server.write([{ op: 'delete', table: 'cities', id: 'a' }]);
  await until(() => db.conflicts.all()[0]?.theirs === null);
  expect(db.conflicts.all()[0]?.base).toEqual(entry.base);
});

describe('a refused change is settled', () => {
  test('by another change in its place, which sees what is there now', async () => {
    const made = await scene();
    await made.db.conflicts.resolve(made.entry.id, {
      amend: (tx) => tx.cities.update('a', { name: `${tx.cities.get('a')?.name} amended` }),
    });
    const { action, a, b } = await settled(made);
    expect([action, a?.name, a?.population, b]).toEqual([
      'skerry/amend',
      'A amended',
      10,
      undefined,
    ]);
  });

  test.each([
    ['all of mine', { name: 'mine' }, ['bad', 15, 'B']],
    ['their name', { name: 'theirs' }, ['A', 15, 'B']],
    ['their population', { population: 'theirs' }, ['bad', 10, 'B']],
    ['both of theirs', { name: 'theirs', population: 'theirs' }, ['A', 10, 'B']],
  ] as const)('by props: %s', async (_, take, expected) => {
    const made = await scene();
    await made.db.conflicts.resolve(made.entry.id, { take });
    const { a, b } = await settled(made);
    expect([a?.name, a?.population, b?.name]).toEqual(expected);
  });

  test('with what others have added to a number meanwhile', async () => {
    const made = await scene();
    made.server.write([{ op: 'inc', table: 'cities', id: 'a', add: { population: 100 } }]);
    await until(() => made.db.conflicts.all()[0]?.theirs?.['population'] === 110);
    await made.db.conflicts.resolve(made.entry.id, { take: { name: 'theirs' } });
    expect((await settled(made)).a?.population).toBe(115);
  });

  test('once, by two windows at the same time', async () => {
    const made = await scene();
    const other = await connect(made.host.window());
    await until(() => other.conflicts.all().length === 1);
    const outcomes = await Promise.allSettled([
      made.db.conflicts.resolve(made.entry.id, {
        amend: (tx) => tx.cities.inc('a', { population: 1 }),
      }),
      other.conflicts.resolve(made.entry.id, {
        amend: (tx) => tx.cities.inc('a', { population: 2 }),
      }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const failed = outcomes.find((one) => one.status === 'rejected');
    expect(failed?.reason).toMatchObject({ name: 'NotFoundError', code: 'not_found' });
    await other.sync.waitForSync();
    const { a } = await settled(made);
    expect([11, 12]).toContain(a?.population);
    await until(() => other.cities.get('a')?.population === a?.population);
  });
});

test('what settles nothing is refused, and the entry stays', async () => {
  const { db, entry } = await scene();
  const id = entry.id;
  const cases: [unknown, string, RegExp][] = [
    [{ amend: () => {} }, 'not_changed', /changes nothing/],
    [
      {
        amend: (tx: { cities: { update(id: string, patch: object): boolean } }) =>
          tx.cities.update('a', { name: 'A' }),
      },
      'not_changed',
      /nothing/,
    ],
    [{ amend: async () => {} }, 'async_mutator', /asynchronous/],
    [{ take: { country: 'mine' } }, 'not_changed', /cities a: .* country/],
    [{ take: { gone: 'theirs' } }, 'not_changed', /cities a: .* gone/],
    [{ take: { name: 'base' } }, 'invalid_argument', /take/],
    [{ take: {} }, 'invalid_argument', /take/],
    [{ take: 7 }, 'invalid_argument', /take/],
    [{ amend: 7 }, 'invalid_argument', /amend/],
    ['drop', 'invalid_argument', /discard/],
    [null, 'invalid_argument', /discard/],
    [undefined, 'invalid_argument', /discard/],
  ];
  for (const [how, code, message] of cases)
    await expect(db.conflicts.resolve(id, how as never), String(how)).rejects.toMatchObject({
      ...{ code, message: expect.stringMatching(message) },
    });
  const thrown = new Error('of the application');
  const amend = () => {
    throw thrown;
  };
  await expect(db.conflicts.resolve(id, { amend })).rejects.toBe(thrown);
  expect(db.conflicts.all()).toEqual([entry]);
  expect(db.cities.get('a')?.name).toBe('A');
  // What others have settled is not made.
  await db.conflicts.resolve(id, 'discard');
  await expect(
    db.conflicts.resolve(id, { amend: (tx) => tx.cities.inc('a', { population: 1 }) }),
  ).rejects.toMatchObject({ code: 'not_found' });
  expect(db.cities.get('a')?.population).toBe(10);
});
