/** `db.realms.invitations`: memberships that others have made for the user, and that wait to be accepted. */

import { type Role, roles } from '../core/members.ts';
import { keepDate } from '../core/mutable-copy.ts';
import { sameItems } from '../core/row-view.ts';
import type { CallQueue } from './call-queue.ts';
import { Subscribers } from './subscribers.ts';
import type { Live, Stop } from './types.ts';

/** An invitation to a realm: it gives no right until it is accepted. */
export interface Invitation {
  readonly realm: string;
  readonly role: Role;
  /** The user who has invited. */
  readonly by: string;
  readonly at: Date;
}

type Told = Omit<Invitation, 'at'> & { readonly at: number };

/** Any script of the origin may have written to the database. */
const isInvitation = (given: unknown): given is Told => {
  const { realm, role, by, at } = (given ?? {}) as Partial<Told>;
  const isKnown = typeof realm === 'string' && roles.includes(role as Role);
  return isKnown && typeof by === 'string' && typeof at === 'number';
};

const keyOf = ({ realm, role, by, at }: Invitation) => `${role} ${realm} ${+at} ${by}`;

/** Those that the server has told of, without those that were answered here. */
export class Invitations implements Live<readonly Invitation[]> {
  readonly #calls: CallQueue;
  readonly #isAnswered: (realm: string) => boolean;
  readonly #subscribers = new Subscribers(() => this.value);
  #told: readonly Invitation[] = [];
  #value: readonly Invitation[] = Object.freeze([]);
  /** What subscribers have. */
  #said = this.#value;

  constructor(calls: CallQueue, isAnswered: (realm: string) => boolean) {
    this.#calls = calls;
    this.#isAnswered = isAnswered;
  }

  /** The same array until it changes. */
  get value(): readonly Invitation[] {
    const value = this.#told.filter(({ realm }) => !this.#isAnswered(realm));
    if (!sameItems(value.map(keyOf), this.#value.map(keyOf))) this.#value = Object.freeze(value);
    return this.#value;
  }

  subscribe(fn: (value: readonly Invitation[]) => void): Stop {
    return this.#subscribers.add(fn);
  }

  has(realm: string): boolean {
    return this.value.some((invitation) => invitation.realm === realm);
  }

  /** The state of the window has changed: what the server has told of, or what is pending here. */
  update(told: readonly unknown[] | null): void {
    const given: readonly unknown[] = Array.isArray(told) ? told : [];
    this.#told = given.filter(isInvitation).map(({ realm, role, by, at }) => {
      const invitation = { realm, role, by };
      keepDate(invitation, 'at', at);
      return Object.freeze(invitation) as Invitation;
    });
    const { value } = this;
    if (value === this.#said) return;
    this.#said = value;
    this.#calls.add(this.#subscribers.calls(value));
    this.#calls.run();
  }
}
