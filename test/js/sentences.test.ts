// Goal: a mistake in a call is refused where it is made, with a typed error whose sentence names what is wrong and what came.
// Method: a table of mistakes.
import { http, open, schema, t, table, UnsyncedError } from 'skerry';
import { memory } from 'skerry/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { connect, world } from './account-world.ts';
import { type App, app, fresh, openApp } from './support.ts';

// biome-ignore lint/suspicious/noExplicitAny: mistakes that the types forbid.
type Any = any;

describe('a value of another type is refused, and the message names its type', () => {
  const cases: readonly (readonly [prop: string, value: unknown, says: string])[] = [
    ['name', 5, 'cities.name: takes a string, and a number came'],
    ['name', true, 'cities.name: takes a string, and a boolean came'],
    ['name', [1], 'cities.name: takes a string, and a list came'],
    ['name', { a: 1 }, 'cities.name: takes a string, and an object came'],
    ['name', new Uint8Array(1), 'cities.name: takes a string, and bytes came'],
    ['population', '5', 'cities.population: takes a number, and a string came'],
    ['population', Number.NaN, 'cities.population: not a finite number'],
    ['population', Number.POSITIVE_INFINITY, 'cities.population: not a finite number'],
    ['capital', 1, 'cities.capital: takes a boolean, and a number came'],
    ['founded', '2020-01-01', 'cities.founded takes a Date, and a string came.'],
    ['founded', 5, 'cities.founded takes a Date, and a number came.'],
    ['founded', new Date(Number.NaN), 'cities.founded: the date is not valid.'],
    ['flag', 'AAE=', 'cities.flag takes a Uint8Array, and a string came.'],
    [
      'flag',
      new ArrayBuffer(1),
      'cities.flag takes a Uint8Array, and an object of ArrayBuffer came.',
    ],
    ['size', 'xl', 'cities.size: not a member of the enum'],
    ['size', 5, 'cities.size: takes a name of its enum, and a number came'],
    [
      'continent',
      'EU',
      'cities.continent takes one of the members of its enum, and a string came.',
    ],
    [
      'notes',
      { a: new Map() },
      'cities.notes: json holds an object of Map: register it with t.class(…, { class: … }).',
    ],
    ['notes', { a: () => 1 }, 'cities.notes: json cannot hold a function.'],
    ['notes', { a: Number.NaN }, 'cities.notes: json cannot hold NaN.'],
    ['notes', { a: 1n }, 'cities.notes: json cannot hold a bigint.'],
  ];
  let db: App;
  beforeAll(async () => {
    db = await openApp();
    db.mutate.addCity({ id: 'x', name: 'x' });
    return () => db.close();
  });

  test.each(cases)('%s, %#', (prop, value, says) => {
    const refusal = expect.objectContaining({
      name: 'ValidationError',
      code: 'wrong_type',
      message: says,
    });
    const row: Any = { id: 'y', name: '', country: '', [prop]: value };
    expect(() => db.transact((tx) => tx.cities.create(row))).toThrow(refusal);
    expect(() => db.transact((tx) => tx.cities.upsert(row))).toThrow(refusal);
    expect(() => db.transact((tx) => tx.cities.update('x', { [prop]: value } as Any))).toThrow(
      refusal,
    );
    if (prop !== 'notes')
      expect(() => db.cities.where(prop as 'name', '=', value as Any).all()).toThrow(refusal);
  });
});

