// Rows of which clients may hold other values than the database, because a release has changed the value of unwritten
// props: another default, a prop or a table that comes back, a null from an older server in place of a default. They
// are logged as changed, by one entry per realm, whose `before` lacks these props: so every client that has the row
// receives their values.

import { randomUUID } from 'node:crypto';
import { kNow } from '../db/clock.ts';
import type { Queryable } from '../db/database.ts';
import { quoteText } from './names.ts';
import { rowJson } from './rows.ts';
import type { SqlTable } from './tables.ts';

export interface Correction {
  readonly table: SqlTable;
  /** The condition on the live rows `t`. */
  readonly where: string;
  /** `column = expression`: the new values. */
  readonly set: readonly string[];
  /** The props that clients may hold other values of; null: they may not have the row at all. */
  readonly unsure: ReadonlySet<string> | null;
}

/** The author of the entries. It is not a client's id, so that no client takes them for its own. */
const kUser = 'system';

export async function logCorrection(tx: Queryable, correction: Correction): Promise<void> {
  const { table, where, set, unsure } = correction;
  // Otherwise pushes could insert rows that are neither corrected nor made by the new rules.
  await tx.query(`lock table ${table.name} in share row exclusive mode`);
  const known = { ...table, columns: table.columns.filter(({ prop }) => !unsure?.has(prop)) };
  const assignments = ['revision = h.head', 'modified_at = skerry.from_ms(h.at)', ...set];
  await tx.query(
    `with wrong as materialized (
       select t.id, t.realm from ${table.name} t where t.deleted_at is null and (${where})),
     head as (
       update skerry.realm r set head = r.head + 1,
              at = greatest(r.at + 1, ${kNow})
        where r.realm in (select w.realm from wrong w) returning r.realm, r.head, r.at),
     entry as (
       insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, tables, streams, changes)
       select h.realm, h.head, h.at, $1::text, ${quoteText(kUser)}, $2::text, false,
              json_build_array(${quoteText(table.table)}), '[]'::json, c.rows
         from head h join (select w.realm, count(*)::integer as rows from wrong w group by w.realm) c using (realm)),
     change as (
       insert into skerry.change (realm, revision, table_name, id, before, touch)
       select h.realm, h.head, ${quoteText(table.table)}, t.id,
              ${unsure === null ? 'null' : rowJson(known, 't')}, true
         from wrong w join ${table.name} t on t.realm = w.realm and t.id = w.id
         join head h on h.realm = w.realm)
     update ${table.name} t set ${assignments.join(', ')}
       from wrong w join head h on h.realm = w.realm where t.realm = w.realm and t.id = w.id`,
    [randomUUID(), randomUUID()],
  );
}
