// `skerry-server adopt`: makes tables of an existing PostgreSQL known to Skerry, and writes their schema.

import { parseArgs } from 'node:util';
import { abandon, adopt } from './adopt/adopt.ts';
import type { AdoptedName } from './adopt/plan.ts';
import { SchemaFile } from './adopt/schema-file.ts';
import { schemaText } from './adopt/schema-text.ts';
import { SetupError } from './base/setup-error.ts';
import type { Database } from './db/database.ts';
import { checkDatabaseUrl } from './db/database-url.ts';
import { openPostgres } from './db/postgres.ts';

const kUsage = `skerry-server adopt [--database URL] --table NAME --realm-from COLUMN [--table NAME …] [--schema FILE]
skerry-server adopt [--database URL] --table NAME … --undo

  Makes tables that exist already known to Skerry: clients read and write their rows, and other programs go on with them. Each
  table gets one column more, \`skerry_id\`, and a table of Skerry beside it, which triggers keep the same.

  --database URL        PostgreSQL (or DATABASE_URL)
  --table NAME          a table of the schema public, with a primary key of one column
  --realm-from COLUMN   whose its rows are: the realm is \`user:<value>\`. Of a column that refers to another adopted table, the realm is that
                        of the row there. Or a text with columns in braces: \`team:{team_id}\`
  --schema FILE         writes the module of the schema (schema.mjs); the file must not exist
  --undo                takes it back: the tables are as they were, with what was written meanwhile`;

const options = {
  database: { type: 'string' },
  table: { type: 'string', multiple: true },
  'realm-from': { type: 'string', multiple: true },
  schema: { type: 'string', default: 'schema.mjs' },
  undo: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ options, args: [...args], tokens: true });
  } catch (error) {
    throw new SetupError(`${(error as Error).message}\nSee skerry-server adopt --help.`);
  }
}

/** Each table with the realm that follows it. */
function namesOf(tokens: readonly { kind: string; name?: string; value?: string | undefined }[]) {
  const names: { table: string; realm: string }[] = [];
  for (const { name, value = '' } of tokens) {
    if (name === 'table') names.push({ table: value, realm: '' });
    if (name !== 'realm-from') continue;
    const last = names.at(-1);
    if (last === undefined)
      throw new SetupError('--realm-from follows the --table that it is about.');
    last.realm = value;
  }
  return names as AdoptedName[];
}

/** Says what stands in the way. Returns the exit code. */
function explain(problems: readonly string[]): number {
  for (const line of [...problems, 'Nothing was changed.']) console.error(line);
  return 1;
}

async function adoptInto(
  database: Database,
  names: readonly AdoptedName[],
  file: SchemaFile,
): Promise<number> {
  const { problems, tables, notes, served } = await adopt(database, names, ({ all, version }) =>
    file.complete(schemaText(all, version)),
  ).catch((error: unknown) => {
    file.giveUp();
    throw error;
  });
  if (problems.length > 0) {
    file.discard();
    return explain(problems);
  }
  for (const line of notes) console.log(line);
  if (served.length > 0)
    console.log(
      `The schema that is served has other tables, too (${served.join(', ')}): put the adopted ones into it, and raise its version.`,
    );
  const path = file.publish();
  console.log(`Adopted ${tables.map(({ table }) => table).join(', ')}; the schema is in ${path}.`);
  return 0;
}

/** Returns the exit code. */
export async function adoptCommand(args: readonly string[]): Promise<number> {
  const { values, tokens } = readFlags(args);
  if (values.help) {
    console.log(kUsage);
    return 0;
  }
  const url = values.database ?? process.env.DATABASE_URL;
  if (url === undefined || url === '')
    throw new SetupError(
      '--database (or DATABASE_URL) names the PostgreSQL whose tables are adopted.',
    );
  checkDatabaseUrl(url);
  const names = namesOf(tokens);
  if (names.length === 0)
    throw new SetupError('--table is needed.\nSee skerry-server adopt --help.');
  const database = await openPostgres(url);
  try {
    if (values.undo) {
      const problems = await abandon(
        database,
        names.map(({ table }) => table),
      );
      if (problems.length > 0) return explain(problems);
      console.log('It was taken back.');
      return 0;
    }
    return await adoptInto(database, names, new SchemaFile(values.schema));
  } finally {
    await database.close();
  }
}
