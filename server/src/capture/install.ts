// Installs what logs the writes of other programs: functions, and on each typed table triggers and defaults. Only what is missing
// or different is changed, because a change of a table waits for all who use it.

import { createHash } from 'node:crypto';
import type { Queryable } from '../db/database.ts';
import type { SchemaDescription, TableDescription } from '../sql/description.ts';
import { SchemaError } from '../sql/description.ts';
import { type Columns, existingColumns } from '../sql/existing-columns.ts';
import { kMembers } from '../sql/members.ts';
import { readMeta, writeMeta } from '../sql/migrations.ts';
import { quoteName, quoteText, unquote } from '../sql/names.ts';
import { isForeign } from '../sql/own-writes.ts';
import type { SqlSchema, SqlTable } from '../sql/tables.ts';
import { innerFunctions, publicFunctions } from './functions.ts';
import { changedFunction, type RefColumn, tableFunctions, tableKey } from './table-functions.ts';

/** The digests of the functions and of the triggers that are installed. */
const kFunctions = 'capture-functions';
const kTriggers = 'capture-triggers';
/** The trigger at the end of a transaction. */
const kLogTrigger = '~skerry_log';

interface Trigger {
  readonly name: string;
  readonly when: string;
  readonly does: string;
}

/**
 * Triggers of one table run in the order of their names. Those before a row come last, so that they see what triggers of the
 * application have made of it.
 */
function triggersOf(table: SqlTable): Trigger[] {
  const key = tableKey(table);
  const before = (what: string) => `skerry.${quoteName(`before ${what} ${key}`)}()`;
  const [inserted, updated] = ['new.revision > 0', 'new.revision > old.revision'].map(isForeign);
  return [
    {
      name: '~skerry_insert',
      when: `before insert on T for each row when ${inserted}`,
      does: before('insert'),
    },
    {
      name: '~skerry_update',
      when: `before update on T for each row when (old.* *<> new.* and ${updated})`,
      does: before('write'),
    },
    {
      name: '~skerry_delete',
      when: `before delete on T for each row when ${isForeign('old.deleted_at is not null')}`,
      does: before('write'),
    },
    {
      name: '~skerry_inserted',
      when: `after insert on T referencing new table as fresh for each statement when ${isForeign('true')}`,
      does: `skerry.note_inserts(${quoteText(key)})`,
    },
    {
      name: '~skerry_written',
      when: `after update or delete on T for each statement when ${isForeign('true')}`,
      does: 'skerry.note_writes()',
    },
    {
      name: '~skerry_truncate',
      when: 'before truncate on T for each statement',
      does: `skerry.refuse_truncate(${quoteText(table.table)})`,
    },
  ];
}

/** Memberships are written by clients only. */
function membershipTriggers(): Trigger[] {
  const does = 'skerry.refuse_membership()';
  const raised = {
    insert: 'new.revision > 0',
    update: 'new.revision > old.revision',
    delete: 'old.deleted_at is not null',
  };
  return [
    ...Object.entries(raised).map(([event, own]) => ({
      name: `~skerry_${event}`,
      when: `before ${event} on T for each row when ${isForeign(own)}`,
      does,
    })),
    { name: '~skerry_truncate', when: 'before truncate on T for each statement', does },
  ];
}

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

type ExistingTrigger = Record<'name' | 'space' | 'table' | 'enabled', string>;

/** Triggers of all tables differ in names only. */
const kAnyTable: SqlTable = {
  ...{ table: '', name: 'public.""', uuids: true, autosubscribe: false, columns: [] },
};

/** The triggers of ours that there are, by the quoted names of their tables: whether they are enabled. */
async function existingTriggers(tx: Queryable): Promise<Map<string, Map<string, boolean>>> {
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
  await installFunctions(tx, [
    ...publicFunctions,
    ...innerFunctions,
    changedFunction(typed),
    ...typed.flatMap((table) =>
      tableFunctions(table, descriptions.get(table.table) as TableDescription, refs),
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
      warn(
        `The triggers of ${table.name} are disabled: what other programs write there reaches no client. Enable them (alter table ${table.name} enable trigger user), and then log what was missed: select skerry.changed(${quoteText(table.table)}).`,
      );
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
