/** `db.realms.invitations`: memberships that others have made for the user, and that wait to be accepted. */
import { keepDate } from '../core/kept.ts';
import { type Role, roles } from '../core/members.ts';
import { sameItems } from '../core/row-view.ts';
import { Listeners } from './listeners.ts';
import type { Live, Stop } from './types.ts';

/** An invitation to a realm: it gives no right until it is accepted. */
export interface Invitation {
  readonly realm: string;
  readonly role: Role;
  /** The user who has invited. */
  readonly by: string;
  readonly at: Date;
}

const keyOf = ({ realm, role, by, at }: Invitation) => `${role} ${realm} ${+at} ${by}`;

/** Any script of the origin may have written to the database. */
function isInvitation(given: unknown): given is Omit<Invitation, 'at'> & { readonly at: number } {
  if (typeof given !== 'object' || given === null) return false;
  const { realm, role, by, at } = given as Record<string, unknown>;
  return (
    typeof realm === 'string' &&
    typeof by === 'string' &&
    typeof at === 'number' &&
    roles.includes(role as Role)
  );
}

/** Those that the server has told of, without those that were answered here. */
export class Invitations implements Live<readonly Invitation[]> {
  readonly #isAnswered: (realm: string) => boolean;
  readonly #listeners = new Listeners<readonly Invitation[]>();
  #told: readonly Invitation[] = [];
  #value: readonly Invitation[] = Object.freeze([]);

  constructor(isAnswered: (realm: string) => boolean) {
    this.#isAnswered = isAnswered;
  }

  /** The same array until it changes. */
  get value(): readonly Invitation[] {
    const value = this.#told.filter(({ realm }) => !this.#isAnswered(realm));
    if (!sameItems(value.map(keyOf), this.#value.map(keyOf))) this.#value = Object.freeze(value);
    return this.#value;
  }

  subscribe(fn: (value: readonly Invitation[]) => void): Stop {
    let last = this.value;
    return this.#listeners.add((value) => {
      if (value === last) return;
      last = value;
      fn(value);
    });
  }

  has(realm: string): boolean {
    return this.value.some((invitation) => invitation.realm === realm);
  }

  /** The state of the window has changed: what the server has told of, or what is pending here. */
  update(told: readonly unknown[] | null): void {
    this.#told = (Array.isArray(told) ? told : [])
      .filter(isInvitation)
      .map(({ realm, role, by, at: ms }) => {
        const invitation = { realm, role, by };
        keepDate(invitation, 'at', ms);
        return Object.freeze(invitation) as Invitation;
      });
    this.#listeners.notify(this.value);
  }
}
