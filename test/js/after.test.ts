// Goal: a page goes on where the last row of the page before it was, also once that row is deleted, has moved, or was created
// again; live too. Method: rows with ties, nulls and texts of a locale, read in pages of every order, while the last row of the
// first page changes.
import { open, schema, t, table } from 'skerry';
import { memory } from 'skerry/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TablesOf } from '../../js/api/types.ts';
import type { Database } from '../../js/index.ts';
import { turn } from './support.ts';

const app = schema(
  {
    lists: table({ name: t.string() }),
    todos: table({
      text: t.string().optional().index(),
      rank: t.number().optional(),
      when: t.date().optional(),
      done: t.boolean().default(false),
      size: t.enum(['s', 'm', 'l']).optional(),
      bin: t.bytes().optional(),
      list: t.ref('lists').optional(),
    }),
    own: table({ rank: t.number() }, { id: t.string() }),
  },
  { version: 1 },
);
type Db = Database<TablesOf<typeof app>>;
let db: Db;
beforeEach(async () => {
  db = await open({ name: 'after', schema: app, host: memory() });
  const names = ['Åsa', 'asa', 'Zoë', 'zoe', 'Ärla', null, '', 'Ada', 'ada', 'éa'];
  db.transact((tx) => {
    const lists = [tx.lists.create({ name: 'a' }), tx.lists.create({ name: 'b' }), null];
    for (let i = 0; i < 60; i++)
      tx.todos.create({
        text: names[i % names.length],
        rank: i % 7 === 0 ? null : i % 5,
        when: i % 4 === 0 ? null : new Date(i % 3),
        done: i % 2 === 0,
        size: ([null, 's', 'm', 'l'] as const)[i % 4],
        bin: i % 3 === 0 ? null : new Uint8Array([i % 6]),
        list: lists[i % 3],
      });
    for (const id of ['a', 'b', 'c', 'd'])
      for (const realm of ['local', 'two']) tx.own.create({ id, realm, rank: id < 'c' ? 1 : 2 });
  });
});
afterEach(() => db.close());

type Order = readonly [column: string, direction: 'asc' | 'desc', options?: { collate: string }];
const orders: readonly (readonly Order[])[] = [
  [],
  [['rank', 'asc']],
  [['rank', 'desc']],
  [['text', 'asc']],
  [['text', 'desc']],
  [['text', 'asc', { collate: 'sv' }]],
  [['text', 'desc', { collate: 'de' }]],
  [
    ['done', 'asc'],
    ['text', 'desc', { collate: 'sv' }],
    ['rank', 'asc'],
  ],
  [
    ['when', 'desc'],
    ['rank', 'asc'],
  ],
  [
    ['size', 'asc'],
    ['bin', 'desc'],
  ],
  [
    ['list', 'asc'],
    ['createdAt', 'desc'],
  ],
  [['id', 'desc']],
  [['modifiedAt', 'asc']],
];
type Query = ReturnType<Db['todos']['limit']>;
const inOrder = (order: readonly Order[]): Query =>
  order.reduce<Query>((query, part) => query.orderBy(...(part as never as ['rank'])), db.todos);
const size = 20;

/** What may become of the last row of page 1; each returns what page 2 has to be, of the rows behind it. */
const fates: readonly (readonly [name: string, fate: (id: string) => void])[] = [
  ['is deleted', (id) => db.transact((tx) => tx.todos.delete(id))],
  [
    'moves to the front',
    (id) =>
      db.transact((tx) =>
        tx.todos.update(id, {
          text: null,
          rank: null,
          when: null,
          size: null,
          bin: null,
          list: null,
          done: false,
        }),
      ),
  ],
  [
    'moves to the end',
    (id) =>
      db.transact((tx) =>
        tx.todos.update(id, {
          text: '\u{10ffff}',
          rank: 1e9,
          when: new Date(1e9),
          size: 's',
          bin: new Uint8Array(9).fill(255),
          done: true,
        }),
      ),
  ],
  [
    'is deleted and created again elsewhere',
    (id) => {
      db.transact((tx) => tx.todos.delete(id));
      db.transact((tx) => tx.todos.create({ id, text: 'mm', rank: 3 }));
    },
  ],
  ['stays', () => {}],
];

