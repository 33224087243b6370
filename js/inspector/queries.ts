/** The live queries of a window: what they are, and how long they take. */
import type { LiveRegistry, LiveValue } from '../api/live.ts';
import type { QueryDescription } from '../core/window-core.ts';
import type { Clock } from '../host/clock.ts';
import { inspectorLimits } from './limits.ts';
import type { InspectedQuery } from './view.ts';

interface Measured {
  readonly value: LiveValue;
  /** Null: it was not run for that yet. */
  runMs: number | null;
  updates: number;
  updateMs: number;
  slowestMs: number;
  updatedAt: number | null;
}

export class Queries {
  readonly #lives: LiveRegistry;
  readonly #clock: Clock;
  readonly #measured = new Map<number, Measured>();

  constructor(lives: LiveRegistry, clock: Clock) {
    this.#lives = lives;
    this.#clock = clock;
  }

  /** Measures from now on. `changed`: one has. */
  start(changed: () => void): void {
    this.#lives.watch = (number, update) => {
      const begun = this.#clock.mono();
      const calls = update();
      const ms = this.#clock.mono() - begun;
      const value = this.#lives.open.get(number);
      if (value) {
        const measured = this.#of(number, value);
        measured.updates++;
        measured.updateMs += ms;
        measured.slowestMs = Math.max(measured.slowestMs, ms);
        measured.updatedAt = this.#clock.now();
      }
      changed();
      return calls;
    };
  }

  stop(): void {
    this.#lives.watch = null;
    this.#measured.clear();
  }

  all(): readonly InspectedQuery[] {
    const { open } = this.#lives;
    for (const number of this.#measured.keys())
      if (!open.has(number)) this.#measured.delete(number);
    return [...open].slice(0, inspectorLimits.listed).map(([number, value]) => {
      const { query, kind } = value;
      const measured = this.#of(number, value);
      measured.runMs ??= this.#run(query);
      const { updates, updateMs, slowestMs, updatedAt, runMs } = measured;
      return {
        ...{ number, table: query.table, kind, where: query.where },
        order: query.order.map((columns) => columns.join(' ')),
        ...{ limit: query.limit, offset: query.offset },
        include: query.include.map(({ name }) => name),
        rows: rowsOf(value),
        indexes: this.#indexes(query),
        ...{ runMs, updates, updateMs, slowestMs, updatedAt },
      };
    });
  }

  #of(number: number, value: LiveValue): Measured {
    const known = this.#measured.get(number);
    if (known?.value === value) return known;
    const times = { runMs: null, updateMs: 0, slowestMs: 0, updatedAt: null };
    const measured: Measured = { value, updates: 0, ...times };
    this.#measured.set(number, measured);
    return measured;
  }

  #run(query: QueryDescription): number {
    const begun = this.#clock.mono();
    this.#lives.view.core.run(query);
    return this.#clock.mono() - begun;
  }

  /** As src/model/query_plan.cc considers them: of conditions that all have to hold. */
  #indexes({ table, where }: QueryDescription): string[] {
    const columns = this.#lives.view.codec.table(table).table.byName;
    const has = (column: string) => {
      const prop = columns.get(column);
      return column === 'id' || prop?.index || prop?.unique || prop?.type === 'ref';
    };
    return [...new Set(conditions(where))].filter(has);
  }
}

/** The columns of comparisons for which there may be a range in an index. */
function conditions(where: unknown): string[] {
  if (!Array.isArray(where)) return [];
  const [op, ...parts] = where as [string, ...unknown[]];
  if (op === 'and') return parts.flatMap(conditions);
  const [column] = parts;
  const isRange = ['=', 'in', '<', '<=', '>', '>='].includes(op);
  return isRange && typeof column === 'string' ? [column] : [];
}

/** Null where a class of the application's throws for a row, which is reported where the application reads the value. */
function rowsOf(live: LiveValue): number | null {
  let value: unknown;
  try {
    value = live.value;
  } catch {
    return null;
  }
  if (live.kind === 'count') return value as number;
  if (live.kind === 'rows') return (value as readonly unknown[]).length;
  return value === undefined ? 0 : 1;
}
