/** What `<skerry-conflicts>` shows of an entry, and what each of its buttons settles. No DOM. */
import type { Conflict, ConflictChange, ConflictSides } from '../api/conflicts.ts';

export interface PropSides {
  readonly prop: string;
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
  /** Mine and theirs differ: the user may choose between them. */
  readonly isOpen: boolean;
}

/** The props that a change sets, by the order of the row that is there. */
export function propsOf({ base, mine, theirs }: ConflictSides): readonly PropSides[] {
  const changed = Object.keys(mine ?? {});
  const order = Object.keys(theirs ?? base ?? {});
  const place = (prop: string) => (order.includes(prop) ? order.indexOf(prop) : order.length);
  return changed
    .sort((a, b) => place(a) - place(b))
    .map((prop) => {
      const [was, wanted, is] = [base, mine, theirs].map((side) => side?.[prop] ?? null);
      return {
        prop,
        base: was,
        mine: wanted,
        theirs: is,
        isOpen: theirs !== null && !isSame(wanted, is),
      };
    });
}

/** Whether people would see two values as one. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b);
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

export type Way = 'discard' | 'retry' | 'choose' | 'again';

/** The ways to settle an entry, those that can succeed. */
export function waysOf(entry: Conflict): readonly Way[] {
  const about = entry.changes[0];
  if (about === undefined || entry.mutation === null) return ['discard'];
  // An edit of a row that is not there would have no effect again.
  const isEdit = entry.code === 'row_deleted' || entry.code === 'overwritten';
  const isGone = about.theirs === null && isEdit;
  if (isGone) return about.base && about.mine ? ['discard', 'again'] : ['discard'];
  // A choice of all that is mine is the change again.
  const isOpen = about.base !== null && propsOf(about).some((sides) => sides.isOpen);
  return isOpen ? ['discard', 'choose'] : ['discard', 'retry'];
}

/** The row that `again` creates: as it was before, with the change. */
export function rowAgain({ key, base, mine }: ConflictChange): Record<string, unknown> {
  const row = { ...base, ...mine };
  for (const [prop, value] of Object.entries(row)) if (value === null) delete row[prop];
  return { ...row, id: key };
}