describe.each(
  orders.map(
    (order) => [order.map((part) => JSON.stringify(part)).join() || 'none', order] as const,
  ),
)('in the order %s', (_name, order) => {
  test.each(fates)('page 2 goes on where its last row was, which %s', async (_fate, fate) => {
    const query = inOrder(order);
    const all = query.all().map(({ id }) => id);
    const page1 = query.limit(size).all();
    const last = page1.at(-1) ?? expect.fail();
    const page2 = query.after(last).limit(size).live();
    const calls: string[][] = [];
    const stop = page2.subscribe((rows) => calls.push(rows.map(({ id }) => id)));
    await turn();
    expect(page2.value.map(({ id }) => id)).toEqual(all.slice(size, 2 * size));
    fate(last.id);
    // All that is behind the place now, in the present order. The row itself may be among it.
    const behind = query
      .all()
      .map(({ id }) => id)
      .filter((id) => id !== last.id && !page1.some((row) => row.id === id));
    const present = query.all().map(({ id }) => id);
    const isBehind =
      present.includes(last.id) && present.indexOf(last.id) > present.indexOf(behind[0] as string);
    const expected = present
      .filter((id) => behind.includes(id) || (id === last.id && isBehind))
      .slice(0, size);
    const ids = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);
    expect(ids(query.after(last).limit(size).all())).toEqual(expected);
    expect(ids(page2.value)).toEqual(expected);
    expect(query.after(last).count()).toBe(
      present.filter((id) => behind.includes(id) || (id === last.id && isBehind)).length,
    );
    await turn();
    if (calls.length > 1) expect(calls.at(-1)).toEqual(expected);
    // And it goes on: rows come and go before and behind the place.
    db.transact((tx) => tx.todos.delete(expected[0] as string));
    expect(ids(page2.value)).toEqual(ids(query.after(last).limit(size).all()));
    expect(ids(page2.value)).not.toContain(expected[0]);
    stop();
  });
});

test('the order may be said after the place', () => {
  const last = db.todos.orderBy('rank').limit(20).all().at(-1) ?? expect.fail();
  db.transact((tx) => tx.todos.delete(last.id));
  const ids = db.todos.orderBy('rank').after(last).limit(5).ids();
  expect(db.todos.after(last).limit(5).orderBy('rank').ids()).toEqual(ids);
  expect(ids).toHaveLength(5);
  expect(db.todos.orderBy('rank').after(last).after(null).count()).toBe(59);
});

test('of an id alone the place is where the row is, until it is deleted', () => {
  const query = db.todos.orderBy('rank');
  const { id } = query.limit(20).all().at(-1) ?? expect.fail();
  expect(query.after({ id }).count()).toBe(40);
  db.transact((tx) => tx.todos.update(id, { rank: 1e9 }));
  expect(query.after({ id }).count()).toBe(0);
  db.transact((tx) => tx.todos.delete(id));
  expect(query.after({ id }).count()).toBe(0);
  // Without an order the id is all that there is to know.
  const at = db.todos.ids()[9] as string;
  const before = db.todos.after({ id: at }).count();
  db.transact((tx) => tx.todos.delete(at));
  expect(db.todos.after({ id: at }).count()).toBe(before);
});

test('a row of ids of one’s own is where its realm is', () => {
  const query = db.own.orderBy('rank');
  const names = () => query.all().map(({ id, realm }) => `${id} ${realm}`);
  const all = names();
  for (const [i, row] of query.all().entries()) {
    db.transact((tx) => tx.own.delete(row.id, { realm: row.realm }));
    const rest = query.after(row).all();
    expect(rest.map(({ id, realm }) => `${id} ${realm}`)).toEqual(all.slice(i + 1));
    db.transact((tx) => tx.own.create({ ...row }));
  }
  expect(names()).toEqual(all);
});

test('a place of rows with included ones, and in an included query', () => {
  const query = db.todos.include('list').orderBy('list').orderBy('rank');
  const last = query.limit(20).all().at(-1) ?? expect.fail();
  const rest = query.after(last).ids();
  expect(rest.length).toBeGreaterThan(0);
  const list = db.lists.first() ?? expect.fail();
  const nested = () =>
    db.lists.include('todos', (q) => q.orderBy('rank').after(inner)).all()[0]?.todos ?? [];
  const inner =
    db.todos.where('list', '=', list.id).orderBy('rank').limit(5).all().at(-1) ?? expect.fail();
  const before = nested().length;
  expect(before).toBe(15);
  const live = db.lists.include('todos', (q) => q.orderBy('rank').after(inner)).live();
  const stop = live.subscribe(() => {});
  db.transact((tx) => tx.todos.delete(inner.id));
  expect(nested()).toHaveLength(before);
  expect(live.value[0]?.todos).toHaveLength(before);
  stop();
});

test('a value that is not a row is refused', () => {
  for (const row of [5, 'x', {}, { id: 5 }, []])
    expect(() => db.todos.after(row as never)).toThrow(
      expect.objectContaining({ name: 'ValidationError', code: 'invalid_argument' }),
    );
  expect(() =>
    db.todos
      .orderBy('rank')
      .after({ id: 'x', rank: 'y' } as never)
      .all(),
  ).toThrow(/after: rank: takes a number, and a string came/);
});
