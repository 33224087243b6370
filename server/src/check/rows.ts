// Findings about the rows of one table: how many there are of a kind, and the first of them.

import { foreignLimits } from '../base/foreign-limits.ts';
import { limits } from '../base/limits.ts';
import { kUuidPattern } from '../base/uuid.ts';
import type { Queryable } from '../db/database.ts';
import type { PropDescription, TableDescription } from '../sql/description.ts';
import { quoteText } from '../sql/names.ts';
import { type SqlColumn, type SqlSchema, type SqlTable, textKeyed } from '../sql/tables.ts';

/** Rows `t` of a kind, and what is to say of them. */
interface RowKind {
  readonly where: string;
  readonly says: (rows: string) => string;
}

function kindsOfColumn(
  table: SqlTable,
  column: SqlColumn,
  prop: PropDescription,
  tables: SqlSchema,
): RowKind[] {
  const value = `t.${column.name}`;
  const name = `${table.table}.${prop.name}`;
  const kinds: RowKind[] = [];
  if (prop.optional !== true && prop.default == null)
    kinds.push({
      where: `${value} is null`,
      says: (rows) => `${name} is required, and null in ${rows}.`,
    });
  if (column.type === 'enum') {
    const members = (prop.enum?.values ?? []).map(quoteText).join(', ');
    kinds.push({
      where: members === '' ? `${value} is not null` : `${value} not in (${members})`,
      says: (rows) =>
        `${name} has an unknown member in ${rows}; clients show it as an UnknownValue.`,
    });
  }
  const target = prop.ref && tables.get(prop.ref.table);
  if (target !== undefined && target.isSystem !== true) {
    kinds.push({
      where: `${value} is not null and not exists (select 1 from (
        select p.deleted_at from ${target.name} p where p.realm = t.realm and p.id = ${value} limit 1) p where p.deleted_at is null)`,
      says: (rows) => `${name} refers to no row of ${target.table} in ${rows}.`,
    });
  }
  if (prop.unique === true) {
    const [own, other] = ['t', 'o'].map((row) => textKeyed(column, `${row}.${column.name}`));
    kinds.push({
      where: `${value} is not null and exists (select 1 from ${table.name} o
        where o.realm = t.realm and ${other} = ${own} and o.deleted_at is null and o.id <> t.id)`,
      says: (rows) => `${name} is unique in a realm, and the same in ${rows}.`,
    });
  }
  const unreadable = unreadableOf(column, value);
  if (unreadable !== null)
    kinds.push({
      where: unreadable,
      says: (rows) => `${name} has a value that no client can read in ${rows}.`,
    });
  return kinds;
}

/** Values that the triggers refuse (capture/row-checks.ts): they were written without them. */
function unreadableOf(column: SqlColumn, value: string): string | null {
  switch (column.type) {
    case 'number':
      return `${value} in ('NaN', 'Infinity', '-Infinity')`;
    case 'date':
      return `not isfinite(${value}) or skerry.to_ms(${value}) > ${foreignLimits.lastTimeMs}`;
    case 'json':
    case 'class':
      return `skerry.json_fault(${value}) is not null`;
    default:
      return null;
  }
}

export async function rowFindings(
  tx: Queryable,
  table: SqlTable,
  { props }: TableDescription,
  tables: SqlSchema,
): Promise<string[]> {
  const isWrongId = table.uuids
    ? `t.id !~ ${quoteText(kUuidPattern)}`
    : `t.id = '' or octet_length(t.id) > ${limits.idBytes}`;
  const kinds: RowKind[] = [
    {
      where: isWrongId,
      says: (rows) => `${table.table} has an id that no client can read in ${rows}.`,
    },
    {
      where: `t.revision = 0 or t.revision > (select coalesce(max(r.head), 0) from skerry.realm r where r.realm = t.realm)`,
      says: (rows) =>
        `${table.table} has ${rows} that are not logged: they were written without triggers. \`select skerry.changed(${quoteText(table.table)})\` logs the table.`,
    },
    ...table.columns.flatMap((column, i) =>
      kindsOfColumn(table, column, props[i] as PropDescription, tables),
    ),
  ];
  const findings: string[] = [];
  for (const { where, says } of kinds) {
    const [row] = await tx.query<{ count: string; first: string | null }>(
      `select count(*)::text as count, min(t.realm || ' ' || t.id) as first
         from ${table.name} t where t.deleted_at is null and (${where})`,
    );
    const count = Number(row?.count ?? 0);
    if (count === 0) continue;
    findings.push(says(`${count} ${count === 1 ? 'row' : 'rows'} (the first: ${row?.first})`));
  }
  return findings;
}
