// Goal: an address or option of `http()` that no request can be made with is refused there, with a sentence; and a request that
// cannot be built is not taken for one that the network lost. Method: tables.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';
import { http } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { describe, expect, test } from 'vitest';
import { ValidationError } from '../../js/core/errors.ts';
import { world } from './account-world.ts';
import { fresh, openApp, until } from './support.ts';

describe('http() takes', () => {
  test.each([
    ['/v1', '/v1'],
    ['v1', 'v1'],
    ['/v1///', '/v1'],
    ['https://sync.example.org/v1/', 'https://sync.example.org/v1'],
    ['http://localhost:8080', 'http://localhost:8080'],
    ['HTTPS://x.test/v1', 'HTTPS://x.test/v1'],
    ['//sync.example.org/v1', '//sync.example.org/v1'],
    [new URL('https://x.test/v1'), 'https://x.test/v1'],
    [runInNewContext('new URL("https://x.test/v1")', { URL }) as URL, 'https://x.test/v1'],
  ])('%s', (given, url) => expect(http(given).url).toBe(url));
});

describe('http() refuses', () => {
  const cases: readonly (readonly [url: unknown, options: unknown, says: RegExp])[] = [
    ['', {}, /needs the address of a server/],
    ['///', {}, /needs the address of a server/],
    [undefined, {}, /needs the address of a server/],
    [null, {}, /needs the address of a server/],
    [{}, {}, /needs the address of a server/],
    ['ftp://x.test/v1', {}, /begins with https: or http:/],
    ['ws://x.test/v1', {}, /begins with https: or http:/],
    ['file:///v1', {}, /begins with https: or http:/],
    ['javascript:void 0', {}, /begins with https: or http:/],
    ['blob:https://x.test/1', {}, /begins with https: or http:/],
    ['localhost:8080/v1', {}, /begins with https: or http:/],
    ['http://', {}, /is no address/],
    ['http://a b/', {}, /is no address/],
    ['https://ada:secret@x.test/v1', {}, /use the option token/],
    ['/v1?x=1', {}, /cannot have a query or a fragment/],
    ['/v1?', {}, /cannot have a query or a fragment/],
    ['https://x.test/v1#a', {}, /cannot have a query or a fragment/],
    ['/v1', { credentials: 'none' }, /credentials cannot be none/],
    ['/v1', { token: 'dev:ada' }, /token is a function/],
    ['/v1', { tokens: () => null }, /does not know the option tokens/],
  ];
  test.each(cases)('%j with %j', (url, options, says) => {
    expect(() => http(url as string, options as object)).toThrow(says);
  });

  test('a relative address, where the page’s own is no server’s', async () => {
    for (const page of ['file:///a.html', 'about:blank']) {
      const host = { ...memory(), resolve: (url: string) => new URL(url, page) };
      const options = { user: 'ada', scopes: 'all', remote: http('/v1') } as const;
      await expect(openApp(host, options)).rejects.toMatchObject({
        name: 'ValidationError',
        message: expect.stringMatching(/needs a whole address/),
      });
    }
  });
});

describe('a request that cannot be built', () => {
  const limits = { method: 'POST', timeoutMs: 5000, maxBytes: 1000 };
  test.each([
    [
      'a header that is not Latin-1',
      { url: 'http://x.test/', headers: { authorization: 'Bearer 王' } },
    ],
    ['a header with a line end', { url: 'http://x.test/', headers: { a: 'b\nc' } }],
    ['an address that is none', { url: 'http://', headers: {} }],
    ['an address with a password', { url: 'http://a:b@x.test/', headers: {} }],
  ])('is refused as such: %s', async (_name, request) => {
    await expect(fetchTransport.request({ ...limits, ...request })).rejects.toMatchObject({
      name: 'ValidationError',
      code: 'invalid_request',
      retryable: false,
    });
  });

  test('and one that nothing answers is still the network’s', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const request = { ...limits, url: `http://127.0.0.1:${port}/` };
    await expect(fetchTransport.request(request)).rejects.toMatchObject({
      code: 'network',
      retryable: true,
    });
  });

  test('stops synchronisation with a status that says so, and the change stays', async () => {
    const { host } = world();
    let tries = 0;
    host.network.request = async () => {
      tries++;
      throw new ValidationError('invalid_request', 'The request cannot be built: x');
    };
    const db = await fresh(host, { user: 'ada', scopes: 'all', remote: http('/v1') });
    db.mutate.addCity({ id: 'a', name: 'A' });
    await until(() => db.sync.status.error?.code === 'invalid_request');
    expect(db.sync.status).toMatchObject({ phase: 'blocked', pending: 1 });
    expect(db.sync.status.error).toMatchObject({ name: 'ValidationError', retryable: false });
    // The pull, and the push that is tried once after it.
    expect(tries).toBe(2);
  });
});
