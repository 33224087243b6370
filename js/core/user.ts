/** The user of a database, and of a token: one user's database must never be pushed as another user. */
import { AuthError } from './errors.ts';

/** The user in the name `skerry/<name>/<user>` (js/api/options.ts); null: the database was made without one. */
export function userOfDatabase(database: string): string | null {
  const name = database.split('/')[2] ?? 'local';
  return name === 'local' ? null : decodeURIComponent(name);
}

/**
 * The user that a token names: `dev:<user>`, or a JWT with a `sub`. Not verified, which is the server's part. Null where it
 * does not say.
 */
function userOfToken(token: string): string | null {
  if (token.startsWith('dev:')) return token.slice(4);
  const payload = token.split('.')[1];
  if (payload === undefined) return null;
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === 'string' ? sub : null;
  } catch {
    return null; // It is of another kind, which only the server can read.
  }
}

/** The error for a token of another user, which must not be used here. */
export function wrongUser(token: string | null, user: string | null): AuthError | null {
  const other = token === null || user === null ? null : userOfToken(token);
  if (other === null || other === user) return null;
  const message = `token() gave a token of the user "${other}", and this database is the user "${user}"’s.`;
  return new AuthError('wrong_user', message, { retryable: true });
}
