// Installs what logs the writes of other programs: functions, and on each typed table triggers and defaults. Only what is missing
// or different is changed, because a change of a table waits for all who use it.

import { createHash } from 'node:crypto';
import type { Queryable } from '../db/database.ts';
import type { SchemaDescription, TableDescription } from '../sql/description.ts';
import { SchemaError } from '../sql/description.ts';
import { type Columns, existingColumns } from '../sql/existing-columns.ts';
import { kMembers } from '../sql/members.ts';
import { readMeta, writeMeta } from '../sql/meta.ts';
import { quoteName, unquote } from '../sql/names.ts';
import { ownSearchPath } from '../sql/search-path.ts';
import type { SqlSchema, SqlTable } from '../sql/tables.ts';
import { innerFunctions, publicFunctions } from './functions.ts';
import { disabledTriggers, existingTriggers } from './installed.ts';
import { changedFunction, type RefColumn, tableFunctions } from './table-functions.ts';
import { kAnyTable, membershipTriggers, triggersOf } from './triggers.ts';

/** The digests of the functions and of the triggers that are installed. */
const kFunctions = 'capture-functions';
const kTriggers = 'capture-triggers';
/** The trigger at the end of a transaction. */
const kLogTrigger = '~skerry_log';

function digestOf(texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex');
}

async function installFunctions(tx: Queryable, declarations: readonly string[]): Promise<void> {
  const digest = digestOf(declarations);
  if ((await readMeta(tx, kFunctions)) === digest) return;
  for (const declaration of declarations) {
    await tx.query(`create or replace function ${declaration}`);
  }
  const inner = declarations.filter((each) => !publicFunctions.includes(each));
  for (const declaration of inner) {
    await tx.query(`revoke all on function ${signature(declaration)} from public`);
  }
  // The defaults of columns are evaluated with the rights of whoever inserts.
  await tx.query('grant usage on schema skerry to public');
  await writeMeta(tx, kFunctions, digest);
}

/** The name of a declared function, with the types of its arguments. */
function signature(declaration: string): string {
  const open = declaration.indexOf('(');
  const close = declaration.indexOf(')', open);
  const types = declaration
    .slice(open + 1, close)
    .split(',')
    .map((each) => each.trim().split(' ').slice(1).join(' '))
    .filter((type) => type !== '');
  return `${declaration.slice(0, open)}(${types.join(', ')})`;
}

/** What a row that another program inserts need not name, by column. */
function defaultsOf({ uuids }: SqlTable): Readonly<Record<string, string>> {
  return {
    ...(uuids ? { id: 'skerry.uuid_v7()' } : {}),
    realm: `skerry.of_transaction('realm')`,
    revision: '0',
    created_at: 'skerry.now_ms()',
    modified_at: 'skerry.now_ms()',
  };
}

async function setDefaults(tx: Queryable, table: SqlTable, columns: Columns): Promise<void> {
  const missing = Object.entries(defaultsOf(table)).filter(
    ([column]) => columns.get(column)?.default_value === null,
  );
  if (missing.length === 0) return;
  const changes = missing.map(([column, to]) => `alter column ${column} set default ${to}`);
  await tx.query(`alter table ${table.name} ${changes.join(', ')}`);
}

/** Throws if the tables' owner would not see all rows: what is hidden from it would not be logged. */
async function checkRowSecurity(tx: Queryable, tables: readonly SqlTable[]): Promise<void> {
  const rows = await tx.query<{ name: string }>(
    `select c.relname::text as name from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relforcerowsecurity`,
  );
  const forced = new Set(rows.map(({ name }) => name));
  const wrong = tables.filter(({ name }) => forced.has(unquote(name)));
  if (wrong.length === 0) return;
  throw new SchemaError(
    `${wrong.map(({ name }) => name).join(', ')}: FORCE ROW LEVEL SECURITY hides rows from this server, too. Policies for other roles are fine without FORCE: alter table … no force row level security.`,
  );
}

/** The refs that other rows follow. */
function refsOf(schema: SchemaDescription, tables: SqlSchema): RefColumn[] {
  return schema.tables.flatMap(({ name, props }) => {
    const from = tables.get(name);
    return props.flatMap(({ name: prop, ref }) => {
      const column = from?.columns.find((each) => each.prop === prop);
      const to = ref && tables.get(ref.table);
      if (from === undefined || column === undefined || to === undefined) return [];
      return [{ from, column, to, touches: ref?.touch === true, hasRule: ref?.onDelete != null }];
    });
  });
}

/** Installs all of it for the tables of the schema, in the transaction that has made them. */
export async function installCapture(
  tx: Queryable,
  schema: SchemaDescription,
  tables: SqlSchema,
  warn: (message: string) => void = () => {},
): Promise<void> {
  const typed = [...tables.values()].filter(({ isSystem }) => isSystem !== true);
  await checkRowSecurity(tx, typed);
  const descriptions = new Map(schema.tables.map((table) => [table.name, table]));
  const refs = refsOf(schema, tables);
  const path = await ownSearchPath(tx);
  await installFunctions(tx, [
    ...publicFunctions,
    ...innerFunctions,
    changedFunction(typed),
    ...typed.flatMap((table) =>
      tableFunctions(table, descriptions.get(table.table) as TableDescription, refs, path),
    ),
  ]);
  const all = [...tables.values()].map((table) => ({
    table,
    triggers: table.table === kMembers ? membershipTriggers() : triggersOf(table),
  }));
  const digest = digestOf(triggersOf(kAnyTable).map(({ when }) => when));
  const isSame = (await readMeta(tx, kTriggers)) === digest;
  const [existing, columns] = [await existingTriggers(tx), await existingColumns(tx)];
  for (const { table, triggers } of all) {
    const there = existing.get(table.name);
    for (const { name, when, does } of triggers) {
      if (isSame && there?.has(name)) continue;
      const on = when.replace(' on T ', ` on ${table.name} `);
      await tx.query(`create or replace trigger ${quoteName(name)} ${on} execute function ${does}`);
    }
    if (table.isSystem !== true)
      await setDefaults(tx, table, columns.get(unquote(table.name)) ?? new Map());
    if ([...(there?.values() ?? [])].includes(false)) {
      warn(disabledTriggers(table));
    }
  }
  if (!existing.get('skerry.raw_tx')?.has(kLogTrigger)) {
    await tx.query(
      `create constraint trigger ${quoteName(kLogTrigger)} after insert on skerry.raw_tx
         deferrable initially deferred for each row execute function skerry.log_foreign()`,
    );
  }
  if (!isSame) await writeMeta(tx, kTriggers, digest);
}
