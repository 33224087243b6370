// A flusher over a fake committer, which records its input, and fails as databases do.

import type { CommitOptions, CommittedUnits } from '../../../server/src/push/commit.ts';
import type { WrittenEntry } from '../../../server/src/push/done.ts';
import { type CheckedPush, Flusher } from '../../../server/src/push/flusher.ts';
import type { Unit } from '../../../server/src/push/locks.ts';
import type { Caller } from '../../../server/src/rights/rights.ts';

export function userOf(id: string): Caller {
  return { id, grants: new Map([['r', 'write']]), expires: null };
}
const anna = userOf('anna');

export function request(
  client: string,
  ids: readonly string[],
  realm = 'r',
  user = anna,
): CheckedPush {
  const updates = ids.map((id) => ({ id, after: { [realm]: null } }));
  return { client, user, epoch: 1, updates, bytes: 10, cost: { keys: 1, written: 10 } };
}

export class DatabaseError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** Throws the failure of a transaction, or returns how many of the updates it decides if not all. */
export type Rule = (
  ids: readonly string[],
  options: CommitOptions,
  call: number,
) => number | undefined;

const kRestMs = 5;

export const turn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * A flusher over a committer that takes some turns, obeys the rule, and otherwise applies everything. Users in
 * `rests` are delayed.
 */
export function world(rule: Rule = () => {}, turns = 1, entries: readonly WrittenEntry[] = []) {
  const calls: string[][] = [];
  const applied: string[] = [];
  const refused: string[] = [];
  const pauses: number[] = [];
  const clock = { now: 0 };
  const rests = new Set<string>();
  const commit = async (
    units: readonly Unit[],
    options: CommitOptions,
  ): Promise<CommittedUnits> => {
    const ids = units.map(({ update }) => String(update.id));
    calls.push(ids);
    for (let i = 0; i < turns; i++) await turn();
    const decided = rule(ids, options, calls.length) ?? ids.length;
    const refusals = new Set((options.refuse ?? []).map(({ id }) => id));
    const results = ids
      .slice(0, decided)
      .map((id) => ({ id, status: refusals.has(id) ? 'rejected' : 'applied' }));
    for (const { id, status } of results) (status === 'applied' ? applied : refused).push(id);
    const left = ids.slice(decided).map(() => null);
    return { now: 1, results: [...results, ...left], entries, rights: new Map() };
  };
  const charged: [string, number][] = [];
  const committed: WrittenEntry[] = [];
  const flusher = new Flusher({
    committer: { commit },
    shares: {
      charge: (user, ms) => charged.push([user, ms]),
      restMs: (user) => (rests.has(user) ? kRestMs : 0),
    },
    committed: (made) => committed.push(...made),
    pause: async (ms) => {
      pauses.push(ms);
    },
    log: () => {},
    now: () => clock.now,
  });
  return { flusher, calls, applied, refused, pauses, clock, rests, charged, committed };
}

export const statuses = (answer: { results: readonly Record<string, unknown>[] }) =>
  answer.results.map(({ status }) => status);
