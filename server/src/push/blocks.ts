// Users whose invitations somebody refuses for good. They are actions of a stream in the own realm of who blocks, so all of
// that user's devices have them: `skerry/block` in `$blocked`, with {"user"} as argument.

import { isRealmName } from '../auth/user.ts';
import { isObject } from '../base/json.ts';
import type { Unit } from './locks.ts';

export const kBlockedStream = '$blocked';
const kBlock = 'skerry/block';

/** A pair of users of whom the second invites the first no more. */
export interface Blocked {
  readonly user: string;
  readonly by: string;
}

/** The users that the author of an update blocks by it. */
export function blocksOf({ user: { id }, update }: Unit): Blocked[] {
  const actions = Array.isArray(update.actions) ? (update.actions as unknown[]) : [];
  return (Array.isArray(update.ops) ? update.ops : []).flatMap((op) => {
    if (!isObject(op) || op.op !== 'append' || op.stream !== kBlockedStream) return [];
    if (op.realm !== `user:${id}` || !Array.isArray(op.by)) return [];
    return op.by.flatMap((place) => {
      const action = actions[Number(place)];
      if (!isObject(action) || action.name !== kBlock || !isObject(action.arg)) return [];
      const { user } = action.arg;
      return isRealmName(user) && user !== id ? [{ user: id, by: user }] : [];
    });
  });
}
