/** Writing mutations into a database's log from outside of its core, and notifying all windows. */

import type { MutationRecord } from '../../core/core-types.ts';
import type { Read, Write } from '../../host/storage.ts';
import type { DatabaseCore } from '../database-core.ts';
import type { Stored } from './snapshot.ts';

/** What the transaction has read besides mutations and conflicts. */
interface ExtraReads {
  /** The results of `extra`. */
  readonly extra: readonly unknown[];
}

/**
 * Logs those of `records` whose actions are neither pending here nor in the inbox, in one transaction with the writes that
 * `writes` returns for the results of `extra`. If it returns null nothing is written. Returns how many were logged, or null.
 */
export async function logRecords(
  core: DatabaseCore,
  records: readonly MutationRecord[],
  extra: readonly Read[] = [],
  writes: (found: ExtraReads) => readonly Write[] | null = () => [],
): Promise<number | null> {
  let logged: MutationRecord[] = [];
  const { committed, keys } = await core.parts.storage.transact(
    {
      stores: ['mutations', 'conflicts', 'sync'],
      mode: 'readwrite',
      durability: 'strict',
      reads: [{ store: 'mutations', range: {} }, { store: 'conflicts', range: {} }, ...extra],
    },
    ([mutations, conflicts, ...found]) => {
      const known = new Set([
        ...(mutations as Stored<{ id: string }>[]).map(({ value }) => value.id),
        ...(conflicts as Stored<{ mutation: { id: string } | null }>[]).map(
          ({ value }) => value.mutation?.id,
        ),
      ]);
      logged = records.filter(({ id }) => !known.has(id));
      const more = writes({ extra: found });
      if (!more) return { type: 'abort' };
      const adds = logged.map((record) => ({ store: 'mutations', add: record }));
      return { type: 'write', writes: [...adds, ...more] };
    },
  );
  if (!committed) return null;
  const items = logged.map((record, i) => ({ id: record.id, key: keys[i] as number, record }));
  if (items.length === 0) return 0;
  // The message names no window: each takes it, this one too.
  const message = { type: 'added', tab: '', items } as const;
  core.parts.runner.dispatch({ type: 'message', message });
  core.parts.runner.execute([
    { type: 'broadcast', message },
    { type: 'post', message: { type: 'mutated' } },
  ]);
  return items.length;
}
