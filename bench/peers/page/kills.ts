// What the browser is killed after: acknowledged updates, and increments, which tell what was applied twice.
import { adapter } from './adapter.ts';
import { cities, idOf } from './data.ts';

const ROWS = 2000;
const COUNTER = idOf(ROWS);
/** Of a round and a write: no two are the same, and no city has as many people. */
const populationOf = (round: number, write: number) => 1e8 + round * 1000 + write;

export async function prepare(): Promise<void> {
  const rows = await cities(ROWS);
  const [like] = rows;
  if (!like) throw new Error('no city');
  await adapter.bulk([...rows, { ...like, id: COUNTER, population: 0 }]);
}

/** So many updates, one after the other, each durable when this returns; every other row of writes, an increment. */
export async function acknowledge(round: number, writes: number) {
  for (let i = 0; i < writes; i++) {
    await adapter.update(idOf(i), { population: populationOf(round, i) });
    await adapter.increment?.(COUNTER, 1);
  }
  return { updates: writes, increments: adapter.increment ? writes : null };
}

/** What is there of the updates of a round, of all rows, and in the counter. */
export async function found(round: number, writes: number) {
  let updates = 0;
  let rows = 0;
  for (let i = 0; i < ROWS; i++) {
    const row = await adapter.get(idOf(i));
    if (row?.name) rows++;
    if (i < writes && row?.population === populationOf(round, i)) updates++;
  }
  const counter = adapter.increment ? ((await adapter.get(COUNTER))?.population ?? 0) : null;
  return { updates, missingRows: ROWS - rows, counter };
}
