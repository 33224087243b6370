// Attacks on the reducers that the server runs: whoever may append decides what they work on.

import { prepared, text } from './tools.mjs';

/** An update that appends these arguments, one action each. */
function append(caller, stream, realm, args) {
  const update = caller.update([], { realms: [realm], actions: args.length });
  return {
    ...update,
    actions: update.actions.map((action, n) => ({ ...action, arg: args[n] })),
    ops: args.map((_, n) => ({ op: 'append', stream, realm, by: [n] })),
  };
}

/** Small as text, and far larger as objects. */
const kMany = Array.from({ length: 340_000 }, () => ({}));

/** A name that no other action has, of so many letters. */
const scored = (n, letters) => ({ who: `${n}${text(letters)}`, points: 1 });

export const streams = {
  'actions of 1 MB into a stream that the server folds': {
    workers: 2,
    async step({ as, realm }, state) {
      state.caller ??= await as('mallory');
      return state.caller.push([append(state.caller, 'chat', realm, [kMany])]);
    },
  },
  'a stream whose state is at its limit': {
    workers: 2,
    async prepare({ caller, realm }) {
      for (let n = 0; n < 40; n += 2) {
        const args = [scored(n, 1_000_000), scored(n + 1, 1_000_000)];
        await prepared(
          caller,
          args.map((arg) => append(caller, 'score', realm, [arg])),
        );
      }
    },
    async step({ as, realm }, state) {
      state.caller ??= await as('mallory');
      const args = Array.from({ length: 20 }, () => scored(0, 0));
      return state.caller.push([append(state.caller, 'score', realm, args)]);
    },
  },
};
