/** Schemas: the description that core and server get, what is refused at run time, and typed values both ways. */
import { describe, expect, test } from 'vitest';
import { schemaDef } from '../../js/api/schema.ts';
import { SchemaCodec } from '../../js/core/values.ts';
import { schema, t, table, UnknownValue } from '../../js/index.ts';

class Continent {
  static readonly EU = new Continent('Europe');
  static readonly AS = new Continent('Asia');
  private constructor(readonly label: string) {}
}
class Money {
  constructor(
    readonly amount: number,
    readonly currency: string,
  ) {}
}
const money = t.class('Money', {
  version: 2,
  to: ({ amount, currency }: Money) => ({ amount, currency }),
  // Version 1 stored the amount alone.
  from: (json: number | { amount: number; currency: string }, version) =>
    version === 1
      ? new Money(json as number, 'SEK')
      : new Money((json as Money).amount, (json as Money).currency),
});
const app = schema(
  {
    cities: table(
      {
        name: t.string(),
        founded: t.date().optional(),
        continent: t
          .enum('Continent', { EU: Continent.EU, AS: Continent.AS })
          .default(Continent.EU),
        size: t.enum(['s', 'm']).optional().index({ unique: true }),
        product: money.optional(),
        notes: t.json<unknown>().optional(),
        flag: t.bytes().default(Uint8Array.of(1, 2)),
        twin: t.ref('cities', { onDelete: 'setNull', touch: true }).optional(),
      },
      { id: t.string(), autosubscribe: true },
    ),
    people: table({ name: t.string() }),
  },
  { version: 3, accepts: [2] },
);
const codec = new SchemaCodec(schemaDef(app)).table('cities');
const there = (prop: string, value: unknown) => codec.toPlain(prop, value);
const back = (prop: string, value: unknown) => codec.fromPlain(prop, there(prop, value));

describe('a schema', () => {
  test('describes itself as JSON', () => {
    const [cities, people] = (JSON.parse(JSON.stringify(app)) as { tables: { props: object[] }[] })
      .tables;
    expect(JSON.parse(JSON.stringify(app))).toMatchObject({ version: 3, accepts: [2] });
    expect(people).toMatchObject({ name: 'people', ids: 'uuid', autosubscribe: false });
    expect(cities).toMatchObject({ name: 'cities', ids: 'string', autosubscribe: true });
    expect(cities?.props).toMatchObject([
      { name: 'name', type: 'string', optional: false, index: false, unique: false },
      { name: 'founded', type: 'date', optional: true },
      {
        name: 'continent',
        type: 'enum',
        default: 'EU',
        enum: { type: 'Continent', values: ['EU', 'AS'] },
      },
      {
        name: 'size',
        type: 'enum',
        index: true,
        unique: true,
        enum: { type: null, values: ['s', 'm'] },
      },
      { name: 'product', type: 'class', class: { type: 'Money', version: 2 } },
      { name: 'notes', type: 'json' },
      { name: 'flag', type: 'bytes', default: { $type: 'bytes', v: 'AQI=' } },
      {
        name: 'twin',
        type: 'ref',
        index: true,
        ref: { table: 'cities', onDelete: 'setNull', touch: true },
      },
    ]);
  });

  test('refuses names that would hide members, refs to nothing, and other mistakes', () => {
    const one = (tables: object) => () => schema(tables as never, { version: 1 });
    const plain = table({ x: t.string() });
    for (const name of [
      'sync',
      'mutate',
      'close',
      'then',
      'undo',
      'constructor',
      'a-b',
      '',
      '1a',
    ]) {
      expect(one({ [name]: plain }), name).toThrow(
        expect.objectContaining({ name: 'SchemaError', code: 'schema' }),
      );
    }
    for (const name of ['id', 'realm', 'createdAt', 'modifiedAt', 'a b']) {
      expect(one({ a: table({ [name]: t.string() }) }), name).toThrow(/named|cannot be the name/);
    }
    expect(one({ a: table({ x: t.ref('b') }) })).toThrow(/no table/);
    expect(one({ a: table({ x: t.ref('a', { onDelete: 'setNull' }) }) })).toThrow(/optional/);
    expect(one({ a: {} })).toThrow(/table\(props\)/);
    expect(one({ a: table({ x: {} as never }) })).toThrow(/with t/);
    expect(() => schema({ a: plain }, { version: 0 })).toThrow(/version/);
    expect(() => schema({ a: plain }, { version: 1, migration: {} } as never)).toThrow(/migration/);
    expect(() => table({ x: t.string() }, { validator: () => {} } as never)).toThrow(/validator/);
    expect(() => t.enum([] as never)).toThrow(/members/);
    const two = { x: t.enum('E', { A: Continent.EU }), y: t.enum('E', { B: Continent.AS }) };
    expect(one({ a: table(two) })).toThrow(/Two types/);
  });
});

