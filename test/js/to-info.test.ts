/** `schema.toInfo`: what people are shown of values that are more than JSON, as in a log of actions. */
import { LimitError, schema, t, table, UnknownValue } from 'skerry';
import { describe, expect, test } from 'vitest';
import { app, Continent, Money } from './support.ts';

class Place {
  constructor(
    readonly name: string,
    readonly price: Money,
  ) {}
}
const shop = schema(
  {
    offers: table({
      price: t.class('Money', {
        to: ({ amount }: Money) => amount,
        from: (amount: number) => new Money(amount),
        info: ({ amount }: Money) => `${amount} €`,
        class: Money,
      }),
      place: t.class('Place', {
        to: ({ name, price }: Place) => ({ name, price }),
        from: ({ name, price }: Place) => new Place(name, price),
        class: Place,
      }),
    }),
  },
  { version: 1 },
);

describe('toInfo', () => {
  test('names enum instances, and lets classes speak', () => {
    expect(app.toInfo({ of: Continent.EU, all: [Continent.AS, Continent.EU] })).toEqual({
      ...{ of: 'EU', all: ['AS', 'EU'] },
    });
    expect(shop.toInfo(new Money(5))).toBe('5 €');
    // A class without `info` shows what it stores, with what is in it.
    expect(shop.toInfo([new Place('Umeå', new Money(7))])).toEqual([
      { name: 'Umeå', price: '7 €' },
    ]);
  });

  test('shows dates, bytes and unknown types, and leaves the rest as it is', () => {
    const value = {
      at: new Date(0),
      raw: new Uint8Array(3),
      later: new UnknownValue('Tax', { $type: 'Tax', v: 1 }),
      plain: ['a', 1, true, null, { $x: undefined, y: Number.NaN }],
    };
    const info = app.toInfo(value);
    expect(info).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      raw: '3 bytes',
      later: 'Tax',
      plain: ['a', 1, true, null, { y: 'NaN' }],
    });
    expect(app.toInfo(undefined)).toBe('');
    expect(app.toInfo(new Date(Number.NaN))).toBe('');
    expect(app.toInfo(10n)).toBe('10');
  });

  test('an object that holds itself is refused', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(() => app.toInfo(loop)).toThrow(LimitError);
  });
});
