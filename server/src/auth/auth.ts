// Authentication: which user calls, and what the token grants. A token is an HS256 JWT with `sub`, `exp`
// and, if the issuer grants rights beyond the personal realm, `realms: {name: "read"|"write"}`. Two keys are accepted
// during a key rotation. With `dev`, a token `dev:<user>` stands for that user, who may also write the realm
// `public`. A user without a right to a realm cannot tell whether the realm exists.

import type { IncomingHttpHeaders } from 'node:http';
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { Recent } from '../base/recent.ts';
import { SetupError } from '../base/setup-error.ts';

export type Right = 'read' | 'write' | 'own';

export interface User {
  readonly id: string;
  /** What the request grants: the personal realm, and those of the token. Memberships stand beside (rights.ts). */
  readonly grants: ReadonlyMap<string, Right>;
  /** When the token expires, in seconds of Unix time, or null. */
  readonly expires: number | null;
}

export interface AuthOptions {
  /** The key of HS256 tokens, or null if only `dev` tokens are accepted. */
  readonly secret: string | null;
  /** The previous key. Its tokens are still valid, so that a key rotation does not log everybody out. */
  readonly previousSecret?: string | null | undefined;
  /** Required values of the claims `iss` and `aud`, and of the header `typ`; not checked if left out. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  readonly typ?: string | undefined;
  readonly dev: boolean;
  /** How many verified tokens are remembered, by their text. */
  readonly tokensRemembered?: number;
}

export type Authenticate = (token: string | null) => Promise<User>;

const kUserPattern = /^[^\p{Cc} ]{1,100}$/u;
const kRealmPattern = /^\P{Cc}+$/u;

function unauthenticated(detail: string): Problem {
  return new Problem('unauthenticated', detail);
}

export function isRealmName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    kRealmPattern.test(name) &&
    name.isWellFormed() &&
    Buffer.byteLength(name) <= limits.idBytes
  );
}

function personal(user: string): Map<string, Right> {
  if (!kUserPattern.test(user) || !user.isWellFormed()) {
    throw unauthenticated('The user of the token has an invalid name.');
  }
  const realm = `user:${user}`;
  if (!isRealmName(realm)) {
    throw unauthenticated(
      `The user of the token is too long: the realm \`user:<user>\` has at most ${limits.idBytes} bytes.`,
    );
  }
  return new Map([[realm, 'write']]);
}

function claimedRealms(claim: unknown, into: Map<string, Right>): void {
  if (claim === undefined) return;
  if (!isObject(claim)) throw unauthenticated('The claim `realms` of the token is not an object.');
  for (const [realm, right] of Object.entries(claim)) {
    if (!isRealmName(realm) || (right !== 'read' && right !== 'write')) {
      throw unauthenticated('The claim `realms` of the token maps realms to "read" or "write".');
    }
    if (into.get(realm) !== 'write') into.set(realm, right);
  }
}

/** The bearer token of a request, or null. */
export function bearer({ authorization }: IncomingHttpHeaders): string | null {
  const match = /^Bearer +(\S+)$/i.exec(authorization ?? '');
  return match?.[1] ?? null;
}

/** The users of verified tokens, by exact text. A client sends the same token with every request. */
class KnownTokens {
  readonly #users: Recent<User>;

  constructor(limit: number) {
    this.#users = new Recent(limit);
  }

  find(token: string): User | null {
    const user = this.#users.get(token);
    if (user === undefined) return null;
    // The same comparison as in `jose`: a token is no longer valid in the second of its `exp`.
    if (user.expires === null || user.expires > Math.floor(Date.now() / 1000)) return user;
    this.#users.delete(token);
    return null;
  }

  add(token: string, user: User): void {
    if (token.length > limits.tokenRememberedBytes) return;
    this.#users.use(token, user);
  }
}

/** Verifies tokens. A token is verified once as long as it is remembered and has not expired. */
export function createAuth(options: AuthOptions): Authenticate {
  const known = new KnownTokens(options.tokensRemembered ?? limits.tokensRemembered);
  const verify = verifier(options);
  return async (token) => {
    if (token === null || token === '') throw unauthenticated('A bearer token is required.');
    if (token.length > limits.tokenBytes) throw unauthenticated('The token is too long.');
    const found = known.find(token);
    if (found !== null) return found;
    const user = await verify(token);
    known.add(token, user);
    return user;
  };
}

/** The key of HS256. A short key can be guessed from one token (RFC 7518, section 3.2). */
function keyOf(secret: string, name: string): Uint8Array {
  const key = new TextEncoder().encode(secret);
  if (key.length >= limits.secretBytes) return key;
  throw new SetupError(
    `${name} has ${key.length} bytes: the key of tokens needs at least ${limits.secretBytes}, for instance of \`openssl rand -base64 32\`.`,
  );
}

function keysOf({ secret, previousSecret = null }: AuthOptions): readonly Uint8Array[] {
  if (secret === null && previousSecret !== null) {
    throw new SetupError('There is a previous secret, but no current one.');
  }
  const keys = secret === null ? [] : [keyOf(secret, 'The secret')];
  return previousSecret === null ? keys : [...keys, keyOf(previousSecret, 'The previous secret')];
}

const kFlagOfClaim = { iss: '--issuer', aud: '--audience', typ: '--token-type' } as const;

/** The reason why a token is refused, in words that help its issuer. */
function refusal(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim } = error;
    const flag = kFlagOfClaim[claim as keyof typeof kFlagOfClaim];
    const why = flag === undefined ? 'says that it is not valid now' : `is not that of ${flag}`;
    return unauthenticated(`The token is not for this server: its \`${claim}\` ${why}.`);
  }
  if (error instanceof errors.JOSEError) return unauthenticated('The token is not valid.');
  return error;
}

/** The claims of a token that one of the keys has signed. */
async function payloadOf(
  token: string,
  keys: readonly Uint8Array[],
  must: JWTVerifyOptions,
): Promise<JWTPayload> {
  for (const [i, key] of keys.entries()) {
    try {
      return (await jwtVerify(token, key, must)).payload;
    } catch (error) {
      const isOther = error instanceof errors.JWSSignatureVerificationFailed;
      if (!isOther || i === keys.length - 1) throw refusal(error);
    }
  }
  throw unauthenticated('This server accepts development tokens only.');
}

function verifier(options: AuthOptions): (token: string) => Promise<User> {
  const keys = keysOf(options);
  const { issuer, audience, typ } = options;
  // No clockTolerance: `exp` and `nbf` are compared with this machine's clock to the second.
  const must: JWTVerifyOptions = {
    algorithms: ['HS256'],
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...(typ === undefined ? {} : { typ }),
  };
  return async (token) => {
    if (token.startsWith('dev:')) {
      if (!options.dev) throw unauthenticated('This server accepts no development tokens.');
      let name: string;
      try {
        name = decodeURIComponent(token.slice('dev:'.length));
      } catch (error) {
        throw unauthenticated(`The development token is malformed: ${(error as Error).message}`);
      }
      const grants = personal(name);
      grants.set('public', 'write');
      return { id: name, grants, expires: null };
    }
    const payload = await payloadOf(token, keys, must);
    if (typeof payload.sub !== 'string') throw unauthenticated('The token has no `sub`.');
    if (payload.exp === undefined) {
      throw unauthenticated('The token has no `exp`: it would never expire.');
    }
    const grants = personal(payload.sub);
    claimedRealms(payload.realms, grants);
    return { id: payload.sub, grants, expires: payload.exp };
  };
}
