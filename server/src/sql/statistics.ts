// PGlite has no process of its own that gathers statistics. Without them the planner takes every table for small: it would
// sort, or compare each row with each, where an index would do. So they are gathered when the database starts, and whenever
// as many rows were written as it had the last time: each table by itself, so that others have their turn between. Not of the
// system's own tables: that alone would take as long as all the rest of a start.

import type { Database } from '../db/database.ts';
import { quoteName } from './names.ts';

/** Of fewer rows any plan is good. */
const kLeastRows = 1_000;

export interface StatisticsParts {
  readonly database: Database;
  readonly log: (message: string, error: unknown) => void;
}

export class Statistics {
  readonly #parts: StatisticsParts;
  /** Rows that were there, or written, the last time; and those written since. */
  #before: number;
  #since = 0;
  #gathering: Promise<void> | null = null;
  #isClosed = false;

  private constructor(parts: StatisticsParts, rows: number) {
    this.#parts = parts;
    this.#before = rows;
  }

  /** Gathers statistics of all tables. */
  static async begin(parts: StatisticsParts): Promise<Statistics> {
    const { database } = parts;
    const tables = await namesOfTables(database);
    if (tables.length > 0) await database.execute(`analyze ${tables.join(', ')}`);
    const [row] = await database.query<{ rows: string }>(
      'select coalesce(sum(rows), 0)::text as rows from skerry.realm',
    );
    return new Statistics(parts, Number(row?.rows ?? 0));
  }

  /** So many rows were written. */
  written(rows: number): void {
    this.#since += rows;
    if (this.#gathering !== null || this.#since < Math.max(kLeastRows, this.#before)) return;
    this.#before += this.#since;
    this.#since = 0;
    this.#gathering = this.#gather()
      .catch((error: unknown) => {
        if (!this.#isClosed)
          this.#parts.log('Statistics of the tables could not be gathered.', error);
      })
      .finally(() => {
        this.#gathering = null;
        // What was written meanwhile may be enough for the next time.
        if (!this.#isClosed) this.written(0);
      });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#gathering;
  }

  async #gather(): Promise<void> {
    const { database } = this.#parts;
    for (const table of await namesOfTables(database)) {
      if (this.#isClosed) return;
      await database.execute(`analyze ${table}`);
    }
  }
}

/** Of all tables but the system's, as SQL has them. */
async function namesOfTables(database: Database): Promise<string[]> {
  const tables = await database.query<{ schema: string; name: string }>(
    `select n.nspname::text as schema, c.relname::text as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence <> 't'
        and n.nspname not in ('pg_catalog', 'information_schema') order by 1, 2`,
  );
  return tables.map(({ schema, name }) => `${quoteName(schema)}.${quoteName(name)}`);
}
