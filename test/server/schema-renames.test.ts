// Goal: what a release renames has one value under all names: clients of both releases write it at the same time, each sees
// its own names, and nothing that was made offline under the former ones is lost. Method: three releases on a real server,
// with profiles that are updated at different times.

import { schema, t, table } from 'skerry';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Deployment, Profile } from './support/releases.ts';

const ids = { id: t.string() };
const kind = t.enum(['red', 'green']);

const releases = [
  schema(
    {
      cards: table(
        {
          title: t.string(),
          points: t.number().default(0).index(),
          note: t.string().optional(),
          kind: kind.optional(),
        },
        ids,
      ),
      files: table({ name: t.string(), card: t.ref('cards', { onDelete: 'cascade' }) }, ids),
    },
    { version: 1 },
  ),
  schema(
    {
      documents: table({ card: t.ref('cards', { onDelete: 'cascade' }), name: t.string() }, ids),
      cards: table(
        {
          remark: t.string().optional(),
          estimate: t.number().default(0).index(),
          title: t.string(),
          color: t.enum(['green']).optional(),
        },
        ids,
      ),
    },
    {
      version: 2,
      accepts: [1],
      migrations: {
        2: (m) => {
          m.renameTable('files', 'documents');
          m.table('cards')
            .renameProp('points', 'estimate')
            .renameProp('note', 'remark')
            .renameProp('kind', 'color');
        },
      },
    },
  ),
  schema(
    {
      cards: table(
        {
          title: t.string(),
          size: t.number().default(0).index(),
          remark: t.string().optional(),
          color: t.enum(['green']).optional(),
        },
        ids,
      ),
      papers: table({ name: t.string(), card: t.ref('cards', { onDelete: 'cascade' }) }, ids),
    },
    {
      version: 3,
      accepts: [1, 2],
      migrations: {
        2: (m) => {
          m.renameTable('files', 'documents');
          m.table('cards')
            .renameProp('points', 'estimate')
            .renameProp('note', 'remark')
            .renameProp('kind', 'color');
        },
        3: (m) => {
          m.renameTable('documents', 'papers');
          m.table('cards').renameProp('estimate', 'size');
        },
      },
    },
  ),
];

type Tx = Parameters<Parameters<Profile['db']['transact']>[0]>[0];
const of = (tx: Tx, name: string) => tx[name] as NonNullable<Tx[string]>;

const deployment = new Deployment(releases);
const open: Profile[] = [];

async function profile(user: string, release: number, scopes?: unknown): Promise<Profile> {
  const made = await new Profile(deployment, user).open(release, scopes);
  open.push(made);
  return made;
}

const synced = ({ db }: Profile) => db.sync.waitForSync({ timeoutMs: 30_000 });
const write = (of: Profile, work: (tx: Tx) => void) => of.db.transact(work).durable;

/** Made under the first release. */
function seed(tx: Tx): void {
  for (const id of ['a', 'b', 'c'])
    of(tx, 'cards').create({ id, title: id, points: 1, note: `note ${id}`, kind: 'green' });
  of(tx, 'files').create({ id: 'f', name: 'file', card: 'a' });
}

function offline(tx: Tx): void {
  of(tx, 'cards').update('a', { points: 5, note: 'mine' });
  of(tx, 'cards').inc('b', { points: 10 });
  of(tx, 'cards').create({ id: 'made', title: 'made', points: 7, kind: 'red' });
  of(tx, 'files').update('f', { name: 'other' });
  of(tx, 'files').create({ id: 'g', name: 'second', card: 'made' });
}

const cards = {
  a: { title: 'a', size: 5, remark: 'mine', color: 'green' },
  b: { title: 'b', size: 11, remark: 'note b', color: 'green' },
  c: { title: 'c', size: 1, remark: 'note c', color: 'green' },
  made: { title: 'made', size: 7, remark: null, color: null },
};
const papers = { f: { name: 'other', card: 'a' }, g: { name: 'second', card: 'made' } };
const second = {
  cards: Object.fromEntries(
    Object.entries(cards).map(([id, { size, ...rest }]) => [id, { ...rest, estimate: size }]),
  ),
  documents: papers,
};
const first = {
  cards: Object.fromEntries(
    Object.entries(cards).map(([id, { title, size, remark, color }]) => [
      id,
      { title, points: size, note: remark, kind: color },
    ]),
  ),
  files: papers,
};

