// What this database has lost, since it was restored from a backup, and clients still have: they offer it, and the authority
// decides what is taken (docs/design.md, "Another history"). Each request is one transaction, and at most one entry, of a client
// of its own: so everybody is sent what has come back, also the client that has offered it.

import { randomUUID } from 'node:crypto';
import { admit } from '../authority/admission.ts';
import { type Authority, rawObject, requestProblem } from '../authority/authority.ts';
import { limits } from '../base/limits.ts';
import type { Metrics } from '../base/metrics.ts';
import { Problem } from '../base/problem.ts';
import type { AdmissionDone, OffersTaken, RowNeeds } from '../base/wire-types.ts';
import { kNow } from '../db/clock.ts';
import { type Database, isLockTimeout, type Queryable, type Within } from '../db/database.ts';
import { type WrittenEntry, writeDone } from '../push/done.ts';
import { beginRealms, KnownRowsCache, type LockedHeads, lockRealms } from '../push/locks.ts';
import { grantsOf } from '../rights/founding.ts';
import { type Caller, isFoundable, readRights } from '../rights/rights.ts';
import type { AppRules } from '../rules/app-rules.ts';
import { kWriteOwn } from '../sql/own-writes.ts';
import { RowBudget } from '../sql/row-budget.ts';
import { readNeeds } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import type { CheckedOffers, LogPlace } from '../wire/offers.ts';
import type { RestoreLog } from './restore-log.ts';
import { readSince } from './since.ts';

export interface TakeBackParts {
  readonly database: Database;
  readonly authority: Authority;
  readonly schema: SqlSchema;
  readonly rules: Pick<AppRules, 'answer'> | null;
  /** Whether realms that have nothing in common with what is lost are taken back, too. */
  readonly isAll: boolean;
  readonly committed: (entries: readonly WrittenEntry[]) => void;
  readonly metrics: Metrics;
  readonly log: RestoreLog;
}

export interface OffersCall {
  readonly client: string;
  readonly user: Caller;
  readonly request: CheckedOffers;
}

interface Taken {
  readonly now: number;
  /** The last revision that both histories have. */
  readonly common: number;
  /** Why nothing is taken. */
  readonly nothing?: string;
  readonly offers: OffersTaken;
  readonly entries: readonly WrittenEntry[];
  /** The place of what was taken in the realm's log. */
  readonly place?: LogPlace;
  /** The cursor of the log's last entry. */
  readonly head?: string;
}

const kNothing: OffersTaken = { done: 0, taken: 0, refused: [] };
const kHidden: Taken = { now: 0, common: 0, nothing: 'forbidden', offers: kNothing, entries: [] };

export class TakeBack {
  readonly #parts: TakeBackParts;

  constructor(parts: TakeBackParts) {
    this.#parts = parts;
  }

