/** What the tests of the package share: a schema with every prop type, and databases on a host in memory. */

import { defineMutators, type OpenOptions, open, schema, t, table } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { afterEach } from 'vitest';
import type { TablesOf } from '../../js/api/types.ts';

export class Continent {
  static readonly EU = new Continent('Europe');
  static readonly AS = new Continent('Asia');
  private constructor(readonly label: string) {}
}
export class Money {
  constructor(readonly amount: number) {}
}

export const app = schema(
  {
    cities: table(
      {
        name: t.string(),
        country: t.string().index(),
        population: t.number().default(0),
        founded: t.date().optional(),
        continent: t.enum('Continent', { EU: Continent.EU, AS: Continent.AS }).optional(),
        size: t.enum(['s', 'm', 'l']).optional(),
        product: t
          .class('Money', {
            to: (v: Money) => v.amount,
            from: (j: number) => new Money(j),
            class: Money,
          })
          .optional(),
        notes: t.json<unknown>().optional(),
        flag: t.bytes().optional(),
        capital: t.boolean().optional(),
      },
      { id: t.string() },
    ),
    groups: table({ name: t.string() }),
    people: table({ name: t.string() }),
    members: table({
      group: t.ref('groups', { onDelete: 'cascade', touch: true }),
      person: t.ref('people', { onDelete: 'cascade' }),
    }),
  },
  { version: 1 },
);

export const mutators = defineMutators(app, {
  addCity: (tx, city: { id: string; name: string; country?: string; population?: number }) =>
    tx.cities.create({ country: 'SE', ...city }),
  rename: (tx, { id, name }: { id: string; name: string }) => tx.cities.update(id, { name }),
  grow: (tx, { id, by }: { id: string; by: number }) => tx.cities.inc(id, { population: by }),
  remove: (tx, id: string) => tx.cities.delete(id),
  addGroup: (tx, name: string) => tx.groups.create({ name }),
});

type Options = OpenOptions<TablesOf<typeof app>, typeof mutators>;

export function openApp(host: MemoryHost = memory(), more: Partial<Options> = {}) {
  return open({ name: 'test', schema: app, mutators, host, ...more });
}
export type App = Awaited<ReturnType<typeof openApp>>;

const opened: App[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

/** As `openApp`; closed after the test. */
export async function fresh(...args: Parameters<typeof openApp>): Promise<App> {
  const db = await openApp(...args);
  opened.push(db);
  return db;
}

/** Resolves after a turn of the event loop: what only waits for promises that are settled has happened by then. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Resolves once the condition holds; looks after every turn of the event loop, for as long as the test may run. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Runs `work` with what is thrown outside of all calls collected, instead of failing the test run. */
export async function collectUncaught(work: (uncaught: unknown[]) => Promise<void>): Promise<void> {
  const uncaught: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => uncaught.push(error));
  try {
    await work(uncaught);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of others) process.on('uncaughtException', listener);
  }
}
