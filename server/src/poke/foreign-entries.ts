// The entries that other programs have made (capture/), read from a table of them. Transactions that were open at the last reading
// may commit with older ids than it has seen: so the next one begins with the oldest of these.

import { foreignLimits } from '../base/foreign-limits.ts';
import { kNow } from '../db/clock.ts';
import type { Queryable } from '../db/database.ts';

const kChanges = `(select coalesce(sum(l.changes), 0) from skerry.foreign_entry e join skerry.log l using (realm, revision)
                where e.xid >= $1::text::xid8)`;

/** What other programs may have written since the last reading. */
export interface ForeignNews {
  /** The heads of the realms. */
  readonly heads: ReadonlyMap<string, number>;
  /** The changes of these entries, if they are counted. */
  readonly changes: number;
}

export class ForeignEntries {
  readonly #database: Queryable;
  readonly #counts: boolean;
  /** The oldest transaction that was open at the last reading. */
  #from: string | null;
  #forgotAt = Number.NEGATIVE_INFINITY;

  /** `counts`: changes are counted, from the oldest entry on; for a database without other connections, whose entries are read once. */
  constructor(database: Queryable, counts = false) {
    this.#database = database;
    this.#counts = counts;
    this.#from = counts ? '0' : null;
  }

  /** Heads of realms that are read after this are not missed. */
  async begin(): Promise<void> {
    if (this.#from === null) await this.read();
  }

  /** Unless changes are counted, the first finds nothing. */
  async read(): Promise<ForeignNews> {
    const [row] = await this.#database.query<Record<'from' | 'heads' | 'changes', string>>(
      `select pg_snapshot_xmin(pg_current_snapshot())::text as from, ${this.#counts ? kChanges : '0'}::text as changes,
              (select coalesce(json_object_agg(h.realm, h.revision), '{}')
                 from (select e.realm, max(e.revision) as revision from skerry.foreign_entry e
                        where e.xid >= $1::text::xid8 group by e.realm) h)::text as heads`,
      [this.#from],
    );
    if (row === undefined) throw new Error('A reading of entries returned no row.');
    this.#from = row.from;
    const heads = JSON.parse(row.heads) as Record<string, number>;
    return { heads: new Map(Object.entries(heads)), changes: Number(row.changes) };
  }

  /** Now and then deletes those that every node has read long ago. */
  async forget(): Promise<void> {
    if (performance.now() - this.#forgotAt < foreignLimits.entriesMs) return;
    this.#forgotAt = performance.now();
    await this.#database.query(
      `delete from skerry.foreign_entry e where e.at < (select ${kNow}) - ${foreignLimits.entriesMs}`,
    );
  }
}
