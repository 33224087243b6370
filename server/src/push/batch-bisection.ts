// Commits one group of pushes so that a failure affects only the push that caused it. If a transaction fails again,
// with any code, the group is split in half, in order, and each half is admitted again, until a push is alone; only
// its caller gets the error.
//
// - If the database refuses a value (classes 22, 23 and 54 of SQLSTATE, or an exception of a trigger), or an update needs more rows than it may
//   read, the push is split further, until the update is rejected and the rejection committed.
// - If a push needs more rows than a transaction of several callers may read, it is left for one of its own.
// - If the authority cannot read a request, or an error is unknown, that push fails.
// - If a push meets a row that another program has locked, it waits for it, and nobody else does.
// - If the database is unavailable or full, no push is at fault: splitting would not help, and all get `busy`. The
//   same holds if several pushes fail alone, one after the other, and none succeeds.
// - A statement that took too long costs half a minute each time: then every push is tried alone at once.

import { requestProblem } from '../authority/authority.ts';
import { AuthorityGone, AuthorityTimeout, isOfAnother } from '../authority/authority-link.ts';
import { Counts } from '../base/counts.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import {
  DiskFull,
  isAway,
  isLockTimeout,
  isTimeout,
  isUnavailable,
  refusesValues,
  sqlState,
  whyRefused,
} from '../db/database.ts';
import { TooMuchRead } from '../sql/row-budget.ts';
import type { CommittedUnits, Committer } from './commit.ts';
import type { RightsVersions, WrittenEntry } from './done.ts';
import type { IsolatedUsers } from './isolated-users.ts';
import { RealmsBusy, type Refusal, RowsLocked } from './locks.ts';
import { type OwnedUnit, ownersOf, type QueuedPush, weightOf } from './queued-push.ts';

export interface BisectionOptions {
  readonly committer: Pick<Committer, 'commit'>;
  /** Notified of committed entries before the callers are. */
  readonly committed: (entries: readonly WrittenEntry[], rights: RightsVersions) => void;
  /** Waits before a transaction is tried again. */
  readonly pause: (ms: number) => Promise<void>;
  readonly log: (message: string, error: unknown) => void;
}

const kFirstPauseMs = 5;

export class BatchBisection {
  readonly #options: BisectionOptions;
  readonly #isolated: IsolatedUsers;
  /**
   * Users with updates for which others were left to another transaction, or that were left for one of their own.
   */
  readonly heavy = new Set<string>();
  /** Pushes that have to wait for rows that other programs have locked. */
  readonly locked = new Set<QueuedPush>();
  /** Milliseconds of work of the database and the rules. */
  workedMs = 0;
  /** How much each client's updates have changed, measured by `weightOf`. */
  readonly changedBy = new Counts();
  #isWhole = true;
  #isCharged = true;
  /** Whether the group is of several users, who would all wait for one of them. */
  #isShared = false;
  #hasSucceeded = false;
  #failedAlone = 0;
  #timedOutAlone = 0;
  #giveUpError: unknown = null;
  /** Clients with an update that was left: their later ones are left, too. */
  readonly #left = new Set<string>();

  constructor(options: BisectionOptions, apart: IsolatedUsers) {
    this.#options = options;
    this.#isolated = apart;
  }

  /**
   * Commits the units. Throws RealmsBusy if `wait` is false and a realm is locked; all other failures go to the
   * callers.
   */
  async process(all: readonly OwnedUnit[], wait: boolean): Promise<void> {
    this.#isCharged = !wait;
    this.#isShared = new Set(all.map(({ owner }) => owner.user.id)).size > 1;
    return this.#process(all, wait);
  }

  async #process(all: readonly OwnedUnit[], wait: boolean): Promise<void> {
    const units = all.filter(({ client }) => !this.#left.has(client));
    if (units.length === 0) return;
    const owners = ownersOf(units);
    if (this.#giveUpError !== null) {
      for (const owner of owners) this.fail(owner, this.#giveUpError);
      return;
    }
    let committed: CommittedUnits;
    try {
      committed = await this.#tryCommit(units, wait, []);
    } catch (error) {
      if (error instanceof RealmsBusy) throw error;
      if (isAway(error)) for (const owner of owners) this.fail(owner, error);
      else if (this.#isTooMuchBesideOthers(owners, error)) this.#leave(units, owners);
      else if (owners.length > 1) await this.#divide(owners, error);
      else await this.#blame(units, error);
      return;
    }
    this.#settle(units, committed);
  }

  #settle(units: readonly OwnedUnit[], { results, entries, rights, now }: CommittedUnits): void {
    this.#hasSucceeded = true;
    const authors = new Map(units.map(({ client, owner }) => [client, owner.user.id]));
    const made = entries.map((entry) => ({ ...entry, author: authors.get(entry.client) ?? '' }));
    this.#options.committed(made, rights);
    for (const { client, changes, bytes } of entries) {
      this.changedBy.add(client, weightOf(changes, bytes));
    }
    for (const [i, unit] of units.entries()) {
      const result = results[i];
      if (result === null || result === undefined) {
        // The units before it have written enough for one transaction; the last of them is the largest part.
        this.#leave(units.slice(i), [(units[i - 1] ?? unit).owner]);
        return;
      }
      if (result instanceof RowsLocked) this.#waitForRows(unit);
      else if (result instanceof Problem) unit.owner.fail(result);
      else unit.owner.settle(unit, result, now);
    }
  }

  #waitForRows({ owner, client }: OwnedUnit): void {
    this.locked.add(owner);
    this.#left.add(client);
  }

