// Chooses the pushes of the flusher's next transaction: at most an equal share per user, so that a user with many
// clients delays no other. A group that is large enough does not wait for the end of the previous one: PostgreSQL
// writes that one while the new one is admitted. Two concurrent groups never have a client or a realm in common, so
// that neither waits for the other's locks. A push that must wait for a group also holds back all later pushes of its
// client and its realms.

import { limits } from '../base/limits.ts';
import type { PushCost } from '../cost/push-cost.ts';

/** A push that waits for its transaction. */
export interface Grouped {
  readonly client: string;
  readonly user: { readonly id: string };
  readonly realms: readonly string[];
  /** How many updates it has. */
  readonly updates: number;
  readonly cost: PushCost;
  /** How often it was left out because a realm was locked. */
  readonly passedOver: number;
}

export interface PushGroup<Push> {
  readonly pushes: readonly Push[];
  /** Whether its transaction waits for locked realms. */
  readonly wait: boolean;
  /** The user whose pushes have it alone (`isAlone` below); null: it has room for all users. */
  readonly only: string | null;
}

const kPassedOverAtMost = 2;

/** The clients and realms of some pushes. */
class NamedInPushes {
  readonly #clients = new Set<string>();
  readonly #realms = new Set<string>();

  add({ client, realms }: Grouped): void {
    this.#clients.add(client);
    for (const realm of realms) this.#realms.add(realm);
  }

  addClient({ client }: Grouped): void {
    this.#clients.add(client);
  }

  meets({ client, realms }: Grouped): boolean {
    return this.#clients.has(client) || realms.some((realm) => this.#realms.has(realm));
  }
}

/** Whole realms up to a share of the queue: if one were split, its other half would wait. */
class Share {
  readonly #most: number;
  readonly #ofRealm = new Map<string, number>();
  #promised = 0;

  constructor(queue: readonly Grouped[], groups: number) {
    this.#most = Math.max(limits.updatesBesideAnother, queue.length / groups);
    for (const { realms } of queue) {
      for (const realm of realms) this.#ofRealm.set(realm, (this.#ofRealm.get(realm) ?? 0) + 1);
    }
  }

  /** Whether a push still fits; if so, all others of its realms do. */
  take({ realms }: Grouped): boolean {
    let more = 0;
    for (const realm of realms) more += this.#ofRealm.get(realm) ?? 0;
    if (more > 0 && this.#promised > 0 && this.#promised + more > this.#most) return false;
    this.#promised += more;
    for (const realm of realms) this.#ofRealm.delete(realm);
    return true;
  }
}

/** The limit of each user in one transaction: all other users wait for it. */
class UserShare {
  readonly #users: number;
  readonly #ofUser = new Map<string, { updates: number; written: number }>();

  constructor(queue: readonly Grouped[]) {
    this.#users = Math.max(1, new Set(queue.map(({ user }) => user.id)).size);
  }

  /** Whether a push still fits. The first always does; after one that did not, no later one of its user does. */
  take({ user, updates, cost: { written } }: Grouped): boolean {
    const mine = this.#ofUser.get(user.id);
    if (mine === undefined) {
      this.#ofUser.set(user.id, { updates, written });
      return true;
    }
    mine.updates += updates;
    mine.written += written;
    return (
      mine.updates * this.#users <= limits.updatesPerFlush &&
      mine.written * this.#users <= limits.bytesPerFlush
    );
  }
}

/**
 * Chooses from the waiting pushes, in order of arrival, a share per user; null if it is better to wait for the end of
 * a group in progress. Pushes for which `isAlone` is true are grouped only with others of their user, in one such
 * group at a time.
 */
export function nextGroup<Push extends Grouped>(
  queue: readonly Push[],
  underWay: readonly PushGroup<Push>[],
  isAlone: (push: Push) => boolean,
): PushGroup<Push> | null {
  const kept = new NamedInPushes();
  for (const { pushes } of underWay) for (const push of pushes) kept.add(push);
  const share = new Share(queue, limits.groupsUnderWay - underWay.length);
  const userShare = new UserShare(queue);
  let isAloneUnderWay = underWay.some((group) => group.only !== null);
  const taken: Push[] = [];
  let only: string | null = null;
  let updates = 0;
  let written = 0;
  let keys = 0;
  for (const push of queue) {
    const { id } = push.user;
    const fits = isAlone(push)
      ? !isAloneUnderWay && taken.every(({ user }) => user.id === id)
      : only === null || only === id;
    if (!fits) {
      // Other pushes of its realms need not wait for it.
      kept.addClient(push);
      continue;
    }
    if (kept.meets(push) || !share.take(push)) {
      // Its place is reserved, too, or pushes of free realms would overtake it for ever.
      isAloneUnderWay ||= isAlone(push);
      kept.add(push);
      continue;
    }
    // Its realms are not reserved: other users' pushes to them are chosen now, and this one in a later turn.
    if (!userShare.take(push)) continue;
    updates += push.updates;
    written += push.cost.written;
    keys += push.cost.keys;
    const isFull =
      updates > limits.updatesPerFlush ||
      written > limits.bytesPerFlush ||
      keys > limits.keysPerFlush;
    const waits = push.passedOver >= kPassedOverAtMost;
    if (waits && taken.length === 0) return { pushes: [push], wait: true, only: id };
    if (waits || (isFull && taken.length > 0)) break;
    taken.push(push);
    if (isAlone(push)) only = id;
  }
  // A few updates cost less in the next group than in a concurrent one of their own, unless one of them takes long.
  const isWorthIt =
    only !== null ||
    updates >= limits.updatesBesideAnother ||
    underWay.every((group) => group.only !== null);
  return taken.length > 0 && isWorthIt ? { pushes: taken, wait: false, only } : null;
}

/** Whether a push takes long enough to delay others. */
export function isLarge({ cost: { keys, written } }: Grouped): boolean {
  return keys > limits.keysApart || written > limits.bytesApart;
}
