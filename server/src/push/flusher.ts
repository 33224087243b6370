// Group commit: one flusher per node. Everything that waits, of all clients and realms, goes into one transaction, in
// order of arrival. During its commit the next group gathers, and begins if it is large enough (groups.ts).
// batch-bisection.ts handles a group that fails.
//
// - Updates of realms that another transaction has locked do not wait for it: they, and all later ones of the same
//   clients, go into the next group. Updates that were postponed twice get a transaction of their own that waits.
// - Updates that a transaction left undecided, because those before them write enough, go into a later one: behind
//   all others if their own user writes so much, otherwise in front.
// - If an update is postponed, so is every later one of its client.
// - The cost of a transaction is charged to its users, and a user who has had more than a share is delayed
//   (cost/shares.ts).

import { Counts } from '../base/counts.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Shares } from '../cost/shares.ts';
import type { Caller } from '../rights/rights.ts';
import { BatchBisection, type BisectionOptions } from './batch-bisection.ts';
import { isLarge, nextGroup, type PushGroup } from './groups.ts';
import { IsolatedUsers } from './isolated-users.ts';
import { RealmsBusy, RowsLocked } from './locks.ts';
import { type CheckedPush, type PushOutcome, QueuedPush } from './queued-push.ts';

export type { CheckedPush, PushOutcome } from './queued-push.ts';

export interface FlusherOptions extends BisectionOptions {
  readonly shares: Pick<Shares, 'charge' | 'restMs'>;
  /** A monotonic clock, in ms. */
  readonly now?: () => number;
}

