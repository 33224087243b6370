// Tokens of another kind: the application verifies them. Its function has a time limit, runs once at a time for one token,
// and a limited number of times at once, in all and for one address. What it throws is logged, since it may be a fault of its own; one error a second
// at most, because any caller can send tokens that are not valid.

import { types } from 'node:util';
import { Counts } from '../base/counts.ts';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { addClaimed, personalClaims, type User, unauthenticated } from './user.ts';

export interface VerifiedUser {
  /** The name of the user; at most 91 bytes of UTF-8. */
  readonly user: string;
  /** Rights beyond the personal realm. */
  readonly realms?: Readonly<Record<string, 'read' | 'write'>> | undefined;
  /** From when on the token is not valid: a Date, or seconds of Unix time; by default an hour from now. */
  readonly expires?: Date | number | undefined;
}

/**
 * Verifies a token. If it throws, or returns nothing, the request is answered with 401; what it throws is logged. It is
 * asked again about a token that is still used after a minute.
 */
export type VerifyToken = (
  token: string,
  context: { readonly signal: AbortSignal },
) => VerifiedUser | null | undefined | Promise<VerifiedUser | null | undefined>;

/** The last second of the year 9999. What is later was meant as milliseconds, and would never expire. */
const kLatest = 253_402_300_799;

function expiryOf({ expires }: VerifiedUser): number {
  const now = Math.floor(Date.now() / 1000);
  const at = types.isDate(expires) ? Math.floor(expires.getTime() / 1000) : expires;
  if (at === undefined) return now + limits.verifiedForSeconds;
  if (!Number.isFinite(at)) throw unauthenticated('The expiry of the token is not a time.');
  if (at > kLatest) {
    throw unauthenticated('The expiry of the token is in milliseconds: it has to be in seconds.');
  }
  if (at <= now) throw unauthenticated('The token has expired.');
  return at;
}

function userOf(verified: unknown): User {
  if (!isObject(verified) || typeof verified.user !== 'string') {
    throw unauthenticated('The token is not valid.');
  }
  const { user, realms } = verified;
  const claims = personalClaims(user);
  addClaimed(realms, claims);
  return { id: user, claims, expires: expiryOf(verified as unknown as VerifiedUser) };
}

export type LogError = (message: string, error: unknown) => void;

/** Logs no more than one error in `limits.verifyLoggedMs`. */
function seldom(log: LogError): (error: unknown) => void {
  let next = 0;
  return (error) => {
    const now = performance.now();
    if (now < next) return;
    next = now + limits.verifyLoggedMs;
    log('A token could not be verified: `verify` has failed.', error);
  };
}

async function within(
  verify: VerifyToken,
  token: string,
  failed: (error: unknown) => void,
): Promise<unknown> {
  const timeout = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Problem('busy', 'The token could not be verified in time.'));
      timeout.abort();
    }, limits.verifyWithinMs);
  });
  const verifying = (async () => verify(token, { signal: timeout.signal }))();
  try {
    return await Promise.race([verifying, late]);
  } catch (error) {
    if (error instanceof Problem) throw error;
    failed(error);
    throw unauthenticated('The token is not valid.');
  } finally {
    clearTimeout(timer);
  }
}

export function ownVerifier(
  verify: VerifyToken,
  log: LogError = console.error,
): (token: string, address: string) => Promise<User> {
  const failed = seldom(log);
  const running = new Map<string, Promise<User>>();
  const ofAddress = new Counts();
  return (token, address) => {
    const known = running.get(token);
    if (known !== undefined) return known;
    if (ofAddress.of(address) >= limits.verifyingPerAddress) {
      const detail = 'Too many tokens of this address are being verified.';
      throw new Problem('rate_limited', detail, {}, 1);
    }
    if (running.size >= limits.verifying) {
      throw new Problem('busy', 'Too many tokens are being verified.');
    }
    const work = within(verify, token, failed)
      .then(userOf)
      .finally(() => {
        running.delete(token);
        ofAddress.remove(address);
      });
    running.set(token, work);
    ofAddress.add(address);
    return work;
  };
}
