// What is checked before a server opens anything, so that a wrong setting is one sentence and not a fault of later.

import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { reasonOf } from './base/reason.ts';
import { SetupError } from './base/setup-error.ts';
import { sqlState } from './db/database.ts';
import { checkDatabaseUrl } from './db/database-url.ts';

/** Makes the folder of the data, if it is missing. Throws SetupError if nothing can be written there. */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new SetupError(
      `The folder of the data, ${folder}, cannot be written: ${reasonOf(error)}. --data (\`data\`) names another.`,
      { cause: error },
    );
  }
}

export function checkFilesFolder(files: string | undefined): void {
  if (files === undefined) return;
  if (existsSync(files) && statSync(files).isDirectory()) return;
  throw new SetupError(`--static (\`files\`): there is no folder ${files}.`);
}

/** Schemes that are not the web's, as of applications in a shell: their origin is what stands before a path. */
const kOrigin = /^[a-z][a-z\d+.-]*:\/\/[^/?#\s]+$/i;

/** A browser sends an origin without a path: one with a path would never be equal to it. */
export function checkOrigins(origins: readonly string[] | undefined): void {
  for (const origin of origins ?? []) {
    const isWeb = /^https?:/i.test(origin) && URL.canParse(origin);
    const wanted = isWeb ? new URL(origin).origin : kOrigin.test(origin) ? origin : null;
    if (origin === wanted || origin === 'null') continue;
    throw new SetupError(
      `--origin ${origin} is no origin${wanted === null ? ', as https://app.example is' : `: it is ${wanted}`}.`,
    );
  }
}

/** How the operator gives the right that PostgreSQL has named in its message. */
function grantFor(message: string, user: string): string {
  const [, kind, name] = /for (database|schema) (\S+)/.exec(message) ?? [];
  if (kind === 'database') return `grant create on database ${name} to ${user}`;
  if (kind === 'schema') return `grant usage, create on schema ${name} to ${user}`;
  const [, of, owned] = /must be owner of (table|schema) (\S+)/.exec(message) ?? [];
  if (owned !== undefined) return `alter ${of} ${owned} owner to ${user}`;
  return `the rights to create and change its tables, for ${user}`;
}

/** Explains that the database's user may not make the tables; returns any other error unchanged. */
export function explainRights(error: unknown, url: string | undefined): unknown {
  if (url === undefined || sqlState(error) !== '42501') return error;
  const user = decodeURIComponent(new URL(url).username) || 'the user';
  const { message } = error as Error;
  return new SetupError(
    `The database at ${checkDatabaseUrl(url)} does not let ${user} make the tables: ${message}. It needs: ${grantFor(message, user)}.`,
    { cause: error },
  );
}
