// The updates of a transaction with what each names, before anything is locked or read. The authority is asked once for
// all of them; an update never changes, so neither does the answer.

import type { Authority } from '../authority/authority.ts';
import type { Survey } from '../authority/survey.ts';
import type { Spent } from '../db/database.ts';
import type { Unit } from './locks.ts';

export interface Surveyed extends Unit {
  readonly names: Survey;
  /** The update as JSON text, which the authority gets twice. */
  readonly text: string;
}

export async function surveyed(
  authority: Pick<Authority, 'survey'>,
  units: readonly Unit[],
  spent?: Spent,
): Promise<Surveyed[]> {
  const asked = units.map((unit) => ({ ...unit, text: JSON.stringify(unit.update) }));
  const surveys = await authority.survey(asked, spent);
  return asked.map((unit, i) => {
    const names = surveys[i];
    if (names === undefined) throw new Error('The authority left out an update.');
    return { ...unit, names };
  });
}
