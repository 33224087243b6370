// `skerry-server check`: prints what is wrong in a database, a sentence a line. It exits with 1 if there is something.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SetupError } from './base/setup-error.ts';
import { checkDatabase } from './check/check.ts';
import type { Database } from './db/database.ts';
import { checkDatabaseUrl } from './db/database-url.ts';
import { openPGlite } from './db/pglite.ts';
import { openPostgres } from './db/postgres.ts';
import { describeSchema, loadSchema } from './schema-module.ts';

export const kCheckUsage = `skerry-server check --schema FILE [--data ./data]

  Counts the rows of each table, and lists what is wrong, a sentence a line: values that the schema does not allow, rows that
  were not logged, realms that nobody sees, tables that differ from the schema. It changes nothing, and exits with 1 if
  something is wrong. DATABASE_URL=postgres://… names a PostgreSQL, which may be in use; of PGlite the server must be stopped.`;

const flags = {
  schema: { type: 'string' },
  data: { type: 'string', default: './data' },
  help: { type: 'boolean', default: false },
} as const;

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({ options: flags, args: [...args] }).values;
  } catch (error) {
    throw new SetupError(`${(error as Error).message}\nSee skerry-server check --help.`);
  }
}

function open(data: string): Promise<Database> {
  const { DATABASE_URL: url } = process.env;
  if (url === '') throw new SetupError('DATABASE_URL is empty: set it, or unset it to use PGlite.');
  if (url !== undefined) {
    checkDatabaseUrl(url);
    return openPostgres(url);
  }
  const folder = resolve(data);
  if (!existsSync(join(folder, 'pg')))
    throw new SetupError(`--data ${data}: there is no database of PGlite in this folder.`);
  return openPGlite(folder);
}

/** Returns the exit code. */
export async function checkCommand(args: readonly string[]): Promise<number> {
  const { schema: file, data, help } = readFlags(args);
  if (help) {
    console.log(kCheckUsage);
    return 0;
  }
  if (file === undefined)
    throw new SetupError('--schema is needed.\nSee skerry-server check --help.');
  const schema = describeSchema(await loadSchema(file));
  const database = await open(data);
  try {
    const { counts, findings } = await checkDatabase(database, schema);
    for (const line of [...counts, ...findings]) console.log(line);
    console.log(findings.length === 0 ? 'Nothing is wrong.' : `${findings.length} wrong.`);
    return findings.length === 0 ? 0 : 1;
  } finally {
    await database.close();
  }
}
