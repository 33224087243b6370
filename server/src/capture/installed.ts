// Whether what logs the writes of other programs is there.

import type { Queryable } from '../db/database.ts';
import { quoteName, quoteText } from '../sql/names.ts';
import type { SqlTable } from '../sql/tables.ts';
import { triggersOf } from './triggers.ts';

type ExistingTrigger = Record<'name' | 'space' | 'table' | 'enabled', string>;

/** The triggers of ours that there are, by the quoted names of their tables: whether they are enabled. */
export async function existingTriggers(tx: Queryable): Promise<Map<string, Map<string, boolean>>> {
  const rows = await tx.query<ExistingTrigger>(
    `select t.tgname::text as name, n.nspname::text as space, c.relname::text as table,
            (t.tgenabled in ('O', 'A'))::text as enabled
       from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
      where t.tgname like '~skerry%' and n.nspname in ('public', 'skerry')`,
  );
  const all = new Map<string, Map<string, boolean>>();
  for (const { name, space, table, enabled } of rows) {
    const key = space === 'public' ? `public.${quoteName(table)}` : `${space}.${table}`;
    all.set(key, (all.get(key) ?? new Map()).set(name, enabled === 'true'));
  }
  return all;
}

/** What to say of a table whose triggers are disabled. */
export function disabledTriggers(table: SqlTable): string {
  return `The triggers of ${table.name} are disabled: what other programs write there reaches no client. Enable them (alter table ${table.name} enable trigger user), and then log what was missed: select skerry.changed(${quoteText(table.table)}).`;
}

/** A sentence for each table that has no triggers, or whose triggers are disabled. */
export async function installedProblems(
  tx: Queryable,
  tables: readonly SqlTable[],
): Promise<string[]> {
  const existing = await existingTriggers(tx);
  return tables.flatMap((table) => {
    const there = existing.get(table.name) ?? new Map<string, boolean>();
    if (!triggersOf(table).every(({ name }) => there.has(name)))
      return [
        `${table.table}: the triggers of ${table.name} are not all there; a start makes them.`,
      ];
    return [...there.values()].includes(false) ? [disabledTriggers(table)] : [];
  });
}
