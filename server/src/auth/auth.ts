// Authentication: which user calls, and what the token claims. Tokens are JWTs (jwt.ts), or of a kind that the
// application verifies (own-verify.ts). With `dev`, a token `dev:<user>` stands for that user, who may also write the
// realm `public`.

import type { IncomingHttpHeaders } from 'node:http';
import { limits } from '../base/limits.ts';
import { LruMap } from '../base/lru-map.ts';
import { SetupError } from '../base/setup-error.ts';
import type { JwksOptions } from './jwks.ts';
import { type JwtOptions, jwtVerifier } from './jwt.ts';
import { ownVerifier, type VerifyToken } from './own-verify.ts';
import { personalClaims, type User, unauthenticated } from './user.ts';

export interface AuthOptions extends JwtOptions {
  /** In place of JWTs. */
  readonly verify?: VerifyToken | undefined;
  readonly dev?: boolean | undefined;
  /** How many verified tokens are remembered, by their text. */
  readonly tokensRemembered?: number;
}

/** `address`: from where the token comes. */
export type Authenticate = (token: string | null, address?: string) => Promise<User>;

/** The bearer token of a request, or null. */
export function bearer({ authorization }: IncomingHttpHeaders): string | null {
  const match = /^Bearer +(\S+)$/i.exec(authorization ?? '');
  return match?.[1] ?? null;
}

interface VerifiedToken {
  readonly user: User;
  /** When it is verified again, ms. */
  readonly until: number;
}

/** The users of verified tokens, by exact text. A client sends the same token with every request. */
class KnownTokens {
  readonly #users: LruMap<VerifiedToken>;
  readonly #rememberedMs: number;

  constructor(limit: number, rememberedMs: number) {
    this.#users = new LruMap(limit);
    this.#rememberedMs = rememberedMs;
  }

  find(token: string): User | null {
    const known = this.#users.get(token);
    if (known === undefined) return null;
    const { user, until } = known;
    const now = Date.now();
    // The same comparison as in `jose`: a token is no longer valid in the second of its `exp`.
    const isValid = user.expires === null || user.expires > Math.floor(now / 1000);
    if (isValid && now < until) return user;
    this.#users.delete(token);
    return null;
  }

  add(token: string, user: User): void {
    if (token.length > limits.tokenRememberedBytes) return;
    this.#users.use(token, { user, until: Date.now() + this.#rememberedMs });
  }
}

function devUser(token: string): User {
  let name: string;
  try {
    name = decodeURIComponent(token.slice('dev:'.length));
  } catch (error) {
    throw unauthenticated(`The development token is malformed: ${(error as Error).message}`);
  }
  const claims = personalClaims(name);
  claims.set('public', 'write');
  return { id: name, claims, expires: null };
}

/** A token that is still used is verified again after some time, where that may give another result than before. */
function rememberedMs({ verify, jwks }: AuthOptions): number {
  if (verify !== undefined) return limits.verifiedTokenMs;
  return jwks === undefined ? Number.POSITIVE_INFINITY : limits.jwksTokenMs;
}

/** Verifies tokens. A token is verified once as long as it is remembered and has not expired. */
export function createAuth(options: AuthOptions, ofJwks: JwksOptions = {}): Authenticate {
  const { secret, jwks, verify, dev = false } = options;
  if ([secret ?? undefined, jwks, verify].filter((way) => way !== undefined).length > 1) {
    throw new SetupError(
      'Tokens are verified by a secret, by JWKS, or by a function: one of them.',
    );
  }
  const known = new KnownTokens(
    options.tokensRemembered ?? limits.tokensRemembered,
    rememberedMs(options),
  );
  const verifyToken =
    verify === undefined ? jwtVerifier(options, ofJwks) : ownVerifier(verify, ofJwks.log);
  return async (token, address = '') => {
    if (token === null || token === '') throw unauthenticated('A bearer token is required.');
    if (token.length > limits.tokenBytes) throw unauthenticated('The token is too long.');
    const found = known.find(token);
    if (found !== null) return found;
    const isDev = token.startsWith('dev:');
    if (isDev && !dev) throw unauthenticated('This server accepts no development tokens.');
    const user = isDev ? devUser(token) : await verifyToken(token, address);
    known.add(token, user);
    return user;
  };
}