describe('a default that does not fit is refused where it is written', () => {
  const cases: readonly (readonly [make: () => unknown, says: RegExp])[] = [
    [() => t.number().default('5' as Any), /type number: a string/],
    [() => t.number().default(Number.NaN), /type number: a number/],
    [() => t.string().default(5 as Any), /type string: a number/],
    [() => t.boolean().default(0 as Any), /type boolean: a number/],
    [() => t.date().default(5 as Any), /type date: a number/],
    [() => t.bytes().default('x' as Any), /type bytes: a string/],
    [() => t.enum(['a', 'b']).default('c' as Any), /type enum: a string/],
    [() => t.string().default(null as Any), /type string: null/],
  ];
  test.each(cases)('%s', (make, says) => {
    expect(make).toThrow(
      expect.objectContaining({ name: 'SchemaError', message: expect.stringMatching(says) }),
    );
  });

  test('and one that fits is taken', async () => {
    const all = {
      ...{ a: t.number().default(-0), b: t.string().default(''), c: t.boolean().default(false) },
      ...{ d: t.date().default(new Date(5)), e: t.bytes().default(new Uint8Array([1])) },
      ...{
        f: t.enum(['a', 'b']).default('b'),
        g: t.json().default({ x: [1] }),
        h: t.string().optional().default(null),
      },
    };
    const made = schema({ all: table(all) }, { version: 1 });
    const db = await open({ name: 'defaults', schema: made, host: memory() });
    db.transact((tx) => tx.all.create({}));
    const { id, realm, createdAt, modifiedAt, ...row } = db.all.first() ?? expect.fail();
    expect(row).toEqual({
      ...{
        a: 0,
        b: '',
        c: false,
        d: new Date(5),
        e: new Uint8Array([1]),
        f: 'b',
        g: { x: [1] },
        h: null,
      },
    });
    await db.close();
  });
});

describe('a call that nothing could come of is refused', () => {
  const cases: readonly (readonly [name: string, call: (db: Any) => unknown, says: RegExp])[] = [
    [
      'an event that there is not',
      (db) => db.on('nope', () => {}),
      /no event nope: on\(\) knows dataLost, .*closed/,
    ],
    ['an event of every object', (db) => db.on('constructor', () => {}), /no event constructor/],
    ['on() without a function', (db) => db.on('closed'), /takes a function, and undefined came/],
    [
      'transact() without a function',
      (db) => db.transact(),
      /transact\(\) takes a function, and undefined came/,
    ],
    [
      'transact() of a list',
      (db) => db.transact([1]),
      /transact\(\) takes a function, and a list came/,
    ],
    [
      'a query’s subscribe()',
      (db) => db.cities.subscribe(),
      /takes a function, and undefined came/,
    ],
    [
      'a live value’s subscribe()',
      (db) => db.cities.live().subscribe({}),
      /takes a function, and an object came/,
    ],
    [
      'the status’ subscribe()',
      (db) => db.sync.subscribe(),
      /takes a function, and undefined came/,
    ],
    [
      'a stream’s subscribe()',
      (db) => db.stream('s').subscribe(null),
      /takes a function, and null came/,
    ],
  ];
  test.each(cases)('%s', async (_name, call, says) => {
    const db = await fresh(undefined, { user: 'ada', remote: http('/v1'), scopes: 'all' });
    const refusal = {
      name: 'ValidationError',
      code: 'invalid_argument',
      message: expect.stringMatching(says),
    };
    expect(() => call(db)).toThrow(expect.objectContaining(refusal));
  });

  test.each([
    ['a service worker without a remote', { serviceWorker: true }, /serviceWorker needs a remote/],
    [
      'the script of one without a remote',
      { serviceWorker: '/sw.js' },
      /serviceWorker needs a remote/,
    ],
    [
      'a mutator that is no function',
      { mutators: { addCity: 5 } },
      /option mutators.addCity takes a function, and a number came/,
    ],
  ])('open() with %s', async (_name, more, says) => {
    const opening = open({ name: 'x', schema: app, host: memory(), ...(more as object) });
    await expect(opening).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringMatching(says),
    });
  });
});

test('the error of a logout that would lose changes is one that can be recognised', async () => {
  const { host } = world();
  host.network.online = false;
  const db = await connect(host, 'ada');
  db.mutate.addCity({ id: 'a', name: 'A' });
  const error = await db.logout().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnsyncedError);
  expect(error).toMatchObject({
    ...{ name: 'UnsyncedError', code: 'unsynced', pending: 1, conflicts: 0 },
    message: 'Not logged out. Changes that are not confirmed: 1; in the conflict inbox: 0.',
  });
});
