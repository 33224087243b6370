// One transaction of the flusher: bind clients, lock realms, look up (locks.ts), admit, write (done.ts). The
// authority makes all decisions. Rejections are written and committed like applied updates.

import { admit } from '../authority/admission.ts';
import { type Authority, rawObject } from '../authority/authority.ts';
import { foreignLimits } from '../base/foreign-limits.ts';
import type { JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { heardOf } from '../base/pause.ts';
import { Problem } from '../base/problem.ts';
import type { RowNeeds } from '../base/wire-types.ts';
import { type Database, isLockTimeout, type Queryable, type Spent } from '../db/database.ts';
import { beginning, grantsOf } from '../rights/founding.ts';
import type { Caller } from '../rights/rights.ts';
import type { AppRules } from '../rules/app-rules.ts';
import { RowBudget } from '../sql/row-budget.ts';
import { joinLists, readNeeds } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import { realmsNamed } from '../wire/updates.ts';
import { readAhead } from './ahead.ts';
import { blocksOf } from './blocks.ts';
import {
  type Done,
  newRights,
  type Result,
  type RightsVersions,
  type Seen,
  type WrittenEntry,
  writeDone,
} from './done.ts';
import { type FullStreams, refuseFull } from './full-streams.ts';
import { heldByOthers } from './locked-rows.ts';
import {
  beginRealms,
  bindClients,
  checkLocked,
  KnownRowsCache,
  type KnownUpdates,
  type LockedHeads,
  type LockedState,
  lockRealms,
  lookUp,
  type Refusal,
  RowsGone,
  RowsLocked,
  recordFormer,
  type Unit,
} from './locks.ts';
import { boundMembers, type InvitationMode } from './member-limits.ts';
import { type Surveyed, surveyed } from './surveyed.ts';
import { resultsOf, undecided, unknownClient } from './unit-results.ts';

export interface CommittedUnits {
  readonly now: number;
  /**
   * One per unit: a Problem if the unit was not even admitted; null if it was left for another transaction, like all
   * units after it. The first is never left.
   */
  readonly results: readonly (Result | Problem | null)[];
  readonly entries: readonly WrittenEntry[];
  /** The rights that the entries have changed. */
  readonly rights: RightsVersions;
}

interface AdmissionRequest {
  readonly client: string;
  readonly user: string;
  /** The index of the request's rights: those of the token that came with it. */
  readonly rights: number;
  readonly epoch: number | null;
  /** True: the request has mutations of a former identity. A time: the client has said so then. */
  readonly follows: true | number | null;
  /** The client is of an earlier release. */
  readonly older: boolean;
  /** By id of an update (Unit.sent). */
  readonly sent: Record<string, number>;
  /** As JSON text. */
  readonly updates: string[];
}

/** The units, what they name, as the authority says it, and the realms that are locked. */
interface SurveyedUnits {
  readonly all: readonly Unit[];
  readonly naming: Promise<readonly Surveyed[]>;
  readonly realms: ReadonlySet<string>;
}

/** More realms must be locked: the transaction is rolled back, and runs again with the larger set. */
class MoreLocks extends Error {
  readonly realms: readonly string[];
  constructor(realms: readonly string[]) {
    super('more realms need to be locked');
    this.realms = realms;
  }
}

export interface CommitOptions {
  readonly refuse?: readonly Refusal[];
  /** Whether to wait for locked realms; otherwise RealmsBusy is thrown. */
  readonly wait: boolean;
  /** They are of several callers: TooMuchRead is thrown sooner. */
  readonly isShared?: boolean;
  readonly spent?: Spent;
  /** Whether the database's time is charged, too; not if it was spent in waiting for others' locks. */
  readonly isCharged?: boolean;
  /** False: the rules of the application are not asked, because the operator's own rows are written. */
  readonly isRuled?: boolean;
  /** Written in the same transaction, for markers of progress. */
  readonly alongside?: (tx: Queryable) => Promise<void>;
}

interface CommitterOptions {
  readonly invitations?: InvitationMode;
  readonly full?: FullStreams | null;
  readonly rules?: Pick<AppRules, 'answer'> | null;
  /** The time of a client's row may be so old (base/pause.ts). */
  readonly heardMs?: number;
}

export class Committer {
  readonly #database: Database;
  readonly #authority: Authority;
  readonly #schema: SqlSchema;
  readonly #invitations: InvitationMode;
  readonly #full: FullStreams | null;
  readonly #rules: Pick<AppRules, 'answer'> | null;
  readonly #heardMs: number;
  /** Those whose rows say that they were heard from lately. */
  readonly #clients = new KnownRowsCache(limits.rowsRemembered);
  #clientsSince = performance.now();
  /** Other programs have locked rows: until then each transaction looks for such rows first. */
  #carefulUntil = Number.NEGATIVE_INFINITY;
  readonly #realms = new KnownRowsCache(limits.rowsRemembered);

  constructor(
    database: Database,
    authority: Authority,
    schema: SqlSchema,
    {
      invitations = 'consent',
      full = null,
      rules = null,
      heardMs = heardOf(limits.retention * 1000),
    }: CommitterOptions = {},
  ) {
    this.#database = database;
    this.#authority = authority;
    this.#schema = schema;
    this.#invitations = invitations;
    this.#full = full;
    this.#rules = rules;
    this.#heardMs = heardMs;
  }

  /** Admits and commits the units in their order, in one transaction. */
  async commit(all: readonly Unit[], options: CommitOptions): Promise<CommittedUnits> {
    const realms = new Set(all.flatMap(({ update }) => realmsNamed(update)));
    // It takes less time than the first statements, which wait for it only if they need it.
    const naming = surveyed(this.#authority, all, options.spent);
    naming.catch(() => {});
    if (performance.now() - this.#clientsSince >= this.#heardMs) {
      this.#clients.forget();
      this.#clientsSince = performance.now();
    }
    for (let round = 0; round < limits.lockRounds; round++) {
      try {
        const run = (tx: Queryable) => this.#run(tx, { all, naming, realms }, options);
        const spent = options.isCharged ? options.spent : undefined;
        const write = { mode: 'write', spent } as const;
        const { heads, ...committed } = await this.#database.transaction(write, run);
        this.#clients.add(all.map(({ client }) => client));
        this.#realms.add(heads.keys());
        return committed;
      } catch (error) {
        if (isLockTimeout(error))
          this.#carefulUntil = performance.now() + foreignLimits.lookForLocksMs;
        if (error instanceof MoreLocks) {
          for (const realm of error.realms) realms.add(realm);
        } else if (error instanceof RowsGone) {
          this.#clients.forget();
          this.#realms.forget();
        } else throw error;
      }
    }
    throw new Problem('busy', 'The objects of this push moved too often; push again.');
  }

  async #run(
    tx: Queryable,
    { all, naming, realms }: SurveyedUnits,
    { wait, refuse = [], spent, alongside, isShared = false, isRuled = true }: CommitOptions,
  ): Promise<CommittedUnits & { readonly heads: LockedHeads }> {
    // Realms that begin get their rows before they are locked.
    const fresh = new Set(this.#realms.without(realms));
    const begun = fresh.size === 0 ? [] : beginning(await naming, fresh);
    // In this order, in one round trip: none of them depends on another's answer.
    const locking = Promise.all([
      bindClients(tx, all, this.#clients),
      recordFormer(tx, all),
      beginRealms(tx, begun, this.#realms),
      lockRealms(tx, realms, wait),
      lookUp(tx, all, realms),
    ]);
    locking.catch(() => {});
    const units = await naming;
    const budget = isShared
      ? new RowBudget(limits.rowsPerShared, limits.rowBytesPerShared)
      : new RowBudget();
    const [[, , , heads, found], ahead, full] = await Promise.all([
      locking,
      readAhead(tx, units, refuse, { schema: this.#schema, budget }),
      this.#full?.read(tx, units),
      // After the locks: all that another node has written in these realms under a newer schema was written before.
      this.#database.fence?.(tx),
    ]);
    checkLocked(units, beginning(units, realms), heads, found);
    const { owners, since, forgotten, now, known } = found;
    const own = units.filter(({ client, user }) => owners.get(client) === user.id);
    const held = await this.#heldByOthers(tx, own);
    const bound = own.filter((unit) => !forgotten.has(unit.client) && !held.has(unit));
    const members = await boundMembers(tx, bound, this.#invitations);
    const appends = full === undefined ? [] : await refuseFull(tx, bound, full);
    const admitted = bound.slice(0, members.end);
    const given = { rows: joinLists(ahead.rows), looked: JSON.stringify(ahead.looked) };
    const first = firstStep(
      admitted,
      realms,
      { now, heads, since },
      {
        ...{ ...known, ...given },
        invitations: JSON.stringify(this.#invitations),
        validates: String(isRuled && this.#rules !== null),
      },
      [...refuse, ...members.refuse, ...appends],
    );
    const sources = {
      read: (needs: RowNeeds) => readNeeds(tx, this.#schema, needs, budget),
      ...{ rules: this.#rules, spent },
    };
    const decided = await this.#authority.admission(
      (step) => admit<Done>(step, first, sources),
      spent,
    );
    if ('lock' in decided) throw new MoreLocks(decided.lock);
    const { done, lists } = decided;
    const results = done.results.flat();
    if (results.length !== admitted.length) throw new Error('The authority left out a result.');
    await alongside?.(tx);
    const rights = newRights(done);
    await writeDone(tx, this.#schema, done, lists, {
      rights,
      locked: realms,
      seen: seenBy(admitted),
      blocked: admitted.filter((_, i) => results[i]?.status === 'applied').flatMap(blocksOf),
    });
    const byUnit = new Map<Unit, Result | Problem | null>(
      bound.map((unit, i) => [unit, results[i] ?? null]),
    );
    for (const [unit, problem] of undecided(admitted, done)) byUnit.set(unit, problem);
    for (const unit of held) byUnit.set(unit, new RowsLocked());
    for (const unit of own) if (forgotten.has(unit.client)) byUnit.set(unit, unknownClient(unit));
    return {
      heads,
      now,
      entries: done.touched,
      rights,
      results: resultsOf(units, byUnit),
    };
  }

  /** The updates that have to wait for other programs. */
  async #heldByOthers(tx: Queryable, units: readonly Surveyed[]): Promise<ReadonlySet<Unit>> {
    if (performance.now() >= this.#carefulUntil) return new Set();
    const held = await heldByOthers(tx, this.#schema, units);
    if (held.size > 0) this.#carefulUntil = performance.now() + foreignLimits.lookForLocksMs;
    return held;
  }
}

/** The first input of the authority (docs/authority.md section 3). */
function firstStep(
  units: readonly Surveyed[],
  realms: ReadonlySet<string>,
  { now, heads, since }: Pick<LockedState, 'now' | 'since'> & { readonly heads: LockedHeads },
  known: KnownUpdates & {
    readonly rows: string;
    readonly looked: string;
    readonly invitations: string;
    readonly validates: string;
  },
  refuse: readonly Refusal[],
): string {
  const { requests, rights } = asRequests(units, since);
  return rawObject({
    now: String(now),
    realms: JSON.stringify(
      Object.fromEntries([...realms].map((realm) => [realm, heads.get(realm) ?? null])),
    ),
    rights: JSON.stringify(rights),
    ...known,
    requests: `[${requests.map(textOf)}]`,
    refuse: JSON.stringify(refuse),
  });
}

function textOf({ updates, ...request }: AdmissionRequest): string {
  const members = Object.entries(request).map(([name, value]) => [name, JSON.stringify(value)]);
  return rawObject({ ...Object.fromEntries(members), updates: `[${updates}]` });
}

/** What the clients know of the outcomes of their updates, in the realms that these name. */
function seenBy(units: readonly Unit[]): Seen[] {
  const seen = new Map<string, Seen>();
  for (const { client, update, seen: known } of units) {
    for (const realm of known === undefined ? [] : realmsNamed(update)) {
      const seq = known?.get(realm);
      const key = JSON.stringify([realm, client]);
      if (seq !== undefined && seq > (seen.get(key)?.seq ?? 0))
        seen.set(key, { realm, client, seq });
    }
  }
  return [...seen.values()];
}

/**
 * Consecutive updates of one push as one request: they are admitted in order over one working set. The tokens of one
 * user may grant different rights: each request has its own.
 */
function asRequests(
  units: readonly Surveyed[],
  since: LockedState['since'],
): {
  readonly requests: readonly AdmissionRequest[];
  readonly rights: readonly JsonObject[];
} {
  const requests: AdmissionRequest[] = [];
  const tokens = new Map<Caller, number>();
  for (const { client, user, epoch, text, follows: former, older = false, sent, update } of units) {
    const follows = former ? true : (since.get(client) ?? null);
    if (!tokens.has(user)) tokens.set(user, tokens.size);
    const rights = tokens.get(user) as number;
    const last = requests.at(-1);
    const isSame =
      last?.client === client &&
      last.rights === rights &&
      last.epoch === epoch &&
      last.older === older &&
      last.follows === follows;
    const said = sent === undefined ? {} : { [update.id as string]: sent };
    if (isSame) {
      last.updates.push(text);
      Object.assign(last.sent, said);
      continue;
    }
    const caller = { client, user: user.id, rights, epoch, older };
    requests.push({ ...caller, follows, sent: said, updates: [text] });
  }
  return { requests, rights: [...tokens.keys()].map(grantsOf) };
}
