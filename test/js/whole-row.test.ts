// Goal: a row that was read is given back as a whole, as to `put(object)` of other databases: what the row has besides its props
// changes nothing where it is the row's own, and is refused with a sentence where it is not. Method: a table of calls.
import { open, schema, t, table } from 'skerry';
import { memory } from 'skerry/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TablesOf } from '../../js/api/types.ts';
import type { Database } from '../../js/index.ts';
import { until } from './support.ts';

const app = schema(
  {
    lists: table({ name: t.string() }),
    todos: table({
      text: t.string(),
      list: t.ref('lists').optional(),
      when: t.date().optional(),
      bin: t.bytes().optional(),
      data: t.json<unknown>().optional(),
    }),
    tags: table({ name: t.string() }, { id: t.string() }),
  },
  { version: 1 },
);

let db: Database<TablesOf<typeof app>>;
let id: string;
let list: string;

beforeEach(async () => {
  db = await open({ name: 'whole', schema: app, host: memory() });
  list = db.transact((tx) => tx.lists.create({ name: 'l' })).result;
  const values = { when: new Date(5), bin: new Uint8Array([1]), data: { a: [1] } };
  id = db.transact((tx) => tx.todos.create({ text: 'a', list, ...values })).result;
});
afterEach(() => db.close());

const todo = () => db.todos.get(id) ?? expect.fail('the row is gone');
const refusal = (says: RegExp) =>
  expect.objectContaining({
    name: 'ValidationError',
    code: 'invalid_argument',
    message: expect.stringMatching(says),
  });

describe('a whole row is taken', () => {
  test('by update, and only what differs is changed', () => {
    const row = todo();
    db.transact((tx) => tx.todos.update(id, { ...row, text: 'b' }));
    const { modifiedAt, ...rest } = todo();
    const { modifiedAt: before, ...own } = row;
    expect({ ...rest }).toEqual({ ...own, text: 'b' });
    expect(modifiedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
  });

  test('by update, again and again, of a row as it was read at first', async () => {
    const row = todo();
    for (const text of ['b', 'c', 'd']) {
      const before = Date.now();
      await until(() => Date.now() > before);
      db.transact((tx) => tx.todos.update(id, { ...row, text }));
    }
    expect(todo().modifiedAt.getTime()).toBeGreaterThan(row.modifiedAt.getTime());
    expect(todo().text).toBe('d');
  });

  test('by upsert, of a row that is there and of one that was deleted', () => {
    const row = todo();
    db.transact((tx) => tx.todos.upsert({ ...row, list, text: 'b' }));
    expect(db.todos.all().map(({ text }) => text)).toEqual(['b']);
    const tag = db.transact((tx) => tx.tags.create({ id: 'x', name: 'n' })).result;
    const read = db.tags.get(tag) ?? expect.fail();
    db.transact((tx) => tx.tags.delete(tag));
    db.transact((tx) => tx.tags.upsert({ ...read, name: 'back' }));
    expect(db.tags.get('x')?.name).toBe('back');
  });

  test('by create and createMany, which make others of it', () => {
    const row = todo();
    db.transact((tx) => {
      tx.todos.create({ ...row, id: undefined, text: 'copy' });
      tx.todos.createMany([
        { ...row, id: undefined, text: 'one' },
        { ...row, id: undefined, text: 'two' },
      ]);
    });
    expect(
      db.todos
        .all()
        .map(({ text }) => text)
        .sort(),
    ).toEqual(['a', 'copy', 'one', 'two']);
    expect(db.todos.where('text', '=', 'two').first()).toMatchObject({ list, data: { a: [1] } });
  });

  test('by updateWhere, of the one row that it is of', () => {
    db.transact((tx) =>
      tx.todos.updateWhere(tx.todos.where('id', '=', id), { ...todo(), text: 'b' }),
    );
    expect(todo().text).toBe('b');
  });

  test('with the times as a clone, while they are the row’s own', () => {
    db.transact((tx) => tx.todos.update(id, { ...structuredClone({ ...todo() }), text: 'b' }));
    expect(todo().text).toBe('b');
  });

  test('with lists that include() added, which are not written', () => {
    const row = db.lists.include('todos').first() ?? expect.fail();
    expect(row.todos).toHaveLength(1);
    db.transact((tx) => tx.lists.update(list, { ...row, name: 'm' }));
    db.transact((tx) => tx.lists.update(list, { ...row, name: 'n' }));
    expect(db.lists.get(list)?.name).toBe('n');
    expect(db.todos.count()).toBe(1);
  });
});

describe('what is not the row’s own is refused', () => {
  const other = '01890000-0000-7000-8000-000000000001';
  const cases: readonly (readonly [name: string, patch: () => object, says: RegExp])[] = [
    ['another id', () => ({ id: other }), /^todos\.id: /],
    ['another realm', () => ({ realm: 'other' }), /^todos\.realm: only move\(\)/],
    [
      'a time of creation',
      () => ({ createdAt: new Date(1) }),
      /^todos\.createdAt: the database sets it/,
    ],
    [
      'a time of change',
      () => ({ modifiedAt: new Date(1) }),
      /^todos\.modifiedAt: the database sets it/,
    ],
    [
      'a time as a number',
      () => ({ createdAt: todo().createdAt.getTime() }),
      /^todos\.createdAt: /,
    ],
    ['no time', () => ({ modifiedAt: null }), /^todos\.modifiedAt: /],
    [
      'a time of the row that was changed',
      () => {
        const { createdAt } = todo();
        createdAt.setTime(9);
        return { createdAt };
      },
      /^todos\.createdAt: /,
    ],
  ];

  test.each(cases)('by update and upsert: %s', (_name, patch, says) => {
    expect(() => db.transact((tx) => tx.todos.update(id, { ...todo(), ...patch() }))).toThrow(
      refusal(says),
    );
    if ('id' in patch()) return;
    expect(() => db.transact((tx) => tx.todos.upsert({ ...todo(), ...patch() } as never))).toThrow(
      refusal(says),
    );
    expect(todo().text).toBe('a');
  });

  test.each(cases.filter(([, , says]) => /At/.test(says.source)))(
    'by create: %s',
    (_name, patch, says) => {
      expect(() =>
        db.transact((tx) => tx.todos.create({ ...todo(), id: undefined, ...patch() })),
      ).toThrow(refusal(says));
      expect(db.todos.count()).toBe(1);
    },
  );

  test('a list of included rows that was changed', () => {
    const row = db.lists.include('todos').first() ?? expect.fail();
    const todos = row.todos.map((each) => ({ ...each, text: 'c' }));
    const change = () => db.transact((tx) => tx.lists.update(list, { ...row, todos } as never));
    expect(change).toThrow(refusal(/^lists\.todos: rows of todos are changed in their own table/));
  });

  test('a row that include() put in the place of a ref', () => {
    const row = db.todos.include('list').first() ?? expect.fail();
    const change = () => db.transact((tx) => tx.todos.update(id, { ...row, text: 'b' } as never));
    expect(change).toThrow(
      expect.objectContaining({ name: 'ValidationError', code: 'wrong_type' }),
    );
  });

  test('a name that no table has', () => {
    const change = () => db.transact((tx) => tx.todos.update(id, { ...todo(), nope: 1 } as never));
    expect(change).toThrow(expect.objectContaining({ name: 'SchemaError', code: 'unknown_prop' }));
  });
});
