// DATABASE_URL, looked at before anything is opened, and what is wrong with it in words. Nothing that is said holds its
// password.

import { SetupError } from '../base/setup-error.ts';
import { isUnavailable, sqlState } from './database.ts';

const kDefaultPort = '5432';

/** Checks the address; returns the host and port that messages name. */
export function checkDatabaseUrl(url: string): string {
  const example = 'It is postgres://user:password@host:5432/database.';
  if (!URL.canParse(url)) throw new SetupError(`DATABASE_URL is no URL. ${example}`);
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new SetupError(`DATABASE_URL is of ${protocol}//, not of PostgreSQL. ${example}`);
  }
  return `${hostname || 'localhost'}:${port || kDefaultPort}`;
}

/** The same failure in a sentence, where it is the operator's to mend; else as it is. */
export function explainConnection(error: unknown, where: string): unknown {
  const { message } = error as Error;
  const state = sqlState(error);
  // A database, a user or a password that there is not.
  if (state === '3D000' || state.startsWith('28')) {
    return new SetupError(`The database at ${where} refuses DATABASE_URL: ${message}.`, {
      cause: error,
    });
  }
  if (isUnavailable(error)) {
    return new SetupError(`The database at ${where} did not answer: ${message}.`, { cause: error });
  }
  // The driver's own words: no password, a server without TLS, a certificate that it does not trust.
  if (state === '') {
    return new SetupError(`There is no way to the database at ${where}: ${message}.`, {
      cause: error,
    });
  }
  return error;
}
