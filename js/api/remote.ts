/** Remotes: where a database is synchronised with. */
import { tagOf } from '../core/brand.ts';
import { refuseUnknown, ValidationError } from '../core/errors.ts';

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
  refuseUnknown(options, ['token', 'keepToken', 'credentials'], 'http()');
  const address = addressOf(url);
  const { credentials = 'same-origin', token } = options;
  if (!['omit', 'same-origin', 'include'].includes(credentials))
    throw refused(`the option credentials cannot be ${String(credentials)}`);
  if (token !== undefined && typeof token !== 'function')
    throw refused('the option token is a function that gives one');
  return Object.freeze({
    kind: 'http',
    url: address,
    // Called as a method of the options, which it may be.
    token: token ? (why: TokenReason) => token.call(options, why) : null,
    keepToken: options.keepToken ?? true,
    credentials,
  });
}

/** Without slashes at its end: paths are appended to it. */
function addressOf(url: unknown): string {
  const isAddress = typeof url === 'string' || tagOf(url) === '[object URL]';
  const address = isAddress ? String(url).replace(/\/+$/, '') : '';
  if (address === '') throw refused('it needs the address of a server');
  // A relative one is resolved against the page's, which is not known yet.
  if (!URL.canParse(address, 'https://page.invalid/')) throw refused(`${address} is no address`);
  const { protocol, username, password } = new URL(address, 'https://page.invalid/');
  if (protocol !== 'https:' && protocol !== 'http:')
    throw refused(`an address begins with https: or http:, and ${address} does not`);
  if (username !== '' || password !== '')
    throw refused('an address with a user and a password cannot be fetched: use the option token');
  if (/[?#]/.test(address))
    throw refused(
      `paths are appended to the address, so ${address} cannot have a query or a fragment`,
    );
  return address;
}

/** The whole address, of a page's. Throws ValidationError where the page's own is no server's (`file:`). */
export function wholeAddress({ url }: Remote, resolve: (url: string) => URL): string {
  let whole: URL | null = null;
  try {
    whole = resolve(url);
  } catch {
    // `about:` and `data:` are no base of another address.
  }
  if (whole && /^https?:$/.test(whole.protocol)) return whole.href;
  throw refused(`here it needs a whole address, with https: or http:, and ${url} is not one`);
}

function refused(why: string): ValidationError {
  return new ValidationError('invalid_argument', `http(): ${why}.`);
}
