// Users whose invitations somebody refuses for good. They are actions of a stream in the own realm of who blocks, so all of
// that user's devices have them: `skerry/block` in `$blocked`, with {"user"} as argument (src/authority/survey.cc).

import type { Surveyed } from './surveyed.ts';

/** A pair of users of whom the second invites the first no more. */
export interface Blocked {
  readonly user: string;
  readonly by: string;
}

/** The users that the author of an update blocks by it. */
export function blocksOf({ user: { id }, names }: Pick<Surveyed, 'user' | 'names'>): Blocked[] {
  return names.blocks.map((by) => ({ user: id, by }));
}
