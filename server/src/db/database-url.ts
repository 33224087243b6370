// Checks DATABASE_URL before anything is opened, and explains its mistakes. No message contains its password.

import { SetupError } from '../base/setup-error.ts';
import { isUnavailable, sqlState } from './database.ts';

const kDefaultPort = '5432';

/** Checks the address; returns the host and port for messages. */
export function checkDatabaseUrl(url: string): string {
  const example = 'It is postgres://user:password@host:5432/database.';
  if (!URL.canParse(url)) throw new SetupError(`DATABASE_URL is not a URL. ${example}`);
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw new SetupError(
      `DATABASE_URL starts with ${protocol}//, not with postgres://. ${example}`,
    );
  }
  return `${hostname || 'localhost'}:${port || kDefaultPort}`;
}

/** Explains a failure that the operator can correct; returns any other error unchanged. */
export function explainConnection(error: unknown, where: string): unknown {
  const { message } = error as Error;
  const state = sqlState(error);
  // The database, the user or the password does not exist.
  if (state === '3D000' || state.startsWith('28')) {
    return new SetupError(`The database at ${where} refuses DATABASE_URL: ${message}.`, {
      cause: error,
    });
  }
  if (isUnavailable(error)) {
    return new SetupError(`The database at ${where} did not answer: ${message}.`, { cause: error });
  }
  // Errors of the driver itself: no password, a server without TLS, an untrusted certificate.
  if (state === '') {
    return new SetupError(`Connecting to the database at ${where} failed: ${message}.`, {
      cause: error,
    });
  }
  return error;
}
