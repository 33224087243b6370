// Goal: a value is what it is, whichever realm made it: a frame, `node:vm`, jsdom. Method: the same expressions are evaluated in
// each realm; what this realm's own value does is what the others' have to do. `test/browser/other-realm.test.ts` does the same
// with a frame in a browser.
import { createContext, runInContext, runInThisContext } from 'node:vm';
import { JSDOM } from 'jsdom';
import { http } from 'skerry';
import { describe, expect, test } from 'vitest';
import { copyOf } from '../../js/core/mutable-copy.ts';
import { kinds, refused } from './realm-values.ts';
import { type App, fresh } from './support.ts';

const context = createContext({});
const dom = new JSDOM('', { runScripts: 'outside-only' });

const realms: readonly [name: string, run: (code: string) => unknown][] = [
  ['this one', (code) => runInThisContext(code)],
  ['node:vm', (code) => runInContext(code, context)],
  ['jsdom', (code) => dom.window.eval(code)],
];

type Values = Record<string, never>;
const stored = (db: App, values: Values) =>
  db.transact((tx) => tx.cities.create({ id: 'x', name: '', country: '', ...values })).result;

const isOwn = (realm: string) => realm === 'this one';

describe.each(realms)('values of %s', (realm, run) => {
  test(`their constructors are the package’s own ones: ${isOwn(realm)}`, () => {
    const made = [
      run('new Date(1)') instanceof Date,
      run('new Uint8Array(1)') instanceof Uint8Array,
    ];
    expect(made).toEqual([isOwn(realm), isOwn(realm)]);
  });

  test.each(kinds)('$name is stored, and comes back', async ({ code, read, value }) => {
    const db = await fresh();
    stored(db, run(code) as Values);
    expect(read(db.cities.get('x') as never)).toEqual(value);
    db.transact((tx) => tx.cities.update('x', run(code) as Values));
    expect(read(db.cities.get('x') as never)).toEqual(value);
  });

  test.each(refused)('$name is refused, and says why', async ({ code, says }) => {
    const db = await fresh();
    expect(() => stored(db, run(code) as Values)).toThrowError(
      expect.objectContaining({ name: 'ValidationError', message: expect.stringMatching(says) }),
    );
    expect(db.cities.count()).toBe(0);
  });

  test('they are found by filters', async () => {
    const db = await fresh();
    stored(db, { founded: new Date(5), flag: new Uint8Array([1]) } as never);
    expect(db.cities.where('founded', '<', run('new Date(9)') as Date).count()).toBe(1);
    expect(db.cities.where('founded', 'in', run('[new Date(5)]') as Date[]).count()).toBe(1);
    expect(db.cities.where('flag', '=', run('new Uint8Array([1])') as never).count()).toBe(1);
  });

  test('they are arguments of mutators, of streams and of replayed actions', async () => {
    const db = await fresh(undefined, { user: 'ada', remote: http('/v1'), scopes: 'all' });
    const city = run('({ id: "a", name: "b", country: "c", founded: new Date(5) })');
    db.mutate.addCity(city as never);
    expect((db.cities.get('a') as { founded: Date }).founded.getTime()).toBe(5);
    const stream = db.stream<unknown>('log');
    stream.append(run('({ at: new Date(6), list: [new Uint8Array([7])] })'));
    const [entry] = stream.entries as unknown as readonly {
      value: { at: Date; list: Uint8Array[] };
    }[];
    expect([entry?.value.at.getTime(), entry?.value.list[0]?.[0]]).toEqual([6, 7]);
    const { mutations, leftOut } = db.replay([
      {
        id: '01890000-0000-7000-8000-000000000001',
        name: 'rename',
        arg: run('({ id: "a", name: "d" })'),
        at: run('new Date(8)') as Date,
      },
    ]);
    expect([mutations.length, leftOut]).toEqual([1, []]);
    expect(db.cities.get('a')?.name).toBe('d');
  });

  test('they are defaults of a schema, copied', () => {
    const [date, bytes, plain] = ['new Date(5)', 'new Uint8Array([1])', '({ a: { b: 1 } })'].map(
      run,
    );
    const copies = [date, bytes, plain].map(copyOf) as [Date, Uint8Array, { a: object }];
    expect(copies).toEqual([new Date(5), new Uint8Array([1]), { a: { b: 1 } }]);
    expect(copies[2]?.a).not.toBe((plain as { a: object }).a);
  });
});

test('a buffer of Node is copied, as other bytes are', async () => {
  const db = await fresh();
  const given = Buffer.from([1, 2]);
  stored(db, { flag: given } as never);
  const where = db.cities.where('flag', '=', given as never);
  given[0] = 9;
  expect(db.cities.first()?.flag).toEqual(new Uint8Array([1, 2]));
  expect(where.count()).toBe(1);
});