afterAll(async () => {
  for (const each of open) await each.close();
  await deployment.remove();
});

describe('of changes that were made offline under the former names', () => {
  const kinds = ['pending', 'sent', 'accepted'] as const;
  const profiles = new Map<string, Profile>();

  beforeAll(async () => {
    await deployment.deploy(1);
    for (const kind of kinds) {
      const made = await profile(kind, 1);
      profiles.set(kind, made);
      await write(made, seed);
      await synced(made);
      if (kind === 'pending') made.db.sync.pause();
      made.offline = true;
      await write(made, offline);
      if (kind !== 'pending')
        await vi.waitFor(() =>
          expect((made.db.sync.status as { error: unknown }).error).not.toBeNull(),
        );
    }
    await deployment.deploy(2);
  }, 120_000);

  test.each(kinds)('all are made under the present names, those of a client: %s', async (kind) => {
    const made = profiles.get(kind) as Profile;
    if (kind !== 'accepted') {
      await made.open(2);
      // Before anything came from the server.
      expect(made.rows()).toEqual({
        ...second,
        cards: { ...second.cards, made: { ...second.cards.made, color: null } },
      });
    }
    made.offline = false;
    await synced(made);
    expect((await synced2(kind, 2)).rows()).toEqual(second);
    // A value that has no place goes to the inbox, under the name of the client's release.
    await vi.waitFor(() => expect(made.db.conflicts.all()).toHaveLength(1));
    const [entry] = made.db.conflicts.all();
    expect(entry).toMatchObject({ table: 'cards', key: 'made', reason: 'dropped' });
    expect(entry?.mine).toEqual(kind === 'accepted' ? { kind: 'red' } : { color: 'red' });
    if (kind === 'accepted') expect(made.rows()).toEqual(first);
  });

  test.each(kinds)('a release that was skipped is none, for a client: %s', async (kind) => {
    await deployment.deploy(3);
    const made = profiles.get(kind) as Profile;
    await made.open(3);
    expect(made.rows()).toEqual({ cards, papers });
    await synced(made);
    expect(made.rows()).toEqual({ cards, papers });
  });
});

async function synced2(user: string, release: number): Promise<Profile> {
  const made = await profile(user, release);
  await synced(made);
  return made;
}

interface Filtered {
  where(prop: string, op: string, value: unknown): Filtered;
  where(
    filter: (b: { related(ref: string, of: (q: Filtered) => Filtered): unknown }) => unknown,
  ): Filtered;
}

/** Cards with a number of at least 3, and what belongs to them, under the names of a release. */
const large = (number: string, table: string) => (q: Record<string, Filtered>) => [
  q.cards?.where(number, '>=', 3),
  q[table]?.where((b) => b.related('card', (card) => card.where(number, '>=', 3))),
];

test('a filter of a former release selects the same rows, before and after its update', async () => {
  await deployment.deploy(3);
  const whole = await synced2('filters', 3);
  await write(whole, (tx) => {
    for (const size of [1, 3, 5]) {
      of(tx, 'cards').create({ id: `c${size}`, title: 'card', size });
      of(tx, 'papers').create({ id: `p${size}`, name: 'paper', card: `c${size}` });
    }
  });
  await synced(whole);
  const ids = (all: Record<string, unknown> = {}) => Object.keys(all).sort();
  const old = await profile('filters', 1, large('points', 'files'));
  await synced(old);
  expect(ids(old.rows().cards)).toEqual(['c3', 'c5']);
  expect(ids(old.rows().files)).toEqual(['p3', 'p5']);
  await write(whole, (tx) => {
    of(tx, 'cards').inc('c1', { size: 5 });
    of(tx, 'cards').update('c3', { size: 0 });
  });
  await synced(whole);
  await synced(old);
  expect(ids(old.rows().cards)).toEqual(['c1', 'c5']);
  expect(ids(old.rows().files)).toEqual(['p1', 'p5']);
  old.offline = true;
  await old.open(3, large('size', 'papers'));
  expect(ids(old.rows().cards)).toEqual(['c1', 'c5']);
  expect(ids(old.rows().papers)).toEqual(['p1', 'p5']);
  old.offline = false;
  await synced(old);
  expect(ids(old.rows().papers)).toEqual(['p1', 'p5']);
});

