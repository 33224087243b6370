// The entries that other programs have made (capture/), read from a table of them. Transactions that were open at the last reading
// may commit with older ids than it has seen: so the next one begins with the oldest of these.

import { foreignLimits } from '../base/foreign-limits.ts';
import { kNow } from '../db/clock.ts';
import type { Queryable } from '../db/database.ts';

export class ForeignEntries {
  readonly #database: Queryable;
  /** The oldest transaction that was open at the last reading. */
  #from: string | null = null;

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** Heads of realms that are read after this are not missed. */
  async begin(): Promise<void> {
    if (this.#from === null) await this.read();
  }

  /** The heads of realms to which other programs may have written since the last reading. The first finds none. */
  async read(): Promise<ReadonlyMap<string, number>> {
    const [row] = await this.#database.query<{ from: string; heads: string }>(
      `select pg_snapshot_xmin(pg_current_snapshot())::text as from,
              (select coalesce(json_object_agg(h.realm, h.revision), '{}')
                 from (select e.realm, max(e.revision) as revision from skerry.foreign_entry e
                        where e.xid >= $1::text::xid8 group by e.realm) h)::text as heads`,
      [this.#from],
    );
    if (row === undefined) throw new Error('A reading of entries returned no row.');
    this.#from = row.from;
    return new Map(Object.entries(JSON.parse(row.heads) as Record<string, number>));
  }

  /** Deletes those that every node has read long ago. */
  async forget(): Promise<void> {
    await this.#database.query(
      `delete from skerry.foreign_entry e where e.at < (select ${kNow}) - ${foreignLimits.entriesMs}`,
    );
  }
}
