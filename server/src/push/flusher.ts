// Group commit: one flusher a node. Everything that waits, of all clients and realms, goes into one transaction, in the
// order in which it came; while that commits, the next group gathers, and begins if it is large enough (groups.ts). What
// becomes of a group that fails is in division.ts.
//
// - Realms that another transaction holds are not waited for: their updates, and all later ones of the same clients, go
//   into the next group; what was passed over twice gets a waiting transaction of its own.
// - What a transaction left undecided, because what came before it writes enough, goes into a later one: behind all that
//   waits if it is its own user who writes so much, else in front.
// - When an update is postponed, so is every later one of its client.
// - What a transaction has cost is charged to its users, and who has had more than a share rests (cost/shares.ts).

import type { User } from '../auth/auth.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { Counts } from '../cost/counts.ts';
import type { Shares } from '../cost/shares.ts';
import { Division, type DivisionOptions } from './division.ts';
import { type Group, isLarge, nextGroup } from './groups.ts';
import { RealmsBusy } from './locks.ts';
import { UsersApart } from './users-apart.ts';
import { type PushAnswer, type PushRequest, Waiting } from './waiting.ts';

export type { PushAnswer, PushRequest } from './waiting.ts';

export interface FlusherOptions extends DivisionOptions {
  readonly shares: Pick<Shares, 'charge' | 'restMs'>;
  /** A clock that only goes on, in ms. */
  readonly now?: () => number;
}

