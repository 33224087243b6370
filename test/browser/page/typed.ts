// The hub's commands about values that are more than JSON (hub.ts): as props, in json, in the items of a stream, and in the state of a
// reducer.
import { type Database, UnknownValue } from 'skerry';
import { Color, type Ledger, ledger, Money, Offer, type sharedTables } from './shared-schema.ts';

const shared = () => db as unknown as Database<typeof sharedTables>;
type Item = Record<string, unknown>;
const items = (realm: string) => db.stream<Item>('typed', { realm });
const state = (realm: string) =>
  db.stream<Ledger, { offer: Offer; at: Date }>('ledger', { ...ledger, realm });

const offer = () => new Offer(new Money(250, 'SEK'), [Color.BLUE, Color.RED], new Date(86_400_000));

/** A value as text, in which it is plain what each part is, to the very instance. */
function describe(value: unknown): string {
  if (value === Color.RED) return 'Color.RED';
  if (value === Color.BLUE) return 'Color.BLUE';
  if (value instanceof Money) return `Money(${value.cents} ${value.currency})`;
  if (value instanceof Offer)
    return `Offer(${[value.price, value.colors, value.until].map(describe).join()})`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Uint8Array) return `bytes(${value.join()})`;
  if (value instanceof UnknownValue) return `unknown(${JSON.stringify(value)})`;
  if (Array.isArray(value)) return `[${value.map(describe).join()}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}:${describe(item)}`)
      .join()}}`;
  return JSON.stringify(value) ?? 'undefined';
}

export const typed = {
  openTyped(realm: string): void {
    items(realm);
    state(realm);
  },
  /** A row, an item and an action. Resolves when all are durable. */
  async makeTyped(realm: string): Promise<void> {
    const made = shared().transact((tx) =>
      tx.values.create({
        realm,
        at: new Date(5),
        raw: new Uint8Array([0, 255]),
        color: Color.RED,
        price: new Money(1, 'EUR'),
        offer: offer(),
        any: { deep: [{ of: Color.BLUE, at: new Date(7), price: new Money(2, 'EUR'), $own: 1 }] },
      }),
    );
    const item = items(realm).append({ type: 'typed', offer: offer(), raw: new Uint8Array([7]) });
    const action = state(realm).dispatch({ offer: offer(), at: new Date(9) });
    await Promise.all([made.durable, item.durable, action.durable]);
  },
  /** What the window shows of them. */
  lookTyped(realm: string) {
    const [row] = shared().values.where('realm', '=', realm).all();
    const { at, raw, color, price, offer: offered, any } = row ?? {};
    return {
      row: describe([at, raw, color, price, offered, any]),
      items: items(realm).value.map(describe),
      state: describe(state(realm).value),
    };
  },
  /** The first item that this release cannot read is said again, and written into a row, as it is. */
  async passOn(realm: string): Promise<void> {
    const unknown = items(realm)
      .value.map(({ tax }) => tax)
      .find((tax) => tax instanceof UnknownValue);
    const said = items(realm).append({ type: 'again', tax: unknown });
    const [row] = shared().values.where('realm', '=', realm).all();
    if (!row) throw new Error('There is no row yet.');
    const written = shared().transact((tx) => tx.values.update(row.id, { any: [unknown] }));
    await Promise.all([said.durable, written.durable]);
  },
  exported: async (): Promise<string> => (await db.export()).text(),
};
