// Group commit: one flusher a node. Everything that waits, of all clients and realms, goes into one transaction, in the
// order in which it came; while that commits, the next group gathers, and begins if it is large enough (groups.ts).
//
// - SQLSTATE classes 22 and 23 mean that the database refuses some value: the group is halved, in order, each half admitted
//   anew, until the update that is at fault stands alone and is refused (and the refusal committed). All else is tried
//   again, with a bound; then the callers are told to come again.
// - Realms that another transaction holds are not waited for: their updates, and all later ones of the same clients, go
//   into the next group; what was passed over twice gets a waiting transaction of its own.
// - When an update is postponed, so is every later one of its client.

import type { User } from '../auth/auth.ts';
import { requestProblem } from '../authority/authority.ts';
import { isTimeout, isUnavailable, refusesValues, sqlState } from '../db/database.ts';
import type { JsonObject } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { limits } from '../limits.ts';
import type { Committed, Committer, Refusal } from './commit.ts';
import type { Entry, Result } from './done.ts';
import { type Group, type Grouped, nextGroup } from './groups.ts';
import { RealmsBusy, realmsNamed, type Unit } from './locks.ts';

export interface PushRequest {
  readonly client: string;
  readonly user: User;
  readonly epoch: number | null;
  readonly updates: readonly JsonObject[];
  /** The size of the request's text. */
  readonly bytes: number;
  /** Aborted when the caller has gone: a push that still waits is dropped, one under way is finished. */
  readonly signal?: AbortSignal | undefined;
}

export interface PushAnswer {
  readonly time: number;
  readonly results: readonly Result[];
}

export interface FlusherOptions {
  readonly committer: Pick<Committer, 'commit'>;
  /** Told of what was committed, before the callers are. */
  readonly committed: (entries: readonly Entry[]) => void;
  /** Pauses before a transaction is tried again. */
  readonly pause: (ms: number) => Promise<void>;
  readonly log: (message: string, error: unknown) => void;
}

const kFirstPauseMs = 5;

/** A push that waits for its results. */
class Waiting implements Grouped {
  readonly client: string;
  readonly user: string;
  readonly realms: readonly string[];
  readonly units: readonly Unit[];
  readonly bytes: number;
  readonly answer: Promise<PushAnswer>;
  passedOver = 0;
  #time = 0;
  readonly #results = new Map<Unit, Result>();
  #resolve!: (answer: PushAnswer) => void;
  #reject!: (error: unknown) => void;

  constructor({ client, user, epoch, updates, bytes }: PushRequest) {
    this.client = client;
    this.user = user.id;
    this.realms = [...new Set(updates.flatMap(realmsNamed))];
    this.bytes = bytes;
    this.units = updates.map((update) => ({ client, user, epoch, update }));
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get updates(): number {
    return this.units.length;
  }

  settle(unit: Unit, result: Result, time: number): void {
    this.#results.set(unit, result);
    this.#time = time;
    if (this.#results.size < this.units.length) return;
    const results = this.units.map((one) => this.#results.get(one) as Result);
    this.#resolve({ time: this.#time, results });
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}

export class Flusher {
  readonly #options: FlusherOptions;
  #queue: Waiting[] = [];
  readonly #owner = new Map<Unit, Waiting>();
  readonly #underWay = new Map<Group<Waiting>, Promise<void>>();
  #waitingBytes = 0;
  #gathering: Promise<void> | null = null;
  #closed = false;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  push(request: PushRequest): Promise<PushAnswer> {
    if (this.#closed) throw new Problem('stopping', 'The server is stopping.');
    const full =
      this.#queue.length >= limits.waitingPushes ||
      this.#waitingBytes + request.bytes > limits.waitingBytes;
    const mine = this.#queue.reduce(
      (count, { user }) => count + (user === request.user.id ? 1 : 0),
      0,
    );
    if (mine >= limits.waitingPushesPerUser) {
      throw new Problem('rate_limited', 'Too many pushes of this user are waiting; push again.');
    }
    if (full) {
      throw new Problem('busy', 'Too many pushes are waiting; push again.');
    }
    const waiting = new Waiting(request);
    for (const unit of waiting.units) this.#owner.set(unit, waiting);
    this.#queue.push(waiting);
    this.#waitingBytes += waiting.bytes;
    this.#gathering ??= this.#gather();
    const { signal } = request;
    signal?.addEventListener('abort', () => this.#drop(waiting, signal.reason), { once: true });
    return waiting.answer;
  }

  /** Takes out a push that nobody waits for any more, unless it is under way. */
  #drop(waiting: Waiting, reason: unknown): void {
    const at = this.#queue.indexOf(waiting);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#waitingBytes -= waiting.bytes;
    for (const unit of waiting.units) this.#owner.delete(unit);
    waiting.fail(reason);
  }

  /** Takes nothing more, and resolves when all that was taken has been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#gathering !== null || this.#underWay.size > 0) {
      await (this.#gathering ?? Promise.race(this.#underWay.values()));
    }
  }

  /** One turn of the event loop gathers what arrived together. */
  async #gather(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#gathering = null;
    this.#launch();
  }

  #launch(): void {
    while (this.#underWay.size < limits.groupsUnderWay) {
      const group = nextGroup(this.#queue, [...this.#underWay.keys()]);
      if (group === null) return;
      const taken = new Set(group.pushes);
      this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
      for (const { bytes } of taken) this.#waitingBytes -= bytes;
      const flushed = this.#flush(group).finally(() => {
        this.#underWay.delete(group);
        this.#launch();
      });
      this.#underWay.set(group, flushed);
    }
  }

