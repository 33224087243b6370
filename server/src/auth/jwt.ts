// Tokens that are JWTs, signed by a shared key (HS256) or by an issuer's public keys (JWKS). Which algorithms are
// accepted is a matter of configuration, never of the token: a public key is no key of HS256. Claims: `sub`, `exp`, and,
// if the issuer claims rights beyond the personal realm, `realms: {name: "read"|"write"}`.

import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { limits } from '../base/limits.ts';
import { SetupError } from '../base/setup-error.ts';
import { Jwks, type JwksOptions } from './jwks.ts';
import { addClaimed, personalClaims, type User, unauthenticated } from './user.ts';

export interface JwtOptions {
  /** The key of HS256 tokens, at least 32 bytes. */
  readonly secret?: string | null | undefined;
  /** The previous key. Its tokens are still valid, so that a key rotation does not log everybody out. */
  readonly previousSecret?: string | null | undefined;
  /** The issuer's public keys: a set, or its address. Needs `issuer` and `audience`. */
  readonly jwks?: string | URL | object | undefined;
  /** The algorithms that are accepted with `jwks`; by default RS256, PS256, ES256 and EdDSA. */
  readonly algorithms?: readonly string[] | undefined;
  /** Required values of the claims `iss` and `aud`, and of the header `typ`; not checked if left out. */
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  readonly typ?: string | undefined;
  /** By how much the clocks of issuer and server may differ; 0 by default. */
  readonly clockSkewSeconds?: number | undefined;
}

/** Verifies the claims of a token, and throws a Problem if it is not valid. */
type VerifyClaims = (token: string, must: JWTVerifyOptions) => Promise<JWTPayload>;

const kWithPublicKeys = ['RS256', 'PS256', 'ES256', 'EdDSA'];
const kPublicKey = /^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/;

/** The key of HS256. A short key can be guessed from one token (RFC 7518, section 3.2). */
function keyOf(secret: string, name: string): Uint8Array {
  // With a public key as the shared one, everybody could sign.
  if (secret.startsWith('-----BEGIN')) {
    throw new SetupError(`${name} is a key of another kind: public keys are given as JWKS.`);
  }
  const key = new TextEncoder().encode(secret);
  if (key.length >= limits.secretBytes) return key;
  throw new SetupError(
    `${name} has ${key.length} bytes: the key of tokens needs at least ${limits.secretBytes}, for instance of \`openssl rand -base64 32\`.`,
  );
}

function sharedKeys({ secret, previousSecret, algorithms }: JwtOptions): readonly Uint8Array[] {
  if (secret == null) {
    if (previousSecret == null) return [];
    throw new SetupError('There is a previous secret, but no current one.');
  }
  if (algorithms?.some((name) => name !== 'HS256')) {
    throw new SetupError(
      'Tokens that are signed with a secret are of HS256, and of no other algorithm.',
    );
  }
  const keys = [keyOf(secret, 'The secret')];
  return previousSecret == null ? keys : [...keys, keyOf(previousSecret, 'The previous secret')];
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

/** Tries one key after the other. */
async function byOneOf<Key extends Uint8Array | CryptoKey>(
  token: string,
  keys: Iterable<Key> | AsyncIterable<Key>,
  must: JWTVerifyOptions,
): Promise<JWTPayload> {
  let last: unknown = unauthenticated('This server accepts development tokens only.');
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key, must)).payload;
    } catch (error) {
      last = error;
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
    }
  }
  throw last;
}

async function byIssuer(token: string, keys: Jwks, must: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, (header, jws) => keys.find(header, jws), must)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return byOneOf(token, error, must);
  }
}

function issuersAlgorithms({ algorithms = kWithPublicKeys }: JwtOptions): string[] {
  const wrong = algorithms.find((name) => !kPublicKey.test(name));
  if (wrong === undefined && algorithms.length > 0) return [...algorithms];
  throw new SetupError(
    `Tokens of public keys are not of the algorithm ${wrong ?? '(none)'}: name some of RS256, PS256, ES256 and EdDSA.`,
  );
}

function skewOf({ clockSkewSeconds = 0 }: JwtOptions): number {
  if (clockSkewSeconds >= 0 && clockSkewSeconds <= limits.clockSkewSeconds) return clockSkewSeconds;
  throw new SetupError(
    `The clocks of issuer and server may differ by 0 to ${limits.clockSkewSeconds} seconds.`,
  );
}

/** Throws SetupError for unsafe options. */
export function jwtVerifier(
  options: JwtOptions,
  ofJwks: JwksOptions = {},
): (token: string) => Promise<User> {
  const { jwks, issuer, audience, typ } = options;
  if (jwks !== undefined && (issuer === undefined || audience === undefined)) {
    throw new SetupError(
      'With JWKS, issuer and audience are needed: the same keys sign tokens for other servers, too.',
    );
  }
  const skew = skewOf(options);
  const shared = sharedKeys(options);
  const keys = jwks === undefined ? null : new Jwks(jwks, ofJwks);
  const claims: VerifyClaims = (token, must) =>
    keys === null ? byOneOf(token, shared, must) : byIssuer(token, keys, must);
  const must: JWTVerifyOptions = {
    algorithms: keys === null ? ['HS256'] : issuersAlgorithms(options),
    clockTolerance: skew,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...(typ === undefined ? {} : { typ }),
  };
  return async (token) => {
    const { sub, exp, realms } = await claims(token, must).catch((error: unknown) => {
      throw refusal(error);
    });
    if (typeof sub !== 'string') throw unauthenticated('The token has no `sub`.');
    if (exp === undefined) {
      throw unauthenticated('The token has no `exp`: it would never expire.');
    }
    const claimed = personalClaims(sub);
    addClaimed(realms, claimed);
    return { id: sub, claims: claimed, expires: exp + skew };
  };
}