  /** Leaves units for another transaction, because of pushes that take so much. */
  #leave(units: readonly OwnedUnit[], heavy: readonly QueuedPush[]): void {
    for (const { user } of heavy) {
      this.heavy.add(user.id);
      this.#isolated.add(user.id);
    }
    for (const { client } of units) this.#left.add(client);
  }

  #isTooMuchBesideOthers(owners: readonly QueuedPush[], error: unknown): boolean {
    return this.#isShared && owners.length === 1 && error instanceof TooMuchRead;
  }

  async #divide(owners: readonly QueuedPush[], error: unknown): Promise<void> {
    this.#isWhole = false;
    const size = tookTooLong(error) ? 1 : Math.ceil(owners.length / 2);
    for (let from = 0; from < owners.length; from += size) {
      const part = owners.slice(from, from + size);
      await this.#process(
        part.flatMap(({ units }) => units),
        true,
      );
    }
  }

  /** A push failed alone. */
  async #blame(units: readonly OwnedUnit[], error: unknown): Promise<void> {
    const [first] = units as [OwnedUnit];
    const { owner } = first;
    if (isLockTimeout(error)) return this.#waitForRows(first);
    if (!this.#isWhole) this.#isolated.add(owner.user.id);
    const isOfUpdate = refusesValues(error) || error instanceof TooMuchRead;
    if (isOfUpdate && units.length > 1) {
      const half = Math.ceil(units.length / 2);
      await this.#process(units.slice(0, half), true);
      return this.#process(units.slice(half), true);
    }
    if (isOfUpdate) return this.#refuse(first, error);
    const problem = requestProblem(error);
    if (problem === null) this.#countFailure(error);
    this.fail(owner, problem ?? error);
  }

  #countFailure(error: unknown): void {
    this.#failedAlone++;
    if (tookTooLong(error)) this.#timedOutAlone++;
    const isTooMuch =
      this.#failedAlone >= limits.failuresAlone || this.#timedOutAlone >= limits.timeoutsAlone;
    if (isTooMuch && !this.#hasSucceeded) this.#giveUpError = error;
  }

  async #refuse(unit: OwnedUnit, error: unknown): Promise<void> {
    const refusal: Refusal = {
      client: unit.client,
      id: String(unit.update.id),
      code: refusalCode(error),
      detail: error instanceof TooMuchRead ? error.message : whyRefused(error),
    };
    try {
      this.#settle([unit], await this.#tryCommit([unit], true, [refusal]));
    } catch (failure) {
      // Even the rejection cannot be stored.
      this.fail(
        unit.owner,
        refusesValues(failure) ? new Problem('invalid', refusal.detail) : failure,
      );
    }
  }

  async #tryCommit(
    units: readonly OwnedUnit[],
    wait: boolean,
    refuse: readonly Refusal[],
  ): Promise<CommittedUnits> {
    const tries = this.#triesOf(units);
    const spent = (ms: number) => {
      this.workedMs += ms;
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const [isCharged, isShared] = [this.#isCharged, this.#isShared];
        const how = { refuse, wait, spent, isCharged, isShared };
        return await this.#options.committer.commit(units, how);
      } catch (error) {
        if (!isTransient(error) || tookTooLong(error) || attempt >= tries) throw error;
        // The second try has left out the updates that name a locked row. What is locked now is a row that none of them names.
        if (isLockTimeout(error) && attempt > 1) throw error;
        await this.#options.pause(kFirstPauseMs * 2 ** attempt);
      }
    }
  }

  #triesOf(units: readonly OwnedUnit[]): number {
    const owners = ownersOf(units);
    if (owners.length > 1) return this.#isWhole ? limits.groupTries : limits.partTries;
    const isKnown = owners.some(({ user }) => this.#isolated.has(user.id));
    return isKnown ? limits.groupTries : limits.transactionTries;
  }

  fail(owner: QueuedPush, error: unknown): void {
    if (error instanceof Problem) {
      owner.fail(error);
      return;
    }
    const isBusy = sqlState(error) !== '' || isUnavailable(error) || error instanceof AuthorityGone;
    const what = isBusy ? 'A transaction failed too often, or took too long.' : 'A push failed.';
    const isFull = error instanceof DiskFull;
    // Its beginning was logged.
    if (!isFull) this.#options.log(what, error);
    owner.fail(
      isBusy
        ? new Problem('busy', isFull ? error.message : 'The database is busy; push again.')
        : new Problem('internal', 'The push failed; push again.'),
    );
  }
}

/** Another try would take as long again. */
function tookTooLong(error: unknown): boolean {
  return isTimeout(error) || error instanceof AuthorityTimeout;
}

function refusalCode(error: unknown): string {
  if (error instanceof TooMuchRead) return 'limit';
  return sqlState(error) === '23505' ? 'unique' : 'invalid';
}

/** Errors that another try may not meet. */
function isTransient(error: unknown): boolean {
  if (error instanceof Problem || error instanceof RealmsBusy || refusesValues(error)) return false;
  return sqlState(error) !== '' || isUnavailable(error) || isOfAnother(error);
}
