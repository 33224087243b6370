// The schema of the tests that share realms: as well as lists and notes, a table whose ids are the application's own, one
// with all types of values, and one whose rows touch others. The server has the reducer of a stream, too.
import { schema, t, table } from 'skerry';
import { tables } from './schema.ts';

export class Color {
  static readonly RED = new Color('#f00');
  static readonly BLUE = new Color('#00f');
  private constructor(readonly css: string) {}
}
export class Money {
  constructor(
    readonly cents: number,
    readonly currency: string,
  ) {}
}
/** A class whose objects hold others. */
export class Offer {
  constructor(
    readonly price: Money,
    readonly colors: readonly Color[],
    readonly until: Date,
  ) {}
}

export const sharedTables = {
  ...tables,
  themes: table({ color: t.string() }, { id: t.string() }),
  /** Each touches its list. */
  tasks: table({ text: t.string(), list: t.ref('lists', { onDelete: 'cascade', touch: true }) }),
  values: table({
    at: t.date(),
    raw: t.bytes(),
    color: t.enum('Color', { RED: Color.RED, BLUE: Color.BLUE }),
    price: t.class('Money', {
      version: 2,
      to: ({ cents, currency }: Money) => ({ cents, currency }),
      // Version 1 stored a number of euros.
      from: (json: number | { cents: number; currency: string }, version: number) =>
        typeof json === 'number' || version === 1
          ? new Money(Number(json) * 100, 'EUR')
          : new Money(json.cents, json.currency),
      class: Money,
    }),
    offer: t.class('Offer', {
      to: ({ price, colors, until }: Offer) => ({ price, colors, until }),
      from: ({ price, colors, until }: Offer) => new Offer(price, colors, until),
      class: Offer,
    }),
    any: t.json<unknown>(),
  }),
};

export const sharedApp = schema(sharedTables, { version: 3 });

/** Sums prices, and remembers the last color and when it came. */
export interface Ledger {
  readonly total: Money;
  readonly color: Color | null;
  readonly at: Date | null;
}
export const ledger = {
  initialState: { total: new Money(0, 'EUR'), color: null, at: null } as Ledger,
  reducer: ({ total }: Ledger, { offer, at }: { offer: Offer; at: Date }): Ledger => ({
    total: new Money(total.cents + offer.price.cents, total.currency),
    color: offer.colors[0] ?? null,
    at,
  }),
};
export const reducers = { ledger };

export default sharedApp;
