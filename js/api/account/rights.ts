/** What is logged from outside of the core is held to the user's own role, as a transaction is. */
import { ReadOnlyError } from '../../core/errors.ts';
import { membershipId, membersTable } from '../../core/members.ts';
import type { DatabaseCore } from '../database-core.ts';
import type { PlainMutation, PlainOp } from './portable-core.ts';

/** Whether no membership that is known here forbids to change rows of the realm. */
export function mayWrite({ parts }: DatabaseCore, realm: string): boolean {
  return parts.realms.role(realm) !== 'reader';
}

/** Refuses all of them if one is forbidden by a membership that is known here. */
export function refuseForbidden(core: DatabaseCore, mutations: readonly PlainMutation[]): void {
  for (const op of mutations.flatMap(({ ops }) => ops)) {
    const realms = op.to === undefined ? [op.realm] : [op.realm, op.to];
    const forbidden = realms.find((realm) => !isAllowed(core, op, realm));
    if (forbidden === undefined) continue;
    const message = `Your role in the realm ${forbidden} does not allow this.`;
    throw new ReadOnlyError('read_only', message);
  }
}

function isAllowed(core: DatabaseCore, op: PlainOp, realm: string): boolean {
  if (op.table !== membersTable) return mayWrite(core, realm);
  const { realms, options } = core.parts;
  const leaves = op.op === 'delete' && op.id === membershipId(realm, options.user ?? '');
  return leaves || [null, 'owner'].includes(realms.role(realm));
}