describe('while clients of three releases write', () => {
  let one: Profile;
  let two: Profile;
  let three: Profile;

  beforeAll(async () => {
    await deployment.deploy(3);
    [one, two, three] = [await synced2('all', 1), await synced2('all', 2), await synced2('all', 3)];
    await write(one, seed);
    await synced(one);
    for (const each of [two, three]) await synced(each);
  }, 60_000);

  const everywhere = async () => {
    for (const each of [one, two, three, one, two, three]) await synced(each);
  };

  test('each sees its own names, and the value that any of them has set', async () => {
    await write(one, (tx) => of(tx, 'cards').update('a', { points: 3, note: 'one' }));
    await write(two, (tx) => of(tx, 'cards').update('b', { estimate: 4, remark: 'two' }));
    await write(three, (tx) => of(tx, 'cards').update('c', { size: 5, remark: 'three' }));
    await everywhere();
    const row = (id: string, n: number, text: string) => ({ [id]: [n, text] });
    const shown = { ...row('a', 3, 'one'), ...row('b', 4, 'two'), ...row('c', 5, 'three') };
    const of3 = (each: Profile, number: string, text: string) =>
      Object.fromEntries(
        Object.entries(each.rows().cards ?? {}).map(([id, row]) => [id, [row[number], row[text]]]),
      );
    expect(of3(one, 'points', 'note')).toEqual(shown);
    expect(of3(two, 'estimate', 'remark')).toEqual(shown);
    expect(of3(three, 'size', 'remark')).toEqual(shown);
  });

  test('sums of all of them are one sum', async () => {
    await Promise.all([
      write(one, (tx) => of(tx, 'cards').inc('a', { points: 1 })),
      write(two, (tx) => of(tx, 'cards').inc('a', { estimate: 10 })),
      write(three, (tx) => of(tx, 'cards').inc('a', { size: 100 })),
    ]);
    await everywhere();
    expect(one.rows().cards?.a?.points).toBe(114);
    expect(two.rows().cards?.a?.estimate).toBe(114);
    expect(three.rows().cards?.a?.size).toBe(114);
  });

  test('a renamed table has the rows that any of them makes and deletes', async () => {
    await write(one, (tx) => of(tx, 'files').create({ id: 'x', name: 'x', card: 'b' }));
    await write(two, (tx) => of(tx, 'documents').create({ id: 'y', name: 'y', card: 'b' }));
    await write(three, (tx) => of(tx, 'papers').create({ id: 'z', name: 'z', card: 'c' }));
    await everywhere();
    await write(two, (tx) => of(tx, 'documents').update('x', { name: 'changed' }));
    await write(one, (tx) => of(tx, 'files').delete('y'));
    await everywhere();
    const left = { f: 'file', x: 'changed', z: 'z' };
    const names = (all: Record<string, Record<string, unknown>> = {}) =>
      Object.fromEntries(Object.entries(all).map(([id, { name }]) => [id, name]));
    expect(names(one.rows().files)).toEqual(left);
    expect(names(two.rows().documents)).toEqual(left);
    expect(names(three.rows().papers)).toEqual(left);
    // The ref follows its rule, whatever the tables are called.
    await write(one, (tx) => of(tx, 'cards').delete('c'));
    await everywhere();
    expect(Object.keys(three.rows().papers ?? {}).sort()).toEqual(['f', 'x']);
    expect(Object.keys(one.rows().files ?? {}).sort()).toEqual(['f', 'x']);
  });
});
