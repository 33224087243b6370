// The rows that refer to others, as far as they may be written now: those that other programs have locked are left for later, and so
// are those that are too many for one transaction.

import type { RowNeeds } from '../base/wire-types.ts';
import type { Queryable } from '../db/database.ts';
import { type RowKey, rowJson } from '../sql/rows.ts';
import type { SqlColumn, SqlSchema, SqlTable } from '../sql/tables.ts';

/** The row that others still refer to, and whether these are locked. */
export interface LeftForLater {
  readonly key: RowKey;
  readonly isLocked: boolean;
}

export interface Children {
  /** Lists without brackets. */
  readonly rows: readonly string[];
  readonly left: readonly LeftForLater[];
}

interface Found {
  readonly realm: string;
  readonly id: string;
  readonly rows: string | null;
  readonly found: string;
  readonly free: string;
}

type Keys = RowNeeds['children'];

/** At most `most` rows of each key are read. `targetOf`: the table that a ref leads to. */
export async function readChildren(
  tx: Queryable,
  schema: SqlSchema,
  keys: Keys,
  most: number,
  targetOf: (table: string, prop: string) => string,
): Promise<Children> {
  const byRef = new Map<string, Keys[number][]>();
  for (const key of keys) {
    const ref = `${key[1]}\0${key[2]}`;
    byRef.set(ref, [...(byRef.get(ref) ?? []), key]);
  }
  const rows: string[] = [];
  const left: LeftForLater[] = [];
  for (const same of byRef.values()) {
    const [, name, prop] = same[0] as Keys[number];
    for (const found of await readOfRef(tx, schema, same, most)) {
      if (found.rows !== null) rows.push(found.rows);
      const isMany = Number(found.found) > most;
      if (!isMany && found.free === found.found) continue;
      left.push({ key: [found.realm, targetOf(name, prop), found.id], isLocked: !isMany });
    }
  }
  return { rows, left };
}

async function readOfRef(
  tx: Queryable,
  schema: SqlSchema,
  keys: Keys,
  most: number,
): Promise<Found[]> {
  const [, name, prop] = keys[0] as Keys[number];
  const table = schema.get(name) as SqlTable;
  const column = table.columns.find((each) => each.prop === prop) as SqlColumn;
  return tx.query<Found>(
    `select k.realm, k.id, c.rows, c.found::text as found, c.free::text as free
       from json_to_recordset($1::text::json) as k(realm text, id text)
      cross join lateral (
        select string_agg((${rowJson(table, 'm')})::text, ',') filter (where m.id is not null) as rows, count(*) as found, count(m.id) as free
          from (select t.place from (
                  select t.ctid as place, t.realm from ${table.name} t
                   where t.deleted_at is null and t.${column.name} = k.id offset 0) t
                 where t.realm = k.realm limit $2::text::bigint + 1) c
          left join lateral (
            select m.* from ${table.name} m where m.ctid = c.place for no key update skip locked) m on true) c
      where c.found > 0`,
    [JSON.stringify(keys.map(([realm, , , id]) => ({ realm, id }))), String(most)],
  );
}
