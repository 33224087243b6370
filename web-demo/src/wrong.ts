// What the demo's rules find wrong (schema.ts), by the objects that people see: a membership's problem is its group's.
import type { Demo } from './database.js';

export interface Wrong {
  readonly table: 'cities' | 'groups';
  readonly id: string;
  readonly message: string;
  /** A change of this user's is a part of it: it waits on this device. */
  readonly isHeld: boolean;
}

export function wrongOf(demo: Demo): readonly Wrong[] {
  const found = new Map<string, Wrong>();
  for (const { table, id, message, mutations } of demo.problems.value) {
    const isCity = table === 'cities';
    const about = isCity ? id : demo.memberships.get(id)?.group;
    if (about === undefined) continue;
    const isHeld = mutations.length > 0 || found.get(about)?.isHeld === true;
    found.set(about, { table: isCity ? 'cities' : 'groups', id: about, message, isHeld });
  }
  return [...found.values()];
}

export const wrongIn = (demo: Demo, about: string): Wrong | undefined =>
  wrongOf(demo).find(({ id }) => id === about);

/** What becomes of it, in a sentence. */
export const whatNext = ({ isHeld }: Wrong): string =>
  isHeld
    ? 'Your change is stored here, and is sent as soon as this is right.'
    : 'Everybody sees this, and anybody can put it right.';
