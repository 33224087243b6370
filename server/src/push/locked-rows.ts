// Rows that other programs have locked: for as long as their transactions last, which may be hours. Nobody waits for such a row while
// realms are locked, because the other program may need these realms to end, and because all pushes of the realms would wait.
//
// A wait for a row is cut short (sql/own-writes.ts). From then on, for a while, each transaction looks first which of the rows
// that its updates name are locked, and leaves out the updates that need them, with the later ones of their clients.

import type { Queryable } from '../db/database.ts';
import type { SqlSchema } from '../sql/tables.ts';
import type { Unit } from './locks.ts';
import type { Surveyed } from './surveyed.ts';

interface RowPlace {
  readonly realm: string;
  readonly id: string;
}

/** The rows that the updates name, by table. */
function placesOf(units: readonly Surveyed[]): Map<string, Map<string, RowPlace>> {
  const all = new Map<string, Map<string, RowPlace>>();
  for (const { names } of units) {
    for (const [realm, tables] of Object.entries(names.rows)) {
      for (const [table, ids] of Object.entries(tables)) {
        const places = all.get(table) ?? new Map<string, RowPlace>();
        all.set(table, places);
        for (const id of ids) places.set(keyOf(realm, table, id), { realm, id });
      }
    }
  }
  return all;
}

function keyOf(realm: string, table: string, id: string): string {
  return [realm, table, id].join('\0');
}

/** Those of the rows that another transaction has locked; the others are locked by this one. */
async function lockedKeys(
  tx: Queryable,
  schema: SqlSchema,
  units: readonly Surveyed[],
): Promise<Set<string>> {
  const found = [...placesOf(units)].flatMap(([name, places]) => {
    const table = schema.get(name);
    if (table === undefined) return [];
    const rows = tx.query<{ realm: string; id: string }>(
      `select k.realm, k.id from json_to_recordset($1::text::json) as k(realm text, id text)
        cross join lateral (
          select 1 from ${table.name} t where t.realm = k.realm and t.id = k.id limit 1) there
         left join lateral (
          select true as is_mine from ${table.name} t where t.realm = k.realm and t.id = k.id
           limit 1 for no key update skip locked) mine on true
        where mine.is_mine is null`,
      [JSON.stringify([...places.values()])],
    );
    return rows.then((all) => all.map(({ realm, id }) => keyOf(realm, name, id)));
  });
  return new Set((await Promise.all(found)).flat());
}

/** The updates that have to wait for other programs. */
export async function heldByOthers(
  tx: Queryable,
  schema: SqlSchema,
  units: readonly Surveyed[],
): Promise<Set<Unit>> {
  const locked = await lockedKeys(tx, schema, units);
  const clients = new Set<string>();
  const held = new Set<Unit>();
  for (const unit of units) {
    const isLocked = [...placesOf([unit]).values()].some((places) =>
      [...places.keys()].some((key) => locked.has(key)),
    );
    if (isLocked) clients.add(unit.client);
    if (clients.has(unit.client)) held.add(unit);
  }
  return held;
}
