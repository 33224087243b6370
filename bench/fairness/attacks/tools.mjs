// What several attacks need.

import { randomUUID } from 'node:crypto';
import { note } from '../caller.mjs';

export const text = (length, letter = 'a') => letter.repeat(length);

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Pushes what is to be there before the attack. */
export async function prepared(caller, updates) {
  const { status, text: answer } = await caller.push(updates);
  const isDone =
    status === 200 && JSON.parse(answer).results.every((result) => result.status === 'applied');
  if (!isDone) throw new Error(`Not prepared: ${status} ${answer.slice(0, 300)}`);
}

/** So many rows of the caller's own, each made of its number. */
export async function fill(caller, rows, rowOf) {
  for (let done = 0; done < rows; done += 2_500) {
    const count = Math.min(2_500, rows - done);
    const ops = Array.from({ length: count }, (_, n) => rowOf(done + n));
    await prepared(caller, [caller.update(ops)]);
  }
}

/** So many rows of the table `notes` in the attacker's own realm. */
export const fillNotes = ({ caller, realm }, rows, set) =>
  fill(caller, rows, () => note(realm, set));

export const member = (realm, user, role) => ({
  ...{ op: 'create', table: '$members', id: `${realm}/${user}`, realm },
  set: { user, role },
});

/** Founds so many realms, and returns their names. `others` are invited into each. */
export async function found(caller, user, count, others = []) {
  const realms = Array.from({ length: count }, () => randomUUID());
  for (let done = 0; done < count; done += 400) {
    const updates = [];
    for (let from = done; from < Math.min(done + 400, count); from += 100) {
      const ops = realms
        .slice(from, from + 100)
        .flatMap((realm) => [
          member(realm, user, 'owner'),
          ...others.map((other) => member(realm, other, 'reader')),
        ]);
      updates.push(caller.update(ops));
    }
    await prepared(caller, updates);
  }
  return realms;
}

export const allNotes = (filled) => [{ table: 'notes', where: ['true'], filled }];

/** Pulls until all that is there is known; the cursors stay with the caller. */
export async function pullAll(caller, scopesOf = allNotes) {
  for (let filled = Object.keys(caller.cursors).length > 0; ; filled = true) {
    const { status, text: answer } = await caller.pull({ scopes: scopesOf(filled) });
    if (status !== 200) throw new Error(`Not pulled: ${status} ${answer.slice(0, 300)}`);
    const { cursors, more } = JSON.parse(answer);
    caller.cursors = { ...caller.cursors, ...cursors };
    if (!more) return;
  }
}
