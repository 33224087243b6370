// Goal: the parts of HTTP that need no database: tokens, bodies, ranges, origins. Method: call them.

import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { SignJWT } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { createAuth } from '../../server/src/auth/auth.ts';
import { acceptsGzip, readObject } from '../../server/src/http/body.ts';
import { parseRange } from '../../server/src/http/files.ts';
import { Problem } from '../../server/src/http/problem.ts';
import { limits } from '../../server/src/limits.ts';
import { originAllowed } from '../../server/src/poke/sockets.ts';

const secret = 'a secret of the tests, long enough for HS256';
const key = new TextEncoder().encode(secret);

function token(claims: Record<string, unknown>, expires: string | null = '1h'): Promise<string> {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' });
  return (expires === null ? jwt : jwt.setExpirationTime(expires)).sign(key);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Problem);
  return (error as Problem).code;
}

describe('tokens', () => {
  const auth = createAuth({ secret, dev: false });

  test('a signed token names the user and its realms; the personal one is always there', async () => {
    const user = await auth(await token({ sub: 'anna', realms: { 'team-1': 'read' } }));
    expect(user.id).toBe('anna');
    expect(Object.fromEntries(user.realms)).toEqual({ 'user:anna': 'write', 'team-1': 'read' });
  });

  test('a claim cannot take the right to the personal realm away', async () => {
    const user = await auth(await token({ sub: 'anna', realms: { 'user:anna': 'read' } }));
    expect(user.realms.get('user:anna')).toBe('write');
  });

  test.each([
    ['expired', () => token({ sub: 'anna' }, '-1h')],
    ['without sub', () => token({})],
    ['with rights of an unknown kind', () => token({ sub: 'anna', realms: { x: 'admin' } })],
    ['of a development server', async () => 'dev:anna'],
    ['that is none', async () => 'x.y.z'],
    ['missing', async () => null],
    [
      'signed with another key',
      async () =>
        new SignJWT({ sub: 'anna' })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(new TextEncoder().encode('another secret, also long enough for it')),
    ],
    [
      'with no signature',
      async () => {
        const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
        return `${part({ alg: 'none' })}.${part({ sub: 'anna' })}.`;
      },
    ],
  ])('a token %s is refused as unauthenticated', async (_name, make) => {
    expect(await codeOf(auth(await make()))).toBe('unauthenticated');
  });

  test('a token that is known still ends when its time has come', async () => {
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

  test('of many tokens only so many are remembered, and all are told apart', async () => {
    const auth = createAuth({ secret, dev: false, tokensRemembered: 2 });
    const texts = await Promise.all(['anna', 'ben', 'cleo'].map((sub) => token({ sub })));
    const users = [];
    // One after the other: which are verified first is up to threads, and the first is the one that is forgotten.
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
    expect(Object.fromEntries(user.realms)).toEqual({ 'user:Åsa': 'write', public: 'write' });
  });
});

describe('bodies', () => {
  const request = (body: string | Buffer, headers: Record<string, string> = {}) =>
    Object.assign(Readable.from([Buffer.from(body)]), { headers });

  test('a compressed body is read', async () => {
    const body = gzipSync(JSON.stringify({ a: 'å' }));
    expect((await readObject(request(body, { 'content-encoding': 'gzip' }))).value).toEqual({
      a: 'å',
    });
  });

  test('a body of exactly as many bytes as are allowed is read, one byte more is refused: declared, counted, and inflated', async () => {
    const text = (bytes: number) => Buffer.from(`{}${' '.repeat(bytes - 2)}`);
    const most = limits.bodyBytes;
    const ways: ((bytes: number) => Parameters<typeof readObject>[0])[] = [
      (bytes) => request(text(bytes)),
      (bytes) => request(text(bytes), { 'content-length': `${bytes}` }),
      (bytes) => request(gzipSync(text(bytes)), { 'content-encoding': 'gzip' }),
      // In pieces, of which the last one is a byte.
      (bytes) =>
        Object.assign(
          Readable.from(
            [text(bytes).subarray(0, most), text(bytes).subarray(most)].filter(
              (part) => part.length > 0,
            ),
          ),
          { headers: {} },
        ),
    ];
    for (const way of ways) {
      expect((await readObject(way(most))).value).toEqual({});
      expect(await codeOf(readObject(way(most + 1)))).toBe('too_large');
    }
    // What it says of its length is believed at once, and what it sends is counted all the same.
    expect(await codeOf(readObject(request('{}', { 'content-length': `${most + 1}` })))).toBe(
      'too_large',
    );
    expect(await codeOf(readObject(request(text(most + 1), { 'content-length': '2' })))).toBe(
      'too_large',
    );
  });

  test('a body that is small on the wire and over the limit when inflated is refused', async () => {
    const body = gzipSync(Buffer.alloc(limits.bodyBytes + 1, 0x20));
    expect(body.length).toBeLessThan(100_000);
    expect(await codeOf(readObject(request(body, { 'content-encoding': 'gzip' })))).toBe(
      'too_large',
    );
  });

  test.each([
    ['too_large', Buffer.alloc(limits.bodyBytes + 1, 0x20), {}],
    ['bad_json', '{', {}],
    ['bad_json', Buffer.from([0x22, 0xff, 0x22]), {}],
    ['bad_request', '[]', {}],
    ['bad_request', 'not gzip', { 'content-encoding': 'gzip' }],
    ['unsupported_encoding', '{}', { 'content-encoding': 'br' }],
  ])('%s', async (code, body, headers) => {
    expect(await codeOf(readObject(request(body, headers as Record<string, string>)))).toBe(code);
  });

  test.each([{}, { 'content-encoding': 'gzip' }])(
    'a body whose caller leaves is refused (%o)',
    async (headers) => {
      const body = Object.assign(new Readable({ read() {} }), { headers });
      const read = codeOf(readObject(body));
      body.push('{"a":');
      body.destroy();
      expect(await read).toBe('bad_request');
      expect(await codeOf(readObject(body))).toBe('bad_request');
    },
  );

  test('gzip is only sent to who reads it', () => {
    expect(acceptsGzip('br, gzip')).toBe(true);
    expect(acceptsGzip('gzip;q=0')).toBe(false);
    expect(acceptsGzip('br')).toBe(false);
    expect(acceptsGzip(undefined)).toBe(false);
  });
});

test.each([
  ['bytes=0-9', { first: 0, last: 9 }],
  ['bytes=90-', { first: 90, last: 99 }],
  ['bytes=-10', { first: 90, last: 99 }],
  ['bytes=50-1000', { first: 50, last: 99 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=9-5', null],
  ['bytes=0-1,4-5', null],
  ['lines=0-1', null],
  [null, null],
])('the range %s of 100 bytes', (header, expected) => {
  expect(parseRange(header, 100)).toEqual(expected);
});

test('pages of another origin are refused, unless they are named', () => {
  expect(originAllowed(undefined, 'a:1', new Set())).toBe(true);
  expect(originAllowed('http://a:1', 'a:1', new Set())).toBe(true);
  expect(originAllowed('http://b', 'a:1', new Set())).toBe(false);
  expect(originAllowed('null', 'a:1', new Set())).toBe(false);
  expect(originAllowed('http://b', 'a:1', new Set(['http://b']))).toBe(true);
});
