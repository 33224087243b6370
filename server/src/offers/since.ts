// What the log has of rows above a revision, for the rule of offers (src/authority/offered.h).

import { offerLimits } from '../base/offer-limits.ts';
import type { RowNeeds } from '../base/wire-types.ts';
import type { Queryable } from '../db/database.ts';

/** The JSON text of a list of ChangedSince. */
export async function readSince(tx: Queryable, keys: RowNeeds['since']): Promise<string> {
  if (keys.length === 0) return '[]';
  const asked = keys.map(([realm, table, id, above]) => ({ realm, table, id, above }));
  const most = offerLimits.changes;
  const [row] = await tx.query<{ list: string }>(
    `select coalesce(json_agg(json_build_object('realm', k.realm, 'table', k."table", 'id', k.id, 'above', k.above,
              'more', coalesce(c.found, 0) > ${most}, 'changes', coalesce(c.changes, '[]'::json))), '[]')::text as list
       from json_to_recordset($1::text::json) as k(realm text, "table" text, id text, above bigint)
      cross join lateral (
        select count(*) as found,
               json_agg(json_build_object('before', c.before, 'offered', c.offered) order by c.revision)
                 filter (where c.place <= ${most}) as changes
          from (select c.before, c.offered, c.revision, row_number() over (order by c.revision) as place
                  from skerry.change c
                 where c.table_name = k."table" and c.id = k.id and c.realm = k.realm and c.revision > k.above
                   and not c.touch
                 order by c.revision limit ${most + 1}) c) c`,
    [JSON.stringify(asked)],
  );
  return row?.list ?? '[]';
}
