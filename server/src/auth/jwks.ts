// The public keys of an issuer (JWKS): a set, or the address of one. A set from an address is fetched when it is first
// needed, and again when it is older than `jwksFreshMs`, or when a token names a key that it does not have. Whoever names
// one waits for a fetch that begins after that, so no number of invented names keeps a new key from being found; and all
// who wait share it, so an address is fetched at most once in `jwksPauseMs`. While it does not answer, it is fetched at most
// once in `jwksDownPauseMs`, and the keys that are known stay valid.

import { setTimeout as pause } from 'node:timers/promises';
import {
  type CryptoKey,
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { reasonOf } from '../base/reason.ts';
import { SetupError } from '../base/setup-error.ts';
import { isLoopbackHost } from './loopback.ts';

type LocalKeys = ReturnType<typeof createLocalJWKSet>;

export interface JwksOptions {
  /** Milliseconds; they never go back. */
  readonly now?: () => number;
  readonly wait?: (ms: number) => Promise<unknown>;
  readonly log?: (message: string, error: unknown) => void;
}

/** An address of keys. Whoever can change what it answers can be any user: so it is encrypted, or on this machine. */
function addressOf(jwks: string | URL): URL {
  if (!URL.canParse(String(jwks)))
    throw new SetupError(`${String(jwks)} is not an address of keys.`);
  const url = new URL(jwks);
  const isSafe =
    url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.host));
  if (isSafe) return url;
  throw new SetupError(
    `The keys of tokens come by https, or from this machine, and not from ${url.href}.`,
  );
}

function localKeys(set: unknown): LocalKeys {
  if (!isObject(set) || !Array.isArray(set.keys) || !set.keys.every(isObject)) {
    throw new TypeError('A set of keys is an object with a list `keys`.');
  }
  return createLocalJWKSet(set as unknown as JSONWebKeySet);
}

function localSet(set: unknown): LocalKeys {
  try {
    return localKeys(set);
  } catch (error) {
    throw new SetupError((error as Error).message, { cause: error });
  }
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > limits.jwksBytes) throw new Error(`It has more than ${limits.jwksBytes} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

async function fetched(url: URL): Promise<LocalKeys> {
  const signal = AbortSignal.timeout(limits.jwksWithinMs);
  const headers = { accept: 'application/json, application/jwk-set+json' };
  const response = await fetch(url, { signal, headers, redirect: 'error' });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`It answered with status ${response.status}.`);
  }
  return localKeys(JSON.parse(await textOf(response)));
}

/** At the start: whether the keys can be fetched. If not, `warn` gets why; requests try again. */
export async function warnOfKeys(jwks: unknown, warn: (message: string) => void): Promise<void> {
  if (typeof jwks !== 'string' && !(jwks instanceof URL)) return;
  try {
    await fetched(addressOf(jwks));
  } catch (error) {
    warn(
      `The keys of tokens could not be fetched from ${String(jwks)}: ${reasonOf(error)}. Until they can be, no token is accepted.`,
    );
  }
}

/** Finds the keys that may have signed a token. */
export class Jwks {
  readonly #url: URL | null;
  readonly #now: () => number;
  readonly #wait: (ms: number) => Promise<unknown>;
  readonly #log: (message: string, error: unknown) => void;
  #keys: LocalKeys | null;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Whether the last fetch has failed. */
  #isDown = false;
  #asking: Promise<void> | null = null;
  /** The next fetch that has not begun yet. */
  #next: Promise<void> | null = null;

  constructor(jwks: string | URL | object, options: JwksOptions = {}) {
    const { now = () => performance.now(), wait = pause, log = console.error } = options;
    const isAddress = typeof jwks === 'string' || jwks instanceof URL;
    this.#url = isAddress ? addressOf(jwks) : null;
    this.#keys = isAddress ? null : localSet(jwks);
    this.#now = now;
    this.#wait = wait;
    this.#log = log;
  }

  /** The key that has signed a token, by the token's header. Throws `JWKSMultipleMatchingKeys` if several may have. */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const askedAt = this.#askedAt;
    if (this.#now() - this.#fetchedAt > limits.jwksFreshMs) await this.#ask();
    const keys = this.#keys;
    if (keys === null) throw new Problem('busy', 'The keys of tokens are temporarily unavailable.');
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || askedAt !== this.#askedAt) throw error;
      await this.#askAgain();
      if (this.#keys === null || this.#keys === keys) throw error;
      return this.#keys(header, token);
    }
  }

  /** Fetches the keys, unless that was tried only just now. */
  async #ask(): Promise<void> {
    const url = this.#url;
    if (url === null) return;
    if (this.#asking === null) {
      if (this.#restMs() > 0) return;
      this.#askedAt = this.#now();
      this.#asking = this.#fetch(url).finally(() => {
        this.#asking = null;
      });
    }
    await this.#asking;
  }

  #restMs(): number {
    const pauseMs = this.#isDown ? limits.jwksDownPauseMs : limits.jwksPauseMs;
    return this.#askedAt + pauseMs - this.#now();
  }

  /** Resolves after a fetch that has begun after this call; at once where the address does not answer. */
  #askAgain(): Promise<void> {
    this.#next ??= (async () => {
      await this.#asking;
      const rest = this.#restMs();
      if (rest > 0 && !this.#isDown) await this.#wait(rest);
      this.#next = null;
      await this.#ask();
    })();
    return this.#next;
  }

  async #fetch(url: URL): Promise<void> {
    try {
      this.#keys = await fetched(url);
      this.#fetchedAt = this.#now();
      this.#isDown = false;
    } catch (error) {
      this.#isDown = true;
      this.#log(`The keys of tokens could not be fetched from ${url.href}.`, error);
    }
  }
}