  /** The text of the answer. */
  async offer(call: OffersCall, within: Within = {}): Promise<string> {
    const { database, committed, metrics, log } = this.#parts;
    const more = new Set<string>();
    for (let round = 0; round < limits.lockRounds; round++) {
      const taken = await database
        .transaction({ mode: 'write', ...within }, (tx) => this.#run(tx, call, more, within))
        .catch((error: unknown) => {
          if (isLockTimeout(error))
            throw new Problem('busy', 'Another program has locked a row; offer it again.');
          throw requestProblem(error) ?? error;
        });
      if (taken === null) continue;
      const { now, common, nothing, offers, entries, place, head } = taken;
      committed(entries);
      metrics.count('restored_rows', offers.taken);
      if (nothing === undefined) log.taken(call.client, call.request.realm, offers);
      return JSON.stringify({
        time: now,
        common,
        ...(nothing && { nothing }),
        ...place,
        ...(head !== undefined && { head }),
        ...offers,
      });
    }
    throw new Problem('busy', 'The rows moved too often; offer them again.');
  }

  /** Null: `more` realms must be locked. */
  async #run(
    tx: Queryable,
    call: OffersCall,
    more: Set<string>,
    within: Within,
  ): Promise<Taken | null> {
    const { user, request } = call;
    const { realm } = request;
    // Of a realm that is hidden from the caller nothing is told, and nothing is locked.
    const readable = await readRights(tx, user);
    const isGranted = /^(write|own)$/.test(user.grants.get(realm) ?? '');
    // What was begun after the backup.
    if (this.#parts.isAll && isGranted && !isFoundable(realm))
      await beginRealms(tx, [realm], new KnownRowsCache(1));
    if (!isGranted && !readable.has(realm)) return kHidden;
    const heads = await lockRealms(tx, new Set([realm, ...more]), true);
    await this.#parts.database.fence?.(tx);
    const { now, common } = await readCommon(tx, realm, request.cursor);
    const head = heads.get(realm);
    if (!(await hasAll(tx, realm, request.given, head?.floor ?? 0)))
      throw new Problem('busy', 'The server was restored meanwhile; offer all of it again.');
    const cursor = head && { head: `${head.head}@${head.headAt}` };
    const isWelcome = common > 0 || isFoundable(realm) || this.#parts.isAll;
    // What others have changed since cannot be told where that is forgotten.
    const isForgotten = head !== undefined && head.floor > 0 && common < head.floor;
    if (head === undefined || !isWelcome || isForgotten)
      return { now, common, nothing: 'history_lost', offers: kNothing, entries: [], ...cursor };
    const { authority, rules, schema } = this.#parts;
    const budget = new RowBudget();
    const read = async (needs: RowNeeds) => {
      const [rows, since] = await Promise.all([
        readNeeds(tx, schema, needs, budget),
        readSince(tx, needs.since),
      ]);
      return `${rows.slice(0, -1)},"since":${since}}`;
    };
    const first = firstStep(call, heads, now, common, rules !== null);
    const decided = await authority.admission(
      (step) => admit<AdmissionDone>(step, first, { read, rules, spent: within.spent }),
      within.spent,
    );
    if ('lock' in decided) {
      for (const name of decided.lock) more.add(name);
      return null;
    }
    const { done, lists } = decided;
    const offers = done.offers;
    if (offers === undefined) throw new Problem('busy', 'A rule failed; offer the rows again.');
    await writeDone(tx, schema, { ...done, results: [] }, lists, {
      ...{ rights: new Map(), locked: heads.keys(), seen: [], blocked: [] },
    });
    const entries = done.touched.map((entry) => ({ ...entry, author: user.id }));
    const nothing = offers.forbidden === true ? { nothing: 'forbidden' } : {};
    const written = done.touched.find((entry) => entry.realm === realm);
    const place = written && {
      place: { revision: written.revision, at: done.at },
      head: `${written.revision}@${done.at}`,
    };
    return { now, common, ...nothing, offers, entries, ...cursor, ...place };
  }
}

/**
 * The last entry that both histories have: what is new is later than all that was lost, because the database's clock does not go
 * back. Also marks the transaction's writes as the server's own.
 */
async function readCommon(
  tx: Queryable,
  realm: string,
  { revision, at }: LogPlace,
): Promise<{ readonly now: number; readonly common: number }> {
  const [row] = await tx.query<{ now: string; common: string }>(
    `select ${kWriteOwn} as mark, (${kNow})::text as now,
            coalesce((select l.revision from skerry.log l
                       where l.realm = $1::text and l.revision <= $2::text::bigint and l.at <= $3::text::bigint
                       order by l.revision desc limit 1), 0)::text as common`,
    [realm, String(revision), String(at)],
  );
  if (row === undefined) throw new Error('A reading of the log returned no row.');
  return { now: Number(row.now), common: Number(row.common) };
}

/** Whether the log has all of these entries; of what is forgotten, nobody can tell. */
async function hasAll(
  tx: Queryable,
  realm: string,
  given: readonly LogPlace[],
  floor: number,
): Promise<boolean> {
  const asked = given.filter(({ revision }) => revision >= floor);
  if (asked.length === 0) return true;
  const [row] = await tx.query<{ there: string }>(
    `select count(*)::text as there
       from json_to_recordset($2::text::json) as g(revision bigint, at bigint)
      cross join lateral (
        select 1 from skerry.log l
         where l.realm = $1::text and l.revision = g.revision and l.at = g.at limit 1) l`,
    [realm, JSON.stringify(asked)],
  );
  return Number(row?.there) === asked.length;
}

function firstStep(
  { user, request }: OffersCall,
  heads: LockedHeads,
  now: number,
  common: number,
  validates: boolean,
): string {
  const { realm, version, ops, times } = request;
  const offered = {
    ...{ client: randomUUID(), user: user.id, update: randomUUID(), realm, common },
    ...{ version, ops, times },
  };
  return rawObject({
    ...{ now: String(now), requests: '[]', validates: String(validates) },
    rights: JSON.stringify([grantsOf(user)]),
    realms: JSON.stringify(Object.fromEntries(heads)),
    offered: JSON.stringify(offered),
  });
}
