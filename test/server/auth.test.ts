// Goal: users are authenticated by tokens signed with the key, for this server and for a limited time; the server
// does not start with unsafe options. Method: call the parts; test/server/start.test.ts runs the command.

import { SignJWT } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { createAuth } from '../../server/src/auth/auth.ts';
import { checkDevAddress, loopbackHosts } from '../../server/src/auth/loopback.ts';
import { Problem } from '../../server/src/base/problem.ts';
import { SetupError } from '../../server/src/base/setup-error.ts';

const secret = 'a secret of the tests, long enough for HS256';
const key = new TextEncoder().encode(secret);

function token(
  claims: Record<string, unknown>,
  expires: string | null = '1h',
  by = secret,
  typ?: string,
): Promise<string> {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...(typ ? { typ } : {}) });
  return (expires === null ? jwt : jwt.setExpirationTime(expires)).sign(
    new TextEncoder().encode(by),
  );
}

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Problem);
  return error as Problem;
}
const codeOf = async (work: Promise<unknown>) => (await problemOf(work)).code;

describe('tokens', () => {
  const auth = createAuth({ secret, dev: false });

  test('a signed token names the user and its realms; the personal one is always there', async () => {
    const user = await auth(await token({ sub: 'anna', realms: { 'team-1': 'read' } }));
    expect(user.id).toBe('anna');
    expect(Object.fromEntries(user.claims)).toEqual({ 'user:anna': 'write', 'team-1': 'read' });
  });

  test('a claim cannot take the right to the personal realm away', async () => {
    const user = await auth(await token({ sub: 'anna', realms: { 'user:anna': 'read' } }));
    expect(user.claims.get('user:anna')).toBe('write');
  });

  test.each([
    ['expired', () => token({ sub: 'anna' }, '-1h')],
    ['without sub', () => token({})],
    ['without exp, which would be good for ever', () => token({ sub: 'anna' }, null)],
    ['whose user has no room in the name of its realm', () => token({ sub: '漢'.repeat(42) })],
    ['with rights of an unknown kind', () => token({ sub: 'anna', realms: { x: 'admin' } })],
    ['of a development server', async () => 'dev:anna'],
    ['that is none', async () => 'x.y.z'],
    ['missing', async () => null],
    [
      'signed with another key',
      async () => token({ sub: 'anna' }, '1h', 'another secret, also long enough for it'),
    ],
    [
      'with no signature',
      async () => {
        const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
        return `${part({ alg: 'none' })}.${part({ sub: 'anna', exp: 4_000_000_000 })}.`;
      },
    ],
  ])('a token %s is refused as unauthenticated', async (_name, make) => {
    expect(await codeOf(auth(await make()))).toBe('unauthenticated');
  });

  test('a remembered token still expires', async () => {
    const auth = createAuth({ secret, dev: false });
    const exp = 2_000_000_000;
    const text = await new SignJWT({ sub: 'anna', exp })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(key);
    vi.useFakeTimers({ toFake: ['Date'], now: (exp - 1) * 1000 });
    try {
      const user = await auth(text);
      expect(await auth(text)).toBe(user);
      vi.setSystemTime(exp * 1000);
      expect(await codeOf(auth(text))).toBe('unauthenticated');
    } finally {
      vi.useRealTimers();
    }
  });

  test('remembers a limited number of tokens, and never confuses them', async () => {
    const auth = createAuth({ secret, dev: false, tokensRemembered: 2 });
    const texts = await Promise.all(['anna', 'ben', 'cleo'].map((sub) => token({ sub })));
    const users = [];
    // One after the other: threads verify in any order, and the first one must be the one that is forgotten.
    for (const text of texts) users.push(await auth(text));
    expect(users.map(({ id }) => id)).toEqual(['anna', 'ben', 'cleo']);
    expect(await auth(texts[2] as string)).toBe(users[2]);
    const again = await auth(texts[0] as string);
    expect(again).toEqual(users[0]);
    expect(again).not.toBe(users[0]);
  });

  test('a development token gives the personal realm and public', async () => {
    const user = await createAuth({ secret: null, dev: true })('dev:%C3%85sa');
    expect(user.id).toBe('Åsa');
    expect(Object.fromEntries(user.claims)).toEqual({ 'user:Åsa': 'write', public: 'write' });
  });
});

