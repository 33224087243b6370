// What sub-selects cost, before it is spent. Of a prop with an index rows are looked up; of another one, all rows of the
// table in the caller's realms are read, once for each sub-select.

import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { Queryable } from '../db/database.ts';
import { isLookedUp, realmsIn } from '../sql/filter.ts';
import { type SqlSchema, type SqlTable, tableNamed } from '../sql/tables.ts';

interface SubSelect {
  readonly table: SqlTable;
  readonly select: string;
}

/**
 * The sub-selects of the filters whose pages are to come; what is malformed is left to the core. Those of scopes that are filled
 * are read for what has changed only, and whoever has filled them once can always go on.
 */
function subSelectsOf(schema: SqlSchema, scopes: readonly unknown[]): SubSelect[] {
  const found: SubSelect[] = [];
  const waiting: unknown[] = scopes.map((scope) =>
    isObject(scope) && scope.filled !== true ? scope.where : null,
  );
  for (let filter = waiting.pop(); filter !== undefined; filter = waiting.pop()) {
    if (!Array.isArray(filter)) continue;
    const [kind, ...rest] = filter as unknown[];
    if (kind === 'and' || kind === 'or' || kind === 'not') waiting.push(...rest);
    const [, set] = rest;
    if (kind !== 'in' || !isObject(set)) continue;
    const table = tableNamed(schema, set.table);
    if (table !== undefined) found.push({ table, select: String(set.select) });
  }
  return found;
}

/** Throws Problem `limit` if the sub-selects over props without an index would read too many rows. */
export async function checkSubSelects(
  tx: Queryable,
  schema: SqlSchema,
  scopes: readonly unknown[],
  realms: readonly string[],
): Promise<void> {
  const costly = subSelectsOf(schema, scopes).filter(
    ({ table, select }) => !isLookedUp(table, select),
  );
  const rows = new Map<SqlTable, number>();
  let left: number = limits.unindexedRows;
  for (const { table, select } of costly) {
    const known = rows.get(table) ?? (await countRows(tx, table, realms, left + 1));
    rows.set(table, known);
    left -= known;
    if (left >= 0) continue;
    throw new Problem(
      'limit',
      `Sub-selects over props without an index may read ${limits.unindexedRows} rows in all, and ${table.table}.${select} is one: declare it with \`index: true\`, or ask for fewer rows or sub-selects.`,
    );
  }
}

async function countRows(
  tx: Queryable,
  table: SqlTable,
  realms: readonly string[],
  most: number,
): Promise<number> {
  const [row] = await tx.query<{ rows: string }>(
    `select count(*)::text as rows from (
       select 1 from ${table.name} t
        where t.realm = any(${realmsIn('$1::text')}) and t.deleted_at is null limit ${most}) t`,
    [JSON.stringify(realms)],
  );
  return Number(row?.rows ?? 0);
}
