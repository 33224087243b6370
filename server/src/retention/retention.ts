// Looks from time to time for what is older than the retention period, and forgets it: entries of logs, one realm at a time,
// clients, and versions of rights. Several nodes may do so at once: a realm's lock is held for each step in its log.

import { limits } from '../base/limits.ts';
import { pauseOf } from '../base/pause.ts';
import { kNow, readClock } from '../db/clock.ts';
import type { Database } from '../db/database.ts';
import { forgetClients, forgetRefusals } from './clients.ts';
import { forgetLog, type LogParts } from './log.ts';
import { inPortions } from './portions.ts';
import { forgetRights } from './rights.ts';

export interface RetentionParts extends LogParts {
  readonly retentionMs: number;
  readonly log: (message: string, error: unknown) => void;
}

const kRealmsAtOnce = 1_000;
/** PGlite reclaims the space of what is deleted only when it is told to; so often is enough. */
const kVacuumAfter = 1_000;

/** The next realms, by name, whose oldest entry that is not forgotten is older than so many ms. */
async function findOld(
  database: Database,
  after: string,
  olderThanMs: number,
): Promise<{ readonly realm: string; readonly isOld: boolean }[]> {
  const rows = await database.query<{ realm: string; old: string }>(
    `select r.realm, (o.at < ${kNow} - $2::text::bigint)::text as old
       from (select r.realm, r.floor from skerry.realm r where r.realm > $1::text collate "C"
              order by r.realm limit ${kRealmsAtOnce}) r
       left join lateral (
         select l.at from skerry.log l where l.realm = r.realm and l.revision > r.floor order by l.revision limit 1) o on true
      order by r.realm`,
    [after, String(olderThanMs)],
  );
  return rows.map(({ realm, old }) => ({ realm, isOld: old === 'true' }));
}

export class Retention {
  readonly #parts: RetentionParts;
  #timer: NodeJS.Timeout | null = null;
  #working: Promise<void> | null = null;
  #isClosed = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  /** Begins to look, in the background. */
  begin(): void {
    this.#look();
    this.#timer = setInterval(() => this.#look(), pauseOf(this.#parts.retentionMs));
    this.#timer.unref();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#working;
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#working ??= this.#all()
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#parts.log('What is old could not be looked for.', error);
      })
      .finally(() => {
        this.#working = null;
      });
  }

  async #all(): Promise<void> {
    const { database, retentionMs } = this.#parts;
    let gone = 0;
    const next = (after: string) => findOld(database, after, retentionMs);
    for await (const { realm, isOld } of inPortions(next, (each) => each.realm, kRealmsAtOnce)) {
      if (this.#isClosed) break;
      if (isOld) gone += await this.#forget(realm);
    }
    const now = await readClock(database);
    const before = now - retentionMs;
    const goesOn = () => !this.#isClosed;
    gone += await forgetRefusals(database, before, goesOn);
    gone += await forgetClients(database, before, goesOn);
    gone += await forgetRights(database, before, goesOn);
    if (gone >= kVacuumAfter) await this.#reclaim();
    // Who declined so long ago may be invited by the same user again. A block has no end.
    await database.query('delete from skerry.declined d where d.at <= $1::text::bigint', [
      String(now - limits.declinedMs),
    ]);
  }

  /** One realm that fails does not keep the others. */
  async #forget(realm: string): Promise<number> {
    const { retentionMs, log } = this.#parts;
    try {
      return await forgetLog(this.#parts, realm, retentionMs, () => !this.#isClosed);
    } catch (error) {
      if (!this.#isClosed) log(`The log of the realm ${realm} could not be forgotten.`, error);
      return 0;
    }
  }

  async #reclaim(): Promise<void> {
    const { database, schema } = this.#parts;
    if (database.kind !== 'pglite') return;
    const own = ['log', 'change', 'action', 'chain', 'rights_given'].map(
      (name) => `skerry.${name}`,
    );
    for (const name of [...own, ...[...schema.values()].map((table) => table.name)]) {
      if (!this.#isClosed) await database.execute(`vacuum ${name}`);
    }
  }
}
