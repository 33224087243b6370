// What an adapter offers: a system as an application would use it, with nothing that the others are not asked too.

export interface City {
  readonly id: string;
  readonly name: string;
  readonly country: string;
  readonly lat: number;
  readonly lon: number;
  readonly population: number;
  readonly adminCode: string;
  readonly featureCode: string;
  readonly cityId: number;
}
export interface Patch {
  readonly population: number;
}
/** Of a query: whatever else these rows have, these two are read. */
export type TopRow = Pick<City, 'id' | 'population'>;

export interface Adapter {
  /** Makes the database, or opens what is there. Resolves when all queries may be asked. */
  open(): Promise<void>;
  /** Stores all rows; resolves when they are durable. */
  bulk(rows: readonly City[]): Promise<void>;
  count(country: string): Promise<number>;
  get(id: string): Promise<{ readonly name: string; readonly population: number } | undefined>;
  /** If there is one, reads are measured by it. */
  getSync?(id: string): { readonly name: string } | undefined;
  /** Resolves when the change is durable. */
  update(id: string, patch: Patch): Promise<unknown>;
  /** Resolves when all are durable; each is a change of its own. By default, many calls of `update`. */
  updateMany?(list: readonly (readonly [id: string, patch: Patch])[]): Promise<unknown>;
  /** How many changes at once it can take. */
  readonly manyN?: number;
  /** Adds to the population; resolves when that is durable. Only the kills ask for it. */
  increment?(id: string, by: number): Promise<unknown>;
  /** The largest cities of a country, largest first. */
  top(country: string, count: number): Promise<readonly TopRow[]>;
  /** Tells the rows of `top` now and after every change of them. */
  live?(
    country: string,
    count: number,
    told: (rows: readonly TopRow[]) => void,
  ): (() => unknown) | Promise<() => unknown>;
  /** What a second window does first, to hear of the changes of others. */
  observer?(): Promise<unknown>;
}

const system = new URL(location.href).searchParams.get('system') ?? '';

export let adapter: Adapter;

export async function loadAdapter(): Promise<void> {
  adapter ??= ((await import(`/${system}/adapter.js`)) as { default: Adapter }).default;
}
