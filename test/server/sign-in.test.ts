// Goal: tokens of an issuer (JWKS) and tokens that the application verifies are accepted when they are valid, and never
// otherwise; the issuer's keys may change, and its address may be down. Method: call the parts, with an issuer in this
// process and a clock by hand; test/server/mounted.test.ts has a whole server.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Authenticate, createAuth } from '../../server/src/auth/auth.ts';
import type { VerifyToken } from '../../server/src/auth/own-verify.ts';
import { limits } from '../../server/src/base/limits.ts';
import { SetupError } from '../../server/src/base/setup-error.ts';
import { codeOf } from './support/code-of.ts';

const must = { issuer: 'https://login.example', audience: 'todo' };
const right = { sub: 'anna', iss: must.issuer, aud: must.audience };

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function makeKey(kid: string, alg = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

function sign(
  { kid, alg, privateKey }: Key,
  claims: object = right,
  { named = true, expires = '1h' as string | number } = {},
): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg, ...(named ? { kid } : {}) })
    .setExpirationTime(expires)
    .sign(privateKey);
}

/** An issuer whose keys, and whose answers, the test changes. */
class Issuer {
  keys: JWK[] = [];
  answer: 'keys' | 'down' | 'nonsense' | 'endless' = 'keys';
  asked = 0;
  readonly #server: Server = createServer((_request, response) => {
    this.asked++;
    if (this.answer === 'down') response.writeHead(500).end();
    else if (this.answer === 'nonsense') response.end('<html>');
    else if (this.answer === 'endless') {
      const more = () => response.write('x'.repeat(64 << 10), () => response.writable && more());
      more();
    } else response.end(JSON.stringify({ keys: this.keys }));
  });

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys.json`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('tokens of an issuer', () => {
  const issuer = new Issuer();
  let [first, second]: Key[] = [];
  let now = 0;
  const logged: unknown[] = [];
  const open = (more: object = {}) =>
    createAuth(
      { jwks: issuer.url, ...must, ...more },
      { now: () => now, wait, log: (_message, error) => logged.push(error) },
    );
  /** Time passes only for who waits. */
  const wait = async (ms: number) => {
    now += ms;
  };

  beforeAll(async () => {
    await issuer.listen();
    [first, second] = await Promise.all([makeKey('first'), makeKey('second')]);
  });
  afterAll(() => issuer.close());
  beforeEach(() => {
    issuer.keys = [(first as Key).jwk];
    issuer.answer = 'keys';
    issuer.asked = 0;
    logged.length = 0;
  });

  test('are verified by its keys, which are fetched once', async () => {
    const auth = open();
    const token = await sign(first as Key, { ...right, realms: { team: 'read' } });
    const user = await auth(token);
    expect([user.id, Object.fromEntries(user.claims)]).toEqual([
      'anna',
      { 'user:anna': 'write', team: 'read' },
    ]);
    await auth(await sign(first as Key, { ...right, sub: 'bo' }));
    expect(issuer.asked).toBe(1);
  });

  test('of a new key are accepted at once; unknown ones rarely ask for keys', async () => {
    const auth = open();
    await auth(await sign(first as Key));
    now += limits.jwksPauseMs;
    issuer.keys = [(first as Key).jwk, (second as Key).jwk];
    expect((await auth(await sign(second as Key))).id).toBe('anna');
    expect(issuer.asked).toBe(2);
    const began = now;
    expect(await refusedStrangers(auth, 20)).toBe(20);
    // All share one fetch, which waits for the end of the pause.
    expect([issuer.asked, now - began]).toEqual([3, limits.jwksPauseMs]);
  });

  test('of a new key are accepted while others send key ids that there are not', async () => {
    const auth = open();
    await auth(await sign(first as Key));
    const strangers = refusedStrangers(auth, 20);
    issuer.keys = [(second as Key).jwk];
    const { id } = await auth(await sign(second as Key));
    expect([id, await strangers]).toEqual(['anna', 20]);
  });

  test.each([
    ['before the pause is over', limits.jwksDownPauseMs - 1, 0],
    ['after it', limits.jwksDownPauseMs, 1],
  ])('of unknown keys ask a failed address %s: not or once', async (_, ms, asked) => {
    const auth = open();
    await auth(await sign(first as Key));
    issuer.answer = 'down';
    expect(await refusedStrangers(auth, 1)).toBe(1);
    issuer.asked = 0;
    now += ms;
    expect(await refusedStrangers(auth, 20)).toBe(20);
    expect(issuer.asked).toBe(asked);
  });

  /** How many of so many tokens of a key that nobody knows are refused. */
  async function refusedStrangers(auth: Authenticate, count: number): Promise<number> {
    const strange = await makeKey('strange');
    const all = Array.from({ length: count }, (_, n) => sign(strange, { ...right, n }));
    const codes = await Promise.all((await Promise.all(all)).map((token) => codeOf(auth(token))));
    return codes.filter((code) => code === 'unauthenticated').length;
  }

  test('of a key that was withdrawn are refused when the keys are fetched again', async () => {
    const auth = open();
    await auth(await sign(first as Key));
    issuer.keys = [(second as Key).jwk];
    now += limits.jwksFreshMs + 1;
    expect(await codeOf(auth(await sign(first as Key, { ...right, sub: 'bo' })))).toBe(
      'unauthenticated',
    );
  });

  test('are verified again after some time, also those that are remembered', async () => {
    const auth = open();
    const token = await sign(first as Key);
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await auth(token);
      issuer.keys = [(second as Key).jwk];
      now += limits.jwksFreshMs + 1;
      vi.setSystemTime(Date.now() + limits.jwksTokenMs);
      expect(await codeOf(auth(token))).toBe('unauthenticated');
    } finally {
      vi.useRealTimers();
    }
  });

  test.each(['down', 'nonsense', 'endless'] as const)(
    'of known keys are accepted while its address is %s',
    async (answer) => {
      const auth = open();
      await auth(await sign(first as Key));
      issuer.answer = answer;
      now += limits.jwksFreshMs + 1;
      expect((await auth(await sign(first as Key, { ...right, sub: 'bo' }))).id).toBe('bo');
      expect(logged).toHaveLength(1);
    },
  );

  test('wait for its keys where none are known: the caller is not refused', async () => {
    const auth = open();
    issuer.answer = 'down';
    expect(await codeOf(auth(await sign(first as Key)))).toBe('busy');
    issuer.answer = 'keys';
    now += limits.jwksDownPauseMs;
    expect((await auth(await sign(first as Key))).id).toBe('anna');
  });

  test('that name no key are tried with each that fits', async () => {
    issuer.keys = [(first as Key).jwk, (second as Key).jwk].map(({ kid: _kid, ...jwk }) => jwk);
    const token = await sign(second as Key, right, { named: false });
    expect((await open()(token)).id).toBe('anna');
    const strange = await sign(await makeKey('strange'), right, { named: false });
    expect(await codeOf(open()(strange))).toBe('unauthenticated');
  });

  test('of another issuer or audience, or too old, are refused', async () => {
    const auth = open();
    const key = first as Key;
    for (const token of [
      sign(key, { ...right, iss: 'https://other.example' }),
      sign(key, { ...right, aud: 'other' }),
      sign(key, { sub: 'anna' }),
      sign(key, right, { expires: '-1s' }),
    ]) {
      expect(await codeOf(auth(await token))).toBe('unauthenticated');
    }
  });

  test('may be off by the configured skew of clocks, and by no more', async () => {
    const auth = open({ clockSkewSeconds: 60 });
    const at = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
    expect((await auth(await sign(first as Key, right, { expires: at(-30) }))).id).toBe('anna');
    expect(await codeOf(auth(await sign(first as Key, right, { expires: at(-90) })))).toBe(
      'unauthenticated',
    );
    for (const clockSkewSeconds of [-1, 301, Number.NaN]) {
      expect(() => open({ clockSkewSeconds })).toThrow(SetupError);
    }
  });

  test('are never of an algorithm that the configuration does not name', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = part({ ...right, exp: 4_000_000_000 });
    // The public key as the key of a digest: everybody has it.
    const text = JSON.stringify((first as Key).jwk);
    const asSecret = await new SignJWT(right)
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(text));
    for (const token of [`${part({ alg: 'none' })}.${claims}.`, asSecret]) {
      expect(await codeOf(open()(token))).toBe('unauthenticated');
    }
    expect(issuer.asked).toBe(0);
    const rsa = open({ algorithms: ['RS256'] });
    expect(await codeOf(rsa(await sign(first as Key)))).toBe('unauthenticated');
    for (const algorithms of [['HS256'], ['none'], ['RS256', 'HS512'], []]) {
      expect(() => open({ algorithms })).toThrow(SetupError);
    }
  });
});

describe('a server does not start', () => {
  const jwks = 'https://login.example/keys.json';

  test.each([
    ['with keys of an issuer whose tokens are for anybody', { jwks, issuer: 'x' }, 'audience'],
    ['with keys by an open line', { jwks: 'http://login.example/keys', ...must }, 'https'],
    ['with an address that is none', { jwks: 'keys', ...must }, 'not an address'],
    ['with a set of keys that is none', { jwks: { key: 1 }, ...must }, 'keys'],
    ['with two ways to verify', { jwks, secret: 'x'.repeat(32), ...must }, 'one of them'],
    [
      'with a public key as a secret',
      { secret: `-----BEGIN PUBLIC KEY-----${'A'.repeat(50)}` },
      'JWKS',
    ],
    [
      'with a secret for other algorithms',
      { secret: 'x'.repeat(32), algorithms: ['RS256'] },
      'HS256',
    ],
  ])('%s', (_name, options, said) => {
    expect(() => createAuth(options)).toThrow(SetupError);
    expect(() => createAuth(options)).toThrow(said);
  });

  test('but with a set of keys of its own', async () => {
    const key = await makeKey('own', 'EdDSA');
    const auth = createAuth({ jwks: { keys: [key.jwk] }, ...must });
    expect((await auth(await sign(key))).id).toBe('anna');
  });
});

describe('tokens that the application verifies', () => {
  test('name the user, rights and an expiry', async () => {
    const at = Math.floor(Date.now() / 1000) + 100;
    const auth = createAuth({
      verify: async (token) =>
        token === 'session-1' ? { user: 'anna', realms: { team: 'write' }, expires: at } : null,
    });
    const user = await auth('session-1');
    expect([user.id, user.expires]).toEqual(['anna', at]);
    expect(Object.fromEntries(user.claims)).toEqual({ 'user:anna': 'write', team: 'write' });
    expect(await codeOf(auth('session-2'))).toBe('unauthenticated');
    expect(await codeOf(auth('dev:anna'))).toBe('unauthenticated');
  });

  const inSeconds = (at: number) => Math.ceil(at / 1000);
  test.each<[string, (at: number) => Date | number]>([
    ['a Date', (at) => new Date(at)],
    ['seconds', inSeconds],
    ['parts of seconds', (at) => at / 1000],
  ])('are good until their expiry and not after it, given as %s', async (_form, form) => {
    vi.useFakeTimers();
    try {
      const expires = form(Date.now() + 30_000);
      const auth = createAuth({ verify: async () => ({ user: 'anna', expires }) });
      expect((await auth('session')).id).toBe('anna');
      vi.setSystemTime(Date.now() + 28_000);
      expect((await auth('session')).id).toBe('anna');
      vi.setSystemTime(Date.now() + 3_000);
      expect(await codeOf(auth('session'))).toBe('unauthenticated');
    } finally {
      vi.useRealTimers();
    }
  });

  const wrong: [string, VerifyToken][] = [
    [
      'throws',
      () => {
        throw new Error('no such session');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no such session'))],
    ['returns nothing', () => undefined],
    ['returns no user', () => ({ name: 'anna' }) as never],
    ['names a user of no name', () => ({ user: '' })],
    [
      'grants something else than rights',
      () => ({ user: 'anna', realms: { x: 'admin' } }) as never,
    ],
    ['gives rights as a Map', () => ({ user: 'anna', realms: new Map([['x', 'read']]) }) as never],
    ['gives rights as a list', () => ({ user: 'anna', realms: [['x', 'read']] }) as never],
    ['gives rights as text', () => ({ user: 'anna', realms: '{"x":"read"}' }) as never],
    ['gives an expiry that is past', () => ({ user: 'anna', expires: new Date(1000) })],
    ['gives an expiry in milliseconds', () => ({ user: 'anna', expires: Date.now() + 1000 })],
    ['gives an expiry as text', () => ({ user: 'anna', expires: '2099-01-01' }) as never],
    ['gives an expiry that is none', () => ({ user: 'anna', expires: new Date(Number.NaN) })],
  ];
  test.each(wrong)('are refused if it %s', async (_name, verify) => {
    const log = () => {};
    expect(await codeOf(createAuth({ verify }, { log })('session'))).toBe('unauthenticated');
  });

  test('leave what the function throws in the log, and seldom', async () => {
    const errors: unknown[] = [];
    const log = (_message: string, error: unknown) => errors.push(error);
    const fault = new TypeError('sessions is undefined');
    const auth = createAuth({ verify: () => Promise.reject(fault) }, { log });
    for (const token of ['one', 'two', 'three']) {
      expect(await codeOf(auth(token))).toBe('unauthenticated');
    }
    expect(errors).toEqual([fault]);
  });

  test('are asked about once at a time, and again after a minute', async () => {
    let asked = 0;
    const auth = createAuth({ verify: async () => ({ user: `user-${++asked}` }) });
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const users = await Promise.all([auth('session'), auth('session')]);
      expect(users.map(({ id }) => id)).toEqual(['user-1', 'user-1']);
      expect((await auth('session')).id).toBe('user-1');
      vi.setSystemTime(Date.now() + limits.verifiedTokenMs);
      expect((await auth('session')).id).toBe('user-2');
    } finally {
      vi.useRealTimers();
    }
  });

  test('do not hold requests for ever', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      let isAborted = false;
      const verify: VerifyToken = (_token, { signal }) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
        });
        return new Promise(() => {});
      };
      const answered = codeOf(createAuth({ verify })('session'));
      await vi.advanceTimersByTimeAsync(limits.verifyWithinMs);
      expect(await answered).toBe('busy');
      expect(isAborted).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
