// Goal: the parts of HTTP that need no database: bodies, ranges, origins. Tokens are in auth.test.ts. Method: call them.

import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { BodyBytes } from '../../server/src/cost/bodies.ts';
import { acceptsGzip, type Incoming, objectOf, readBody } from '../../server/src/http/body.ts';
import { compressedOnce } from '../../server/src/http/compressed.ts';
import { isPartial } from '../../server/src/http/files.ts';
import { Refusals } from '../../server/src/http/refusals.ts';
import { originAllowed } from '../../server/src/wire/origins.ts';
import { codeOf } from './support/code-of.ts';

describe('bodies', () => {
  const bytes = new BodyBytes({ inAll: 100 << 20, perUser: 100 << 20 });
  const readObject = async (request: Incoming) =>
    objectOf(await readBody(request, bytes.hold('anna')));
  const request = (body: string | Buffer, headers: Record<string, string> = {}) =>
    Object.assign(Readable.from([Buffer.from(body)]), { headers });

  test('a compressed body is read', async () => {
    const body = gzipSync(JSON.stringify({ a: 'å' }));
    expect(await readObject(request(body, { 'content-encoding': 'gzip' }))).toEqual({ a: 'å' });
  });

  test('a body of the maximum size is read; one byte more is refused in any form', async () => {
    const text = (bytes: number) => Buffer.from(`{}${' '.repeat(bytes - 2)}`);
    const most = limits.bodyBytes;
    const ways: ((bytes: number) => Parameters<typeof readObject>[0])[] = [
      (bytes) => request(text(bytes)),
      (bytes) => request(text(bytes), { 'content-length': `${bytes}` }),
      (bytes) => request(gzipSync(text(bytes)), { 'content-encoding': 'gzip' }),
      // In pieces, the last one of one byte.
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
      expect(await readObject(way(most))).toEqual({});
      expect(await codeOf(readObject(way(most + 1)))).toBe('too_large');
    }
    // Its declared length counts at once, and its bytes are counted all the same.
    expect(await codeOf(readObject(request('{}', { 'content-length': `${most + 1}` })))).toBe(
      'too_large',
    );
    expect(await codeOf(readObject(request(text(most + 1), { 'content-length': '2' })))).toBe(
      'too_large',
    );
  });

  test('refuses a body that is over the limit only when decompressed', async () => {
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
    'refuses a body whose caller disconnects (%o)',
    async (headers) => {
      const body = Object.assign(new Readable({ read() {} }), { headers });
      const read = codeOf(readObject(body));
      body.push('{"a":');
      body.destroy();
      expect(await read).toBe('bad_request');
      expect(await codeOf(readObject(body))).toBe('bad_request');
    },
  );

  test('sends gzip only to clients that accept it', () => {
    expect(acceptsGzip('br, gzip')).toBe(true);
    expect(acceptsGzip('gzip;q=0')).toBe(false);
    expect(acceptsGzip('br')).toBe(false);
    expect(acceptsGzip(undefined)).toBe(false);
  });
});

test.each([
  ['bytes=0-9', undefined, true],
  ['bytes=90-', undefined, true],
  ['bytes=-10', undefined, true],
  ['bytes=0-9', '"tag"', true],
  ['bytes=0-9', '"another"', false],
  ['bytes=0-1,4-5', undefined, false],
  ['bytes=-', undefined, false],
  ['lines=0-1', undefined, false],
  [undefined, undefined, false],
])('the range %s if it is of %s: is the answer a part? %s', (range, condition, expected) => {
  expect(isPartial(range, condition, '"tag"')).toBe(expected);
});

test('refuses pages of another origin unless they are named', () => {
  expect(originAllowed(undefined, 'a:1', new Set())).toBe(true);
  expect(originAllowed('http://a:1', 'a:1', new Set())).toBe(true);
  expect(originAllowed('http://b', 'a:1', new Set())).toBe(false);
  expect(originAllowed('null', 'a:1', new Set())).toBe(false);
  expect(originAllowed('http://b', 'a:1', new Set(['http://b']))).toBe(true);
});

describe('a file', () => {
  /** Serves one file, whose text and tag may change, and counts how often it is read. */
  const served = (type = 'text/javascript') => {
    const file = { text: 'let x = 1;\n'.repeat(1_000), tag: '"1"', reads: 0, isThere: true };
    const app = new Hono();
    app.onError((_error, context) => context.text('', 500));
    app.get('*', compressedOnce(), () => {
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            file.reads++;
            if (!file.isThere) throw new Error('no longer there');
            controller.enqueue(Buffer.from(file.text));
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      const headers = {
        etag: file.tag,
        'content-type': type,
        'content-length': `${file.text.length}`,
      };
      return new Response(body, { headers });
    });
    const get = (accepted = 'gzip', method = 'GET') =>
      app.request('/app.js', { method, headers: { 'accept-encoding': accepted } });
    return { file, get };
  };

  test('is read and compressed once for each version, however often it is asked for', async () => {
    const { file, get } = served();
    for (const version of [1, 2]) {
      Object.assign(file, {
        text: `let x = ${version};\n`.repeat(1_000),
        tag: `"${version}"`,
        reads: 0,
      });
      // At once, and one after the other.
      const answers = await Promise.all(Array.from({ length: 20 }, () => get()));
      answers.push(await get());
      for (const answer of answers) {
        expect(answer.headers.get('content-encoding')).toBe('gzip');
        expect(answer.headers.get('etag')).toBe(`W/"${version}"`);
        const body = Buffer.from(await answer.arrayBuffer());
        expect(answer.headers.get('content-length')).toBe(`${body.length}`);
        expect(gunzipSync(body).toString()).toBe(file.text);
      }
      expect(file.reads).toBe(1);
    }
  });

  test('that cannot be read is tried again', async () => {
    const { file, get } = served();
    file.isThere = false;
    expect((await get()).status).toBe(500);
    file.isThere = true;
    const body = Buffer.from(await (await get()).arrayBuffer());
    expect(gunzipSync(body).toString()).toBe(file.text);
  });

  test.each([
    ['a caller that takes no gzip', 'text/css', 'br', 2_000],
    ['a picture', 'image/png', 'gzip', 2_000],
    ['a short text', 'text/css', 'gzip', limits.compressedBytesLeast - 1],
  ])('is not compressed for %s', async (_name, type, accepted, bytes) => {
    const { file, get } = served(type);
    file.text = 'x'.repeat(bytes);
    const answer = await get(accepted);
    expect(answer.headers.get('content-encoding')).toBeNull();
    expect(await answer.text()).toBe(file.text);
  });
});

describe('refusals', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('wait, but for those beyond a number', async () => {
    vi.useFakeTimers();
    const most = 3;
    const refusals = new Refusals(most);
    const answered: number[] = [];
    const wait = (n: number) => refusals.pause().then(() => answered.push(n));
    const first = Array.from({ length: most }, (_, n) => wait(n));
    await wait(-1);
    expect(answered).toEqual([-1]);
    await vi.advanceTimersByTimeAsync(limits.refusedMs);
    await Promise.all(first);
    void wait(0);
    await vi.advanceTimersByTimeAsync(limits.refusedMs - 1);
    expect(answered).toHaveLength(most + 1);
  });
});
