// Which pushes go into the next transaction of the flusher: of each user no more than an equal share of it, so that one with
// many clients keeps no other waiting. A group that is large enough does not wait for the end of the one before: PostgreSQL
// writes the one while the other is admitted. No two groups under way have a client or a realm in common, so that none
// waits for the other's locks; what has to wait for one of them holds back all that came after it for its client and its
// realms.

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
  /** How often it was left out because a realm was busy. */
  readonly passedOver: number;
}

export interface Group<Push> {
  readonly pushes: readonly Push[];
  /** Whether its transaction waits for realms that are busy. */
  readonly wait: boolean;
  /** Whose pushes share it with nobody's (`isAlone` below); null: it has room for anybody's. */
  readonly only: string | null;
}

const kPassedOverAtMost = 2;

/** The clients and realms of some pushes. */
class Named {
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

/** Realms, whole, up to a share of the queue: one that is split would keep its other half waiting. */
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

  /** Whether a push still falls into it; if so, then all others of its realms do. */
  take({ realms }: Grouped): boolean {
    let more = 0;
    for (const realm of realms) more += this.#ofRealm.get(realm) ?? 0;
    if (more > 0 && this.#promised > 0 && this.#promised + more > this.#most) return false;
    this.#promised += more;
    for (const realm of realms) this.#ofRealm.delete(realm);
    return true;
  }
}

/** What each user may have in one transaction: the others wait for all of it. */
class UserShare {
  readonly #users: number;
  readonly #ofUser = new Map<string, { updates: number; written: number }>();

  constructor(queue: readonly Grouped[]) {
    this.#users = Math.max(1, new Set(queue.map(({ user }) => user.id)).size);
  }

  /** Whether a push still falls into it. The first always does; after one that did not, none of its user does. */
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
 * Chooses from what waits, in the order of its coming, of each user its share; null where the end of a group under way is
 * better waited for. Pushes of which `isAlone` is true are grouped with others of their user only, and one such group is under
 * way at a time.
 */
export function nextGroup<Push extends Grouped>(
  queue: readonly Push[],
  underWay: readonly Group<Push>[],
  isAlone: (push: Push) => boolean,
): Group<Push> | null {
  const kept = new Named();
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
      // Others of its realms need not wait for it.
      kept.addClient(push);
      continue;
    }
    if (kept.meets(push) || !share.take(push)) {
      // The place is kept for it, too, or those of free realms would go first for ever.
      isAloneUnderWay ||= isAlone(push);
      kept.add(push);
      continue;
    }
    // Its realms are not kept: what other users push to them comes now, and this one's in a later turn.
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
  // A few updates cost less in the next group than in one of their own beside another, but for one that takes long.
  const isWorthIt =
    only !== null ||
    updates >= limits.updatesBesideAnother ||
    underWay.every((group) => group.only !== null);
  return taken.length > 0 && isWorthIt ? { pushes: taken, wait: false, only } : null;
}

/** Whether a push takes long enough to keep others waiting. */
export function isLarge({ cost: { keys, written } }: Grouped): boolean {
  return keys > limits.keysApart || written > limits.bytesApart;
}
