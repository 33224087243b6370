// What the log has of actions that are undone (docs/authority.md, section 3), as JSON text: the entry of each, and, for a
// restore, the rows that it changed, as they were before.

import type { RowNeeds } from '../base/wire-types.ts';
import type { Queryable } from '../db/database.ts';
import type { RowBudget } from './row-budget.ts';

const kEntries = `json_to_recordset($1::text::json) as k(realm text, id text, rows boolean)
  cross join lateral (select a.revision from skerry.action a
                       where a.realm = k.realm and a.id = k.id limit 1) a
  left join lateral (select l.* from skerry.log l
                      where k.rows and l.realm = k.realm and l.revision = a.revision limit 1) l on true`;

interface Size {
  readonly rows: string;
  readonly bytes: string;
}

/** An element of a list for each of the actions that the log has. Throws TooMuchRead before it reads too many rows. */
export async function doneActions(
  tx: Queryable,
  keys: RowNeeds['undone'],
  budget: RowBudget,
): Promise<string> {
  if (keys.length === 0) return '';
  const wanted = JSON.stringify(keys.map(([realm, id, rows]) => ({ realm, id, rows })));
  if (keys.some(([, , rows]) => rows)) {
    const [size] = await tx.query<Size>(
      `select coalesce(sum(l.changes), 0)::text as rows, coalesce(sum(l.bytes), 0)::text as bytes from ${kEntries}`,
      [wanted],
    );
    budget.take(Number(size?.rows ?? 0), Number(size?.bytes ?? 0));
  }
  const [row] = await tx.query<{ readonly list: string | null }>(
    `select string_agg(json_build_object('realm', k.realm, 'action', k.id, 'revision', a.revision,
              'ops', l.ops, 'actions', l.actions, 'rows', case when k.rows then c.rows end)::text, ',') as list
       from ${kEntries}
       left join lateral (
         select coalesce(json_agg(c.before), '[]') as rows from skerry.change c
          where k.rows and c.realm = k.realm and c.revision = a.revision
            and c.before is not null and not c.touch) c on true`,
    [wanted],
  );
  return row?.list ?? '';
}
