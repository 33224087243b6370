// Goal: one caller's HTTP requests and sockets do not block the others. Method: a real server with narrow limits;
// callers that stall, disconnect, and send too many requests.

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { Ear, terminateAll } from './support/ear.ts';
import { type Json, post, startServer, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const secret = 'a secret of the tests, long enough for HS256';
const kBytesPerUser = 4 << 20;
/** The burst of a client that may send one request per second. */
const kBurst = limits.burstSeconds;
const open: Socket[] = [];
const kLimits = {
  bytesPerUser: kBytesPerUser,
  requestsPerUser: 3,
  requestsPerClient: 1,
  requestsPerAddress: 2,
  socketsPerUser: 2,
  connectionsPerAddress: 400,
};
const limitArgs = Object.entries(kLimits).flatMap(([name, to]) => ['--limit', `${name}=${to}`]);
const server = new SharedServer({ args: ['--dev', '--secret', secret, ...limitArgs] });
afterAll(() => {
  terminateAll();
  for (const socket of open) socket.destroy();
});

const megabytes = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024;

const kChunked = ['transfer-encoding: chunked', `${(3_000_000).toString(16)}\r\n`];

/** Sends the head of a push and so much of its body, but not the end; resolves with the answer. */
function stalled(
  user: string,
  [header, begin]: readonly string[] = kChunked,
  bytes = 3_000_000,
): Promise<string> {
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1' });
  open.push(socket);
  const answered = new Promise<string>((resolve) => {
    socket.on('data', (data) => resolve(String(data)));
    socket.on('error', () => resolve('closed'));
    socket.on('close', () => resolve('closed'));
  });
  const head = [
    'POST /v1/push HTTP/1.1',
    'host: 127.0.0.1',
    `authorization: Bearer dev:${user}`,
    'content-type: application/json',
    header,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${begin}`);
  socket.write(Buffer.alloc(bytes, 0x20));
  return answered;
}

const pushed = async (user: string) =>
  (await new WireClient(server.url, user).push([
    { op: 'create', table: 'cities', id: uuid7(), realm: `user:${user}`, set: { name: 'x' } },
  ])) as Json;

test.runIf(process.platform === 'linux')(
  "stalled bodies hold few bytes, and do not block others' pushes",
  async () => {
    const before = megabytes();
    const answers = Array.from({ length: 40 }, () => stalled('mallory'));
    const refused = await Promise.all(
      // One of them has room; the network decides which.
      [0, 1].map(async (without) => Promise.race(answers.slice(without * 20, without * 20 + 20))),
    );
    for (const answer of refused) expect(answer).toMatch(/^HTTP\/1.1 429 .*retry-after: \d/s);
    expect(await pushed('anna')).toMatchObject({ status: 'applied' });
    expect(megabytes() - before).toBeLessThan(100);
    for (const socket of open.splice(0)) socket.destroy();
    // Their bytes are released.
    await expect
      .poll(async () => (await new WireClient(server.url, 'mallory').pull()).status)
      .toBe(200);
  },
);

test('counts a long body by its declared length before it arrives', async () => {
  const declared = () => stalled('dora', [`content-length: ${limits.bodyBytes}`, ''], 0);
  // The first uses all that the user may request at once, and waits for its bytes.
  const first = declared();
  expect(await Promise.race([first, declared()])).toMatch(/^HTTP\/1.1 429 .*sends too m/s);
  expect(await pushed('anna')).toMatchObject({ status: 'applied' });
  for (const socket of open.splice(0)) socket.destroy();
});

test('refuses too many requests of a client and a user, but not of others', async () => {
  /** Concurrent empty pushes: how many were answered, and one of the refused answers. */
  const crowd = async (clients: readonly WireClient[]) => {
    const answers = await Promise.all(clients.map((client) => client.send([])));
    const refused = answers.find(({ status }) => status === 429);
    return { refused, answered: answers.filter(({ status }) => status === 200).length };
  };
  const eager = () => new WireClient(server.url, 'eager');
  const client = eager();
  const began = performance.now();
  const byClient = await crowd(Array.from({ length: 2 * kBurst }, () => client));
  // Who asks again at once is slowed down: timers may be early by a part of a millisecond.
  expect(performance.now() - began).toBeGreaterThan(limits.refusedMs - 1);
  expect(byClient.answered).toBeGreaterThanOrEqual(kBurst);
  expect(byClient.refused?.body).toMatchObject({ code: 'rate_limited', status: 429 });
  expect(byClient.refused?.body.detail).toMatch(/client/);
  expect(Number(byClient.refused?.headers.get('retry-after'))).toBeGreaterThan(0);
  // Another client of the same user has requests of its own, until the user has none.
  expect((await crowd([eager()])).answered).toBe(1);
  const byUser = await crowd(Array.from({ length: 5 * kBurst }, eager));
  expect(byUser.refused?.body.detail).toMatch(/user/);
  expect(await pushed('anna')).toMatchObject({ status: 'applied' });
});

const hello = (ear: Ear, user: string) =>
  ear.hello({ token: `dev:${user}`, client: uuid7(), scopes: [] });

test('closes a socket beyond the limit per user', async () => {
  const greeted = async () => {
    const ear = await new Ear(server.url).opened();
    hello(ear, 'ben');
    return ear;
  };
  const ears = [await greeted(), await greeted()];
  for (const ear of ears) await ear.hears(({ type }) => type === 'ready');
  expect(await (await greeted()).closed).toBe(4429);
  ears[0]?.socket.close();
  await ears[0]?.closed;
  const again = await new Ear(server.url).opened();
  hello(again, 'ben');
  await again.hears(({ type }) => type === 'ready');
  // Another hello on the same socket replaces the previous one, and takes no second place.
  hello(again, 'ben');
  await expect.poll(() => again.heard.filter(({ type }) => type === 'ready').length).toBe(2);
});

test('silent sockets take no place from others', async () => {
  const silent = Array.from({ length: 130 }, () => new Ear(server.url));
  await Promise.all(silent.map((ear) => ear.opened()));
  expect(await silent[0]?.closed).toBe(4408);
  const honest = await new Ear(server.url).opened();
  hello(honest, 'cleo');
  await honest.hears(({ type }) => type === 'ready');
  for (const ear of silent) ear.socket.terminate();
});

test('closes a socket that sends too many hellos', async () => {
  const ear = await new Ear(server.url).opened();
  ear.socket.on('message', () => hello(ear, 'dan'));
  hello(ear, 'dan');
  expect(await ear.closed).toBe(4429);
});

test('a token that is valid for years does not expire at once', async () => {
  const exp = Math.floor(Date.now() / 1000) + 3 * 365 * 86_400;
  const token = await new SignJWT({ sub: 'old', exp })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret));
  const ear = await new Ear(server.url).opened();
  ear.hello({ token, client: uuid7(), scopes: [] });
  await ear.hears(({ type }) => type === 'ready');
  expect(await pushed('old-friend')).toMatchObject({ status: 'applied' });
  expect(ear.socket.readyState).toBe(ear.socket.OPEN);
});

test('limits the connections of one address, and serves another one', async () => {
  const { port } = new URL(server.url);
  const answers: Promise<string>[] = [];
  for (let i = 0; i < 430; i++) {
    const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress: '127.0.0.9' });
    open.push(socket);
    answers.push(
      new Promise((resolve) => {
        socket.on('data', (data) => resolve(String(data)));
        socket.on('error', () => resolve('closed'));
      }),
    );
  }
  expect(await Promise.race(answers)).toMatch(/^HTTP\/1.1 503 .*retry-after/s);
  expect((await fetch(`${server.url}/v1/time`)).status).toBe(200);
  for (const socket of open.splice(0)) socket.destroy();
});

test('refuses to start with an unknown limit, or one without a number', async () => {
  for (const limit of ['sokets=3', 'sockets=', 'sockets=-1', 'sockets']) {
    const args = ['--dev', '--limit', limit];
    const started = startServer(server.folder, server.folder.schema(), { args });
    await expect(started).rejects.toThrow(`--limit ${limit}`);
  }
  expect((await post(server.url, '/v1/pull', '{}', {})).status).toBe(401);
});

test('limits what an address asks for without a token, and serves its users', async () => {
  const most = kLimits.requestsPerAddress * limits.burstSeconds;
  const paths = ['/v1/health', '/v1/time'];
  const asked = Array.from({ length: 3 * most }, (_, i) => fetch(`${server.url}${paths[i % 2]}`));
  const answers = await Promise.all(asked);
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(most);
  expect(refused.length).toBeGreaterThan(most);
  for (const { headers } of refused) expect(headers.get('retry-after')).toMatch(/^[1-9]/);
  expect(await pushed('olga')).toMatchObject({ status: 'applied' });
});
