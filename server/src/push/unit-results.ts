// What becomes of each unit of a commit.

import { Problem } from '../base/problem.ts';
import type { Done, Result } from './done.ts';
import type { Unit } from './locks.ts';

/** Null: it is left for another transaction, like all after it. */
export function resultsOf(
  units: readonly Unit[],
  admitted: ReadonlyMap<Unit, Result | Problem | null>,
): (Result | Problem | null)[] {
  let isLeft = false;
  return units.map((unit) => {
    const result = admitted.get(unit);
    isLeft ||= result === null;
    return isLeft ? null : (result ?? boundToAnother());
  });
}

/** What a rule failed over, and what its client has pushed after that: to be pushed again. */
export function* undecided(
  units: readonly Unit[],
  { results, failed }: Done,
): Generator<[Unit, Problem]> {
  const flat = results.flat();
  for (const { client, detail } of failed) {
    const problem = new Problem('busy', `A rule of the application failed: ${detail}`);
    for (const [i, unit] of units.entries())
      if (unit.client === client && flat[i] === null) yield [unit, problem];
  }
}

/** The client takes a new identity, as whose chain nobody knows (docs/design.md, "Compaction"). */
export function unknownClient({ update }: Unit): Result {
  return { id: update.id, status: 'unknown_client' };
}

function boundToAnother(): Problem {
  return new Problem(
    'client_bound',
    'This client identity belongs to another user: take a new one.',
  );
}
