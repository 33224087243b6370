// What others have invited the user to: a list is seen once its invitation is accepted.
import type { Demo } from './database.js';
import { byId, make } from './dom.js';

type Invitation = Demo['realms']['invitations']['value'][number];

export function showInvitations({ realms }: Demo, run: (run: () => void) => void): void {
  const button = (label: string, act: () => void) => {
    const made = make('button', { type: 'button' }, label);
    made.addEventListener('click', () => run(act));
    return made;
  };
  const item = ({ realm, by, role }: Invitation) =>
    make(
      'li',
      { 'data-invitation': realm },
      make('span', {}, make('b', {}, by), ` invites you to a list, as ${role}.`),
      button('Accept', () => realms.accept(realm)),
      button('Decline', () => realms.decline(realm)),
    );
  realms.invitations.subscribe((invitations) =>
    byId('invitations').replaceChildren(...invitations.map(item)),
  );
}
