/** The user of a database, and of a token: one user's database must never be pushed as another user. */
import { encodeText } from './data-codec.ts';
import { AuthError, LimitError, ValidationError } from './errors.ts';
import { maxUserBytes } from './limits.ts';

/**
 * The one rule of a user's name, for `open`, invitations, and the tokens of a server (server/src/auth/user.ts): text of any script, but
 * no control characters. Throws ValidationError, or LimitError if it is too long.
 */
export function checkUser(user: unknown): asserts user is string {
  const isName = typeof user === 'string' && /^\P{Cc}+$/u.test(user) && !/\p{Cs}/u.test(user);
  if (!isName)
    throw new ValidationError(
      'invalid_argument',
      'A user is named by a text that is not empty, without control characters and half surrogate pairs.',
    );
  if (encodeText(user).length > maxUserBytes)
    throw new LimitError('limit', `The name of a user has at most ${maxUserBytes} bytes of UTF-8.`);
}

/** The user in the name `skerry/<name>/<user>` (js/api/options.ts); null: the database was made without one. */
export function userOfDatabase(database: string): string | null {
  const name = database.split('/')[2] ?? 'local';
  return name === 'local' ? null : decodeURIComponent(name);
}

const development = 'dev:';

/** The user of a token for development, which may be percent-encoded already. */
function userForDevelopment(token: string): string {
  const name = token.slice(development.length);
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // A percent sign of the name's own.
  }
}

/**
 * The user that a token names: `dev:<user>`, or a JWT with a `sub`. Not verified, which is the server's part. Null where it
 * does not say.
 */
function userOfToken(token: string): string | null {
  if (token.startsWith(development)) return userForDevelopment(token);
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

/**
 * What the application gave as the token of a user, as it is sent: `dev:<user>` is percent-encoded, because a header holds ASCII
 * only. Throws AuthError: it is another user's (`wrong_user`), or cannot be in a header (`bad_token`).
 */
export function tokenToSend(token: unknown, user: string | null): string {
  if (typeof token !== 'string') throw badToken(`a ${typeof token}, not a text or null`);
  if (/\p{Cs}/u.test(token)) throw badToken('half of a surrogate pair');
  const other = userOfToken(token);
  if (other !== null && user !== null && other !== user) {
    const message = `token() gave a token of the user "${other}", and this database is the user "${user}"’s.`;
    throw new AuthError('wrong_user', message, { retryable: true });
  }
  const sent = token.startsWith(development)
    ? development + encodeURIComponent(userForDevelopment(token))
    : token;
  const [wrong] = /[^\x20-\x7e]/u.exec(sent) ?? [];
  if (wrong !== undefined) {
    const code = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw badToken(`the character U+${code}`);
  }
  if (sent === '') throw badToken('an empty text, not a token or null');
  return sent;
}

function badToken(what: string): AuthError {
  const message = `The token that token() gave cannot be sent in a header: ${what}.`;
  return new AuthError('bad_token', message, { retryable: true });
}