describe('values', () => {
  test('enums come back as the very instances', () => {
    expect(there('continent', Continent.AS)).toBe('AS');
    expect(back('continent', Continent.AS)).toBe(Continent.AS);
    expect(() => there('continent', { label: 'Asia' })).toThrow(/members of its enum/);
  });

  test('dates and bytes', () => {
    expect(there('founded', new Date(5))).toBe(5);
    expect(back('founded', new Date(5))).toEqual(new Date(5));
    expect(() => there('founded', '2020')).toThrow(/Date/);
    expect(() => there('founded', new Date(Number.NaN))).toThrow(/valid/);
    expect(back('flag', Uint8Array.of(9))).toEqual(Uint8Array.of(9));
    expect(() => there('flag', [9])).toThrow(/Uint8Array/);
  });

  test('classes come back through their own code, from older versions too', () => {
    expect(there('product', new Money(5, 'EUR'))).toEqual({
      $type: 'Money',
      v: { amount: 5, currency: 'EUR' },
      version: 2,
    });
    expect(back('product', new Money(5, 'EUR'))).toEqual(new Money(5, 'EUR'));
    expect(codec.fromPlain('product', { $type: 'Money', v: 7, version: 1 })).toEqual(
      new Money(7, 'SEK'),
    );
  });

  test('json keeps dates, bytes, enums and classes inside, and keys that begin with $', () => {
    back('product', new Money(1, 'EUR'));
    const value = {
      at: new Date(7),
      bytes: Uint8Array.of(255, 0),
      list: [Continent.EU, new Money(2, 'SEK'), null, { $type: 'not an envelope', $$deep: [1] }],
    };
    const plain = there('notes', value);
    expect(plain).toEqual({
      at: { $type: 'date', v: 7 },
      bytes: { $type: 'bytes', v: '/wA=' },
      list: [
        { $type: 'Continent', v: 'EU' },
        { $type: 'Money', v: { amount: 2, currency: 'SEK' }, version: 2 },
        null,
        { $$type: 'not an envelope', $$$deep: [1] },
      ],
    });
    const restored = codec.fromPlain('notes', plain) as typeof value;
    expect(restored).toEqual(value);
    expect(restored.list[0]).toBe(Continent.EU);
    expect(restored.list[1]).toBeInstanceOf(Money);
    expect(Object.isFrozen(restored)).toBe(true);
  });

  test('unknown types stay as they came', () => {
    const stored = {
      deep: [{ $type: 'FromTheFuture', v: { $type: 'Inner', v: 1 }, version: 9, extra: true }],
    };
    const value = codec.fromPlain('notes', stored) as { deep: unknown[] };
    expect(value.deep[0]).toBeInstanceOf(UnknownValue);
    expect(there('notes', value)).toEqual(stored);
  });

  test('json refuses what it cannot hold', () => {
    class Other {}
    for (const value of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      () => 1,
      1n,
      new Map(),
      new Other(),
      { a: new Other() },
    ]) {
      expect(() => there('notes', value)).toThrow(
        expect.objectContaining({ name: 'ValidationError' }),
      );
    }
    expect(there('notes', { a: undefined, b: [undefined] })).toEqual({ b: [null] });
  });

  test('unknown props and undefined values are refused', () => {
    expect(() => there('nope', 1)).toThrow(
      expect.objectContaining({ name: 'SchemaError', code: 'unknown_prop' }),
    );
    expect(() => there('name', undefined)).toThrow(/undefined/);
    expect(() => codec.propsToPlain({ nope: 1 })).toThrow(/no prop nope/);
    expect(
      codec.propsToPlain({ name: undefined, founded: null, id: 'x' }, (key) => key === 'id'),
    ).toEqual({
      founded: null,
    });
  });
});