export class Flusher {
  readonly #options: FlusherOptions;
  readonly #apart: UsersApart;
  #queue: Waiting[] = [];
  readonly #underWay = new Map<Group<Waiting>, Promise<void>>();
  #waitingBytes = 0;
  /** How many pushes of each user are in the queue. */
  readonly #waitingOf = new Counts();
  #gathering: Promise<void> | null = null;
  /** Runs while pushes wait whose users rest. */
  #rested: NodeJS.Timeout | undefined;
  /** Who had a group alone since others had one. */
  readonly #hadAlone = new Set<string>();
  #closed = false;

  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#apart = new UsersApart(options.now ?? (() => performance.now()));
  }

  push(request: PushRequest): Promise<PushAnswer> {
    request.signal?.throwIfAborted();
    if (this.#closed) throw new Problem('stopping', 'The server is stopping.');
    if (this.#waitingOf.of(request.user.id) >= limits.waitingPushesPerUser) {
      throw new Problem('rate_limited', 'Too many pushes of this user are waiting; push again.');
    }
    if (!this.#makeRoom(request)) {
      throw new Problem('busy', 'Too many pushes are waiting; push again.');
    }
    const waiting = new Waiting(request);
    this.#enqueue([waiting], this.#queue.length);
    this.#gathering ??= this.#gather();
    const { signal } = request;
    signal?.addEventListener('abort', () => this.#drop(waiting, signal.reason), { once: true });
    return waiting.answer;
  }

  /** Whether one more push can wait. For a user who does not rest, those who do make room: the newest of who has most. */
  #makeRoom({ user, bytes }: PushRequest): boolean {
    let tooMany = this.#queue.length + 1 - limits.waitingPushes;
    let tooLong = this.#waitingBytes + bytes - limits.waitingBytes;
    if (tooMany <= 0 && tooLong <= 0) return true;
    const restOf = this.#rests();
    if (restOf(user) > 0) return false;
    const resting = this.#queue.filter((waiting) => restOf(waiting.user) > 0);
    const all = resting.reduce((sum, waiting) => sum + waiting.bytes, 0);
    if (resting.length < tooMany || all < tooLong) return false;
    const countOf = (waiting: Waiting) => this.#waitingOf.of(waiting.user.id);
    for (const waiting of resting.reverse().sort((a, b) => countOf(b) - countOf(a))) {
      if (tooMany <= 0 && tooLong <= 0) break;
      tooMany--;
      tooLong -= waiting.bytes;
      this.#drop(waiting, new Problem('rate_limited', 'This user has had much; push again.'));
    }
    return true;
  }

  /** How long users rest, each looked at once. */
  #rests(): (user: User) => number {
    const rests = new Map<string, number>();
    return ({ id }) => {
      const rest = this.#closed ? 0 : (rests.get(id) ?? this.#options.shares.restMs(id));
      rests.set(id, rest);
      return rest;
    };
  }

  /** Takes out a push that nobody waits for any more, unless it is under way. */
  #drop(waiting: Waiting, reason: unknown): void {
    const at = this.#queue.indexOf(waiting);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#noLonger(waiting);
    waiting.fail(reason);
  }

  /** Takes nothing more, and resolves when all that was taken has been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#launch();
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

  /** What waits of users who need not rest; of those who have had a group to themselves, behind the others'. */
  #awake(): Waiting[] {
    clearTimeout(this.#rested);
    const restOf = this.#rests();
    const awake = this.#queue.filter(({ user }) => restOf(user) === 0);
    const rests = this.#queue.map(({ user }) => restOf(user)).filter((rest) => rest > 0);
    const least = Math.min(...rests);
    if (rests.length > 0) this.#rested = setTimeout(() => this.#launch(), least);
    return [
      ...awake.filter((waiting) => !this.#hasHadAlone(waiting)),
      ...awake.filter((waiting) => this.#hasHadAlone(waiting)),
    ];
  }

  #hasHadAlone({ user }: Waiting): boolean {
    return this.#hadAlone.has(user.id);
  }

  #launch(): void {
    while (this.#underWay.size < limits.groupsUnderWay) {
      const isAlone = (waiting: Waiting) => this.#apart.has(waiting.user.id) || isLarge(waiting);
      const awake = this.#awake();
      const group = nextGroup(awake, [...this.#underWay.keys()], isAlone);
      if (group === null) return;
      const taken = new Set(group.pushes);
      if (group.only !== null) this.#hadAlone.add(group.only);
      else if (!awake.some((waiting) => isAlone(waiting) && !this.#hasHadAlone(waiting))) {
        // Others have had a group, and nobody's first turn is due.
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

  async #flush({ pushes, wait: waits }: Group<Waiting>): Promise<void> {
    const division = new Division(this.#options, this.#apart);
    let current = pushes;
    let wait = waits;
    const passedOver = new Set<Waiting>();
    for (;;) {
      try {
        await division.process(
          current.flatMap(({ units }) => units),
          wait,
        );
        break;
      } catch (error) {
        if (!(error instanceof RealmsBusy)) {
          for (const waiting of current) division.fail(waiting, error);
          break;
        }
        const rest = postpone(current, error.realms, passedOver);
        // A realm that none of them names, but that of an object which one of them needs.
        if (rest.length === current.length) wait = true;
        current = rest;
      }
    }
    const done = pushes.filter((waiting) => !passedOver.has(waiting));
    this.#charge(done, division);
    for (const waiting of passedOver) waiting.passedOver++;
    const left = current.filter(isToBeGoneOnWith);
    const isHeavy = ({ user }: Waiting) => division.heavy.has(user.id);
    // In the order in which they came, which is that of each client.
    const again = pushes.filter((waiting) => passedOver.has(waiting) && isToBeGoneOnWith(waiting));
    this.#enqueue([...left.filter((waiting) => !isHeavy(waiting)), ...again], 0);
    for (const waiting of left.filter(isHeavy).reverse()) {
      const behind = this.#queue.findIndex(({ client }) => client === waiting.client);
      this.#enqueue([waiting], behind < 0 ? this.#queue.length : behind);
    }
    // Else transaction would follow transaction, and nobody who calls meanwhile be heard.
    if (left.length > 0) await this.#options.pause(limits.pauseBesideLeftMs);
  }

  /** Divides what a group has cost among its users, by what their pushes look up, send, and have changed. */
  #charge(pushes: readonly Waiting[], { workedMs, changedBy }: Division): void {
    const clients = new Map(pushes.map(({ client, user }) => [client, user.id]));
    const ofUser = new Counts();
    for (const { user, weight } of pushes) ofUser.add(user.id, weight);
    for (const [client, weight] of changedBy) ofUser.add(clients.get(client) ?? '', weight);
    const all = ofUser.sum();
    for (const [user, weight] of ofUser)
      this.#options.shares.charge(user, (workedMs * weight) / all);
  }

  #enqueue(pushes: readonly Waiting[], at: number): void {
    this.#queue.splice(at, 0, ...pushes);
    for (const { bytes, user } of pushes) {
      this.#waitingBytes += bytes;
      this.#waitingOf.add(user.id);
    }
  }

  /** It has left the queue. */
  #noLonger({ bytes, user }: Waiting): void {
    this.#waitingBytes -= bytes;
    this.#waitingOf.remove(user.id);
  }
}

/** Whether some of a push is left to be done, for a caller who has not gone while it was under way. */
function isToBeGoneOnWith(waiting: Waiting): boolean {
  const { signal } = waiting;
  if (signal?.aborted) waiting.fail(signal.reason);
  return waiting.units.length > 0;
}

/** Takes out what touches busy realms, with all later pushes of those clients; returns the rest, in order. */
function postpone(
  group: readonly Waiting[],
  realms: ReadonlySet<string>,
  postponed: Set<Waiting>,
): Waiting[] {
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
