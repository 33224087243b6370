/** Remotes: where a database is synchronised with. */
import { ValidationError } from '../core/errors.ts';

export type TokenReason = 'start' | 'expired' | 'refused';

export interface HttpOptions {
  /** Asked for a token at the start, and again when the server does not accept the last one. Null: there is none. */
  token?(why: TokenReason): Promise<string | null>;
  /**
   * Whether a service worker may keep the token in IndexedDB, so that it can push after the last window was closed. True
   * by default; matters only with `serviceWorker`.
   */
  keepToken?: boolean;
  credentials?: RequestCredentials;
}

export interface Remote {
  readonly kind: 'http';
  readonly url: string;
  readonly token: ((why: TokenReason) => Promise<string | null>) | null;
  readonly keepToken: boolean;
  readonly credentials: RequestCredentials;
}

/** A skerry-server, by the address of its protocol: `http('/v1')`, `http('https://sync.example.org/v1')`. */
export function http(url: string | URL, options: HttpOptions = {}): Remote {
  const address = String(url).replace(/\/+$/, '');
  if (address === '')
    throw new ValidationError('invalid_argument', 'http() needs the address of a server.');
  return Object.freeze({
    kind: 'http',
    url: address,
    token: options.token
      ? (why: TokenReason) => (options.token as NonNullable<typeof options.token>)(why)
      : null,
    keepToken: options.keepToken ?? true,
    credentials: options.credentials ?? 'same-origin',
  });
}