  async #flush({ pushes, wait: waits }: Group<Waiting>): Promise<void> {
    let current = pushes;
    let wait = waits;
    const passedOver: Waiting[] = [];
    for (;;) {
      try {
        await this.#process(
          current.flatMap(({ units }) => units),
          wait,
        );
        break;
      } catch (error) {
        if (!(error instanceof RealmsBusy)) {
          for (const waiting of current) this.#finish(waiting, error);
          break;
        }
        const rest = postpone(current, error.realms, passedOver);
        // A realm that none of them names, but that of an object which one of them needs.
        if (rest.length === current.length) wait = true;
        current = rest;
      }
    }
    for (const waiting of passedOver) {
      waiting.passedOver++;
      this.#waitingBytes += waiting.bytes;
    }
    this.#queue.unshift(...passedOver);
    for (const waiting of current) for (const unit of waiting.units) this.#owner.delete(unit);
  }

  #finish(waiting: Waiting, error: unknown): void {
    if (!(error instanceof Problem)) this.#options.log('A push failed.', error);
    waiting.fail(
      error instanceof Problem ? error : new Problem('internal', 'The push failed; push again.'),
    );
  }

  /** Commits the units, halving the group where the database or the authority refuses it as a whole. */
  async #process(units: readonly Unit[], wait: boolean): Promise<void> {
    if (units.length === 0) return;
    let committed: Committed;
    try {
      committed = await this.#tryCommit(units, wait, []);
    } catch (error) {
      if (error instanceof RealmsBusy) throw error;
      return this.#divide(units, error);
    }
    this.#settle(units, committed);
  }

  #settle(units: readonly Unit[], { results, entries, now }: Committed): void {
    this.#options.committed(entries);
    for (const [i, unit] of units.entries()) {
      const result = results[i];
      const waiting = this.#owner.get(unit);
      if (result instanceof Problem || result === undefined) waiting?.fail(result);
      else waiting?.settle(unit, result, now);
    }
  }

  async #divide(units: readonly Unit[], error: unknown): Promise<void> {
    const problem = requestProblem(error);
    const owners = [...new Set(units.map((unit) => this.#owner.get(unit)))];
    if (refusesValues(error) && units.length === 1) {
      const [unit] = units as [Unit];
      return this.#refuse(unit, error);
    }
    // A request that the authority cannot read is answered as a whole; a value that SQL cannot hold is its update's.
    const divisible =
      problem === null ? refusesValues(error) && units.length > 1 : owners.length > 1;
    if (!divisible) {
      for (const owner of owners) if (owner) this.#finish(owner, problem ?? error);
      return;
    }
    const half = Math.ceil(owners.length / 2);
    const early = new Set(owners.slice(0, half));
    const cut =
      owners.length > 1
        ? units.filter((unit) => early.has(this.#owner.get(unit))).length
        : Math.ceil(units.length / 2);
    await this.#process(units.slice(0, cut), true);
    await this.#process(units.slice(cut), true);
  }

  async #refuse(unit: Unit, error: unknown): Promise<void> {
    const refusal: Refusal = {
      client: unit.client,
      id: String(unit.update.id),
      code: sqlState(error).startsWith('23') ? 'unique' : 'invalid',
      detail: 'The database cannot hold a value of this update.',
    };
    try {
      this.#settle([unit], await this.#tryCommit([unit], true, [refusal]));
    } catch (failure) {
      const owner = this.#owner.get(unit);
      if (owner) this.#finish(owner, failure);
    }
  }

  async #tryCommit(
    units: readonly Unit[],
    wait: boolean,
    refuse: readonly Refusal[],
  ): Promise<Committed> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#options.committer.commit(units, { refuse, wait });
      } catch (error) {
        const again = isTransient(error);
        if (!again) throw error;
        if (attempt >= limits.transactionTries || isTimeout(error)) {
          this.#options.log('A transaction failed too often, or took too long.', error);
          throw new Problem('busy', 'The database is busy; push again.');
        }
        await this.#options.pause(kFirstPauseMs * 2 ** attempt);
      }
    }
  }
}

/** Errors of the database or of the way to it that another try may not meet. */
function isTransient(error: unknown): boolean {
  if (error instanceof Problem || error instanceof RealmsBusy || refusesValues(error)) return false;
  return sqlState(error) !== '' || isUnavailable(error);
}

/** Takes out what touches busy realms, with all later pushes of those clients; returns the rest, in order. */
function postpone(
  group: readonly Waiting[],
  realms: ReadonlySet<string>,
  postponed: Waiting[],
): Waiting[] {
  const clients = new Set<string>();
  return group.filter((waiting) => {
    const { client } = waiting;
    const busy = waiting.realms.some((realm) => realms.has(realm));
    if (!busy && !clients.has(client)) return true;
    clients.add(client);
    postponed.push(waiting);
    return false;
  });
}
