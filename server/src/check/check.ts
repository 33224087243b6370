// What `skerry-server check` finds in a database: what the schema does not allow, what was not logged, and how the tables differ from
// the schema. It reads in one snapshot, and changes nothing. Each finding is a sentence.

import { installedProblems } from '../capture/installed.ts';
import type { Database, Queryable } from '../db/database.ts';
import { readAdoptedNames } from '../sql/adopted-names.ts';
import type { NameBefore, SchemaDescription, TableDescription } from '../sql/description.ts';
import { type Columns, existingColumns } from '../sql/existing-columns.ts';
import { readMeta } from '../sql/meta.ts';
import { wasServed } from '../sql/migrations.ts';
import { fixedColumns, unquote } from '../sql/names.ts';
import { columnTypes, type SqlSchema, type SqlTable, sqlSchema } from '../sql/tables.ts';
import { keptLines } from './kept.ts';
import { realmFindings } from './realms.ts';
import { rowFindings } from './rows.ts';

export interface CheckReport {
  /** How much there is, a line for each table. */
  readonly counts: readonly string[];
  readonly findings: readonly string[];
}

export async function checkDatabase(
  database: Database,
  schema: SchemaDescription,
): Promise<CheckReport> {
  return database.transaction({ mode: 'snapshot' }, async (tx) => {
    if (!(await wasServed(tx)))
      return { counts: [], findings: ['No skerry-server has ever been started on this database.'] };
    return read(tx, schema, sqlSchema(schema, await readAdoptedNames(tx)));
  });
}

async function read(
  tx: Queryable,
  schema: SchemaDescription,
  tables: SqlSchema,
): Promise<CheckReport> {
  const counts: string[] = [];
  const findings: string[] = await versionFindings(tx, schema);
  // Else a start has yet to follow the schema, and to rename what only seems to be of no use.
  const isServed = findings.length === 0;
  const columns = await existingColumns(tx);
  const there: SqlTable[] = [];
  for (const description of schema.tables) {
    const table = tables.get(description.name);
    if (table === undefined || table.isSystem === true) continue;
    const drift = driftOf(table, description, columns.get(unquote(table.name)));
    findings.push(...drift);
    // Rows are read only where every column is there.
    if (drift.length > 0) continue;
    there.push(table);
    counts.push(await countOf(tx, table));
    findings.push(...(await rowFindings(tx, table, description, tables)));
  }
  if (isServed) counts.push(...(await keptLines(tx, tables, columns)));
  findings.push(...(await installedProblems(tx, there)), ...(await realmFindings(tx, there)));
  return { counts, findings };
}

async function versionFindings(tx: Queryable, schema: SchemaDescription): Promise<string[]> {
  const served = await readMeta(tx, 'newest_version');
  if (served === null || Number(served) === schema.version) return [];
  return [
    `The database has been served with version ${served} of the schema; this one has version ${schema.version}.`,
  ];
}

const counted = new Intl.NumberFormat('en');

/** `1 row`, `1,234 rows`. */
function rowsOf(count: string | number): string {
  return `${counted.format(Number(count))} ${Number(count) === 1 ? 'row' : 'rows'}`;
}

async function countOf(tx: Queryable, table: SqlTable): Promise<string> {
  const [row] = await tx.query<Record<'rows' | 'realms' | 'markers', string>>(
    `select count(*) filter (where t.deleted_at is null)::text as rows,
            count(distinct t.realm) filter (where t.deleted_at is null)::text as realms,
            count(*) filter (where t.deleted_at is not null)::text as markers from ${table.name} t`,
  );
  const { rows = '0', realms = '0', markers = '0' } = row ?? {};
  const places = `${counted.format(Number(realms))} ${realms === '1' ? 'realm' : 'realms'}`;
  return `${table.table}: ${rowsOf(rows)} in ${places}, and ${counted.format(Number(markers))} markers of deleted or moved ones.`;
}

/** What a start does with a table or column that is not there. */
function makes(was: readonly NameBefore[] = []): string {
  return was.length > 0 ? 'renames' : 'makes';
}

/** How an existing table differs from the schema. */
function driftOf(
  table: SqlTable,
  { props }: TableDescription,
  columns: Columns | undefined,
): string[] {
  if (columns === undefined)
    return [`${table.table}: there is no table ${table.name}; a start ${makes(table.was)} it.`];
  const missing = fixedColumns.filter((column) => !columns.has(column));
  if (missing.length > 0)
    return [
      `${table.table}: the table ${table.name} has no column ${missing.join(', ')}, so it is not one of Skerry's.`,
    ];
  return table.columns.flatMap((column, i) => {
    const there = columns.get(unquote(column.name));
    const name = `${table.table}.${props[i]?.name}`;
    if (there === undefined)
      return [`${name}: there is no column ${column.name}; a start ${makes(column.was)} it.`];
    const type = columnTypes[column.type];
    return there.data_type === type
      ? []
      : [`${name} is ${type} in the schema, and its column ${there.data_type}.`];
  });
}