describe('a server accepts', () => {
  const anna = { sub: 'anna' };

  test('tokens of the current and the previous key, and of no third', async () => {
    const previous = 'the secret before, long enough for HS256 too';
    const auth = createAuth({ secret, previousSecret: previous, dev: false });
    expect((await auth(await token(anna))).id).toBe('anna');
    expect((await auth(await token(anna, '1h', previous))).id).toBe('anna');
    const third = await token(anna, '1h', 'a third secret that is long enough for it');
    expect((await problemOf(auth(third))).message).toBe('The token is not valid.');
    expect((await problemOf(auth(await token(anna, '-1h', previous)))).message).toContain(
      'expired',
    );
  });

  test.each([
    ['', 'The secret has 0 bytes'],
    ['a', 'The secret has 1 bytes'],
    ['x'.repeat(31), 'The secret has 31 bytes'],
  ])('no key that can be guessed: %j', (short, said) => {
    expect(() => createAuth({ secret: short, dev: false })).toThrow(SetupError);
    expect(() => createAuth({ secret: short, dev: true })).toThrow(said);
    expect(() => createAuth({ secret, previousSecret: short, dev: false })).toThrow(
      said.replace('The secret', 'The previous secret'),
    );
  });

  test('a key is measured in bytes', () => {
    expect(() => createAuth({ secret: '漢'.repeat(11), dev: false })).not.toThrow();
  });

  test('only its own issuer, audience and type, if set, and names the wrong one', async () => {
    const must = { issuer: 'https://login.example', audience: 'todo', typ: 'at+jwt' };
    const auth = createAuth({ secret, dev: false, ...must });
    const right = { ...anna, iss: must.issuer, aud: [must.audience, 'other'] };
    expect((await auth(await token(right, '1h', secret, 'at+jwt'))).id).toBe('anna');
    for (const [wrong, flag] of [
      [token({ ...right, iss: 'https://other.example' }, '1h', secret, 'at+jwt'), '--issuer'],
      [token({ ...anna, aud: 'todo' }, '1h', secret, 'at+jwt'), '--issuer'],
      [token({ ...right, aud: 'other' }, '1h', secret, 'at+jwt'), '--audience'],
      [token(right, '1h', secret, 'JWT'), '--token-type'],
      [token(right), '--token-type'],
    ] as const) {
      const problem = await problemOf(auth(await wrong));
      expect(problem.code).toBe('unauthenticated');
      expect(problem.message).toContain(flag);
    }
  });

  test('users whose name has up to 91 bytes', async () => {
    const auth = createAuth({ secret, dev: true });
    const longest = `${'漢'.repeat(30)}a`;
    expect((await auth(await token({ sub: longest }))).claims.get(`user:${longest}`)).toBe('write');
    const problem = await problemOf(auth(`dev:${encodeURIComponent(`${longest}d`)}`));
    expect(problem.message).toContain('more than 91 bytes');
  });
});

describe('a development server', () => {
  const hosts = loopbackHosts(['phone.lan']);

  test.each([
    'localhost',
    'localhost:8787',
    'LOCALHOST.',
    'app.localhost:1',
    '127.0.0.1:80',
    '127.9.9.9',
    '[::1]:8787',
    'phone.lan:8787',
  ])('answers under %s', (host) => {
    expect(hosts(host)).toBe(true);
  });

  test.each([
    undefined,
    '',
    'evil.example',
    'evil.example:8787',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.evil',
    'evil@localhost',
    'localhost:8787:1',
    '10.0.0.1',
    '[::2]',
    '0.0.0.0',
  ])('does not under %s', (host) => {
    expect(hosts(host)).toBe(false);
  });

  test('is for this machine only, unless the operator names other hosts', () => {
    for (const address of ['127.0.0.1', 'localhost', '::1', '[::1]']) {
      expect(() => checkDevAddress(address, [])).not.toThrow();
    }
    for (const address of ['0.0.0.0', '::', '192.168.1.5', 'example.org']) {
      expect(() => checkDevAddress(address, [])).toThrow(SetupError);
      expect(() => checkDevAddress(address, ['phone.lan'])).not.toThrow();
    }
  });
});