export class Flusher {
  readonly #options: FlusherOptions;
  readonly #now: () => number;
  readonly #isolated: IsolatedUsers;
  #queue: QueuedPush[] = [];
  readonly #underWay = new Map<PushGroup<QueuedPush>, Promise<void>>();
  #waitingBytes = 0;
  /** How many pushes of each user are in the queue. */
  readonly #waitingOf = new Counts();
  #gathering: Promise<void> | null = null;
  /** Runs while pushes of delayed users wait. */
  #rested: NodeJS.Timeout | undefined;
  /** Users who had a group alone since other users had one. */
  readonly #hadAlone = new Set<string>();
  #closed = false;

  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#isolated = new IsolatedUsers(this.#now);
  }

  push(request: CheckedPush): Promise<PushOutcome> {
    request.signal?.throwIfAborted();
    if (this.#closed) throw new Problem('stopping', 'The server is stopping.');
    if (this.#waitingOf.of(request.user.id) >= limits.waitingPushesPerUser) {
      throw new Problem('rate_limited', 'Too many pushes of this user are waiting; push again.');
    }
    if (!this.#makeRoom(request)) {
      throw new Problem('busy', 'Too many pushes are waiting; push again.');
    }
    const waiting = new QueuedPush(request);
    this.#enqueue([waiting], this.#queue.length);
    this.#gathering ??= this.#gather();
    const { signal } = request;
    signal?.addEventListener('abort', () => this.#drop(waiting, signal.reason), { once: true });
    return waiting.answer;
  }

  /**
   * Whether one more push can wait. For a user who is not delayed, a delayed one makes room: the newest push of the
   * delayed user with most.
   */
  #makeRoom({ user, bytes }: CheckedPush): boolean {
    let tooMany = this.#queue.length + 1 - limits.waitingPushes;
    let tooLong = this.#waitingBytes + bytes - limits.waitingBytes;
    if (tooMany <= 0 && tooLong <= 0) return true;
    const restOf = this.#rests();
    if (restOf(user) > 0) return false;
    const resting = this.#queue.filter((waiting) => restOf(waiting.user) > 0);
    const all = resting.reduce((sum, waiting) => sum + waiting.bytes, 0);
    if (resting.length < tooMany || all < tooLong) return false;
    const countOf = (waiting: QueuedPush) => this.#waitingOf.of(waiting.user.id);
    for (const waiting of resting.reverse().sort((a, b) => countOf(b) - countOf(a))) {
      if (tooMany <= 0 && tooLong <= 0) break;
      tooMany--;
      tooLong -= waiting.bytes;
      this.#drop(
        waiting,
        new Problem('rate_limited', 'This user has used more than a share; push again.'),
      );
    }
    return true;
  }

  /** The delays of users, each looked up once. */
  #rests(): (user: Caller) => number {
    const rests = new Map<string, number>();
    return ({ id }) => {
      const rest = this.#closed ? 0 : (rests.get(id) ?? this.#options.shares.restMs(id));
      rests.set(id, rest);
      return rest;
    };
  }

  /** Removes a push whose caller no longer waits, unless it is in progress. */
  #drop(waiting: QueuedPush, reason: unknown): void {
    const at = this.#queue.indexOf(waiting);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#noLonger(waiting);
    waiting.fail(reason);
  }

  /** Accepts nothing more, and resolves when all accepted pushes have been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#launch();
    while (this.#gathering !== null || this.#underWay.size > 0) {
      await (this.#gathering ?? Promise.race(this.#underWay.values()));
    }
  }

  /** One turn of the event loop gathers pushes that arrive together. */
  async #gather(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#gathering = null;
    this.#launch();
  }

  /** Waiting pushes of users who are not delayed; users who have had a group alone come last. */
  #awake(): QueuedPush[] {
    clearTimeout(this.#rested);
    const restOf = this.#rests();
    const waits = this.#waitsForRows();
    const rests: number[] = [];
    const awake = this.#queue.filter(({ user, client }) => {
      const rest = Math.max(restOf(user), waits.get(client) ?? 0);
      if (rest > 0) rests.push(rest);
      return rest === 0;
    });
    const least = Math.min(...rests);
    if (rests.length > 0) this.#rested = setTimeout(() => this.#launch(), least);
    return [
      ...awake.filter((waiting) => !this.#hasHadAlone(waiting)),
      ...awake.filter((waiting) => this.#hasHadAlone(waiting)),
    ];
  }

  /** By client, how long its pushes rest because one of them waits for rows: no later one comes before it. */
  #waitsForRows(): ReadonlyMap<string, number> {
    const waits = new Map<string, number>();
    if (this.#closed) return waits;
    const now = this.#now();
    for (const push of this.#queue) {
      const rest = push.restMs(now);
      if (rest > 0) waits.set(push.client, Math.max(rest, waits.get(push.client) ?? 0));
    }
    return waits;
  }

  #hasHadAlone({ user }: QueuedPush): boolean {
    return this.#hadAlone.has(user.id);
  }

  #launch(): void {
    while (this.#underWay.size < limits.groupsUnderWay) {
      const isAlone = (waiting: QueuedPush) =>
        this.#isolated.has(waiting.user.id) || isLarge(waiting);
      const awake = this.#awake();
      const group = nextGroup(awake, [...this.#underWay.keys()], isAlone);
      if (group === null) return;
      const taken = new Set(group.pushes);
      if (group.only !== null) this.#hadAlone.add(group.only);
      else if (!awake.some((waiting) => isAlone(waiting) && !this.#hasHadAlone(waiting))) {
        // Others have had a group, and no user's first turn is due.
        this.#hadAlone.clear();
      }
      this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
      for (const waiting of taken) this.#noLonger(waiting);
      const flushed = this.#flush(group).finally(() => {
        this.#underWay.delete(group);
        this.#launch();
      });
      this.#underWay.set(group, flushed);
    }
  }

  async #flush({ pushes, wait: waits }: PushGroup<QueuedPush>): Promise<void> {
    const bisection = new BatchBisection(this.#options, this.#isolated);
    let current = pushes;
    let wait = waits;
    const passedOver = new Set<QueuedPush>();
    for (;;) {
      try {
        await bisection.process(
          current.flatMap(({ units }) => units),
          wait,
        );
        break;
      } catch (error) {
        if (!(error instanceof RealmsBusy)) {
          for (const waiting of current) bisection.fail(waiting, error);
          break;
        }
        const rest = postpone(current, error.realms, passedOver);
        // The busy realm is none that they name, but that of an object which one of them needs.
        if (rest.length === current.length) wait = true;
        current = rest;
      }
    }
    const done = pushes.filter((waiting) => !passedOver.has(waiting));
    this.#charge(done, bisection);
    for (const waiting of passedOver) waiting.passedOver++;
    for (const waiting of bisection.locked) {
      if (this.#closed) waiting.fail(new RowsLocked());
      else waiting.waitForRows(this.#now());
    }
    const left = current.filter(isToBeGoneOnWith);
    const isHeavy = ({ user }: QueuedPush) => bisection.heavy.has(user.id);
    // In order of arrival, which is the order of each client.
    const again = pushes.filter((waiting) => passedOver.has(waiting) && isToBeGoneOnWith(waiting));
    this.#enqueue([...left.filter((waiting) => !isHeavy(waiting)), ...again], 0);
    for (const waiting of left.filter(isHeavy).reverse()) {
      const behind = this.#queue.findIndex(({ client }) => client === waiting.client);
      this.#enqueue([waiting], behind < 0 ? this.#queue.length : behind);
    }
    // Otherwise one transaction would follow another, and no caller would be read in between.
    if (left.some((waiting) => !bisection.locked.has(waiting)))
      await this.#options.pause(limits.pauseBesideLeftMs);
  }

  /** Divides the cost of a group among its users, by what their pushes look up, send, and have changed. */
  #charge(pushes: readonly QueuedPush[], { workedMs, changedBy }: BatchBisection): void {
    const clients = new Map(pushes.map(({ client, user }) => [client, user.id]));
    const ofUser = new Counts();
    for (const { user, weight } of pushes) ofUser.add(user.id, weight);
    for (const [client, weight] of changedBy) ofUser.add(clients.get(client) ?? '', weight);
    const all = ofUser.sum();
    for (const [user, weight] of ofUser)
      this.#options.shares.charge(user, (workedMs * weight) / all);
  }

  #enqueue(pushes: readonly QueuedPush[], at: number): void {
    this.#queue.splice(at, 0, ...pushes);
    for (const { bytes, user } of pushes) {
      this.#waitingBytes += bytes;
      this.#waitingOf.add(user.id);
    }
  }

  /** Removes the push from the counts of the queue. */
  #noLonger({ bytes, user }: QueuedPush): void {
    this.#waitingBytes -= bytes;
    this.#waitingOf.remove(user.id);
  }
}

/** Whether a part of a push is still to be done, for a caller who has not disconnected meanwhile. */
function isToBeGoneOnWith(waiting: QueuedPush): boolean {
  const { signal } = waiting;
  if (signal?.aborted) waiting.fail(signal.reason);
  return waiting.units.length > 0;
}

/** Postpones pushes that touch busy realms, with all later pushes of those clients; returns the rest, in order. */
function postpone(
  group: readonly QueuedPush[],
  realms: ReadonlySet<string>,
  postponed: Set<QueuedPush>,
): QueuedPush[] {
  const clients = new Set<string>();
  return group.filter((waiting) => {
    const { client } = waiting;
    const busy = waiting.realms.some((realm) => realms.has(realm));
    if (!busy && !clients.has(client)) return true;
    clients.add(client);
    postponed.add(waiting);
    return false;
  });
}
