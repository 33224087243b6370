// The triggers of the typed tables, and of memberships.

import { quoteName, quoteText } from '../sql/names.ts';
import { isForeign } from '../sql/own-writes.ts';
import type { SqlTable } from '../sql/tables.ts';
import { tableKey } from './table-functions.ts';

/** Triggers of all tables differ in names only. */
export const kAnyTable: SqlTable = {
  ...{ table: '', name: 'public.""', uuids: true, autosubscribe: false, columns: [] },
};

export interface Trigger {
  readonly name: string;
  readonly when: string;
  readonly does: string;
}

/**
 * Triggers of one table run in the order of their names. Those before a row come last, so that they see what triggers of the
 * application have made of it.
 */
export function triggersOf(table: SqlTable): Trigger[] {
  const key = tableKey(table);
  const before = (what: string) => `skerry.${quoteName(`before ${what} ${key}`)}()`;
  // Of a row that was written without triggers the revision may be higher than that of its realm.
  const [inserted, updated] = ['new.revision > 0', 'new.revision <> old.revision'].map(isForeign);
  return [
    {
      name: '~skerry_insert',
      when: `before insert on T for each row when ${inserted}`,
      does: before('insert'),
    },
    {
      name: '~skerry_update',
      when: `before update on T for each row when (${updated} and old.* *<> new.*)`,
      does: before('write'),
    },
    {
      name: '~skerry_delete',
      when: `before delete on T for each row when ${isForeign('old.deleted_at is not null')}`,
      does: before('write'),
    },
    {
      name: '~skerry_inserted',
      when: `after insert on T referencing new table as fresh for each statement when ${isForeign('true')}`,
      does: `skerry.note_inserts(${quoteText(key)})`,
    },
    {
      name: '~skerry_written',
      when: `after update or delete on T for each statement when ${isForeign('true')}`,
      does: 'skerry.note_writes()',
    },
    {
      name: '~skerry_truncate',
      when: 'before truncate on T for each statement',
      does: `skerry.refuse_truncate(${quoteText(table.table)})`,
    },
  ];
}

/** Memberships are written by clients only. */
export function membershipTriggers(): Trigger[] {
  const does = 'skerry.refuse_membership()';
  const raised = {
    insert: 'new.revision > 0',
    update: 'new.revision > old.revision',
    delete: 'old.deleted_at is not null',
  };
  return [
    ...Object.entries(raised).map(([event, own]) => ({
      name: `~skerry_${event}`,
      when: `before ${event} on T for each row when ${isForeign(own)}`,
      does,
    })),
    { name: '~skerry_truncate', when: 'before truncate on T for each statement', does },
  ];
}
