// Goal: a poke reaches exactly the clients that have a reason to pull, and reveals nothing more. Method: real sockets
// to a real server, with a secret for tokens that expire.

import { once } from 'node:events';
import { connect } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { Ear, listenAt, terminateAll } from './support/ear.ts';
import { Folder, type Json, startServer, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const secret = 'a secret of the tests, long enough for HS256';
const server = new SharedServer({ args: ['--dev', '--secret', secret] });
afterAll(terminateAll);

const listen = (user: string, tables: readonly string[], client = uuid7()) =>
  listenAt(server.url, user, tables, client);

const city = (realm = 'public') => ({
  op: 'create',
  table: 'cities',
  id: uuid7(),
  realm,
  set: { name: 'x' },
});
const revisionOf = (result: Json, realm = 'public') => (result.revisions as Json)[realm];

describe('a poke', () => {
  test('comes to users with a scope on the table, without data', async () => {
    const ear = await listen('bert', ['cities']);
    const result = await new WireClient(server.url).push([city()]);
    const poke = await ear.hears(({ type }) => type === 'poke');
    expect(poke).toEqual({
      type: 'poke',
      realm: 'public',
      revision: revisionOf(result),
      tables: ['cities'],
      streams: [],
    });
  });

  test('does not come for other tables or forbidden realms, nor to the author', async () => {
    const author = new WireClient(server.url, 'owner');
    const [otherTable, stranger, own] = [
      await listen('owner', ['userGroups']),
      await listen('stranger', ['cities']),
      await listen('owner', ['cities'], author.id),
    ];
    const witness = await listen('owner', ['cities']);
    await author.push([city('user:owner')]);
    await witness.hears(({ realm }) => realm === 'user:owner');
    // A later change by another client, which pokes all of them, shows that no poke came before it.
    await new WireClient(server.url, 'owner').push([
      { op: 'create', table: 'notices', id: uuid7(), realm: 'public', set: {} },
    ]);
    for (const ear of [otherTable, stranger, own]) {
      await ear.hears(({ type }) => type === 'poke');
      expect(ear.pokes()).toMatchObject([{ realm: 'public', tables: ['notices'] }]);
    }
  });

  test('comes to all users with access for an autosubscribed table', async () => {
    const ear = await listen('carl', []);
    await new WireClient(server.url).push([
      { op: 'create', table: 'notices', id: uuid7(), realm: 'public', set: {} },
    ]);
    expect(await ear.hears(({ type }) => type === 'poke')).toMatchObject({ tables: ['notices'] });
  });

  test('is merged with others of its realm, and the last one is up to date', async () => {
    const ear = await listen('dora', ['cities']);
    const client = new WireClient(server.url);
    const began = performance.now();
    let last: unknown;
    for (let i = 0; i < 40; i++) last = revisionOf(await client.push([city()]));
    await ear.hears(({ revision }) => revision === last);
    const windows = Math.ceil((performance.now() - began) / 50) + 1;
    expect(ear.pokes().length).toBeLessThanOrEqual(windows);
    const revisions = ear.pokes().map(({ revision }) => Number(revision));
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  });

  test('a later hello replaces the scopes', async () => {
    const ear = await listen('emil', ['userGroups']);
    ear.hello({
      token: 'dev:emil',
      client: uuid7(),
      scopes: [{ table: 'cities', where: ['true'] }],
    });
    await ear.hears(() => ear.heard.length > 1);
    await new WireClient(server.url).push([city()]);
    expect(await ear.hears(({ type }) => type === 'poke')).toMatchObject({ tables: ['cities'] });
  });
});

describe('a socket is closed', () => {
  test.each<[string, number, unknown]>([
    ['a token that is not valid', 4401, { type: 'hello', token: 'x', client: uuid7(), scopes: [] }],
    ['no token', 4401, { type: 'hello', client: uuid7(), scopes: [] }],
    ['no hello', 4400, { type: 'good day' }],
    [
      'a scope that is none',
      4400,
      {
        type: 'hello',
        token: 'dev:x',
        client: uuid7(),
        scopes: [{ table: 'planets', where: ['true'] }],
      },
    ],
    ['something that is not JSON', 4400, '{'],
  ])('for %s', async (_name, code, message) => {
    const ear = await new Ear(server.url).opened();
    ear.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    expect(await ear.closed).toBe(code);
    expect(ear.heard).toEqual([]);
  });

  test('for a message over the limit', async () => {
    const ear = await new Ear(server.url).opened();
    ear.socket.send('x'.repeat(70 << 10));
    expect(await ear.closed).toBe(1009);
  });

  test('when no hello came within five seconds', async () => {
    const began = performance.now();
    const ear = await new Ear(server.url).opened();
    expect(await ear.closed).toBe(4408);
    expect(performance.now() - began).toBeGreaterThan(4_000);
  });

  test('when its token expires', async () => {
    const token = await new SignJWT({ sub: 'fred' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(Math.floor(Date.now() / 1000) + 5)
      .sign(new TextEncoder().encode(secret));
    const ear = await new Ear(server.url).opened();
    ear.hello({ token, client: uuid7(), scopes: [] });
    await ear.hears(({ type }) => type === 'ready');
    expect(await ear.closed).toBe(4401);
    expect(
      (
        await fetch(`${server.url}/v1/pull`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: '{}',
        })
      ).status,
    ).toBe(401);
  });

  test('before it is opened, for a page of another origin', async () => {
    expect(await new Ear(server.url, { origin: 'https://elsewhere.example' }).closed).toBe(-1);
    await expect(new Ear(server.url, { origin: server.url }).opened()).resolves.toBeInstanceOf(Ear);
  });
});

test('ends a refused upgrade that the other side never closes, and can stop', async () => {
  const elsewhere = new Folder();
  const other = await startServer(elsewhere, elsewhere.schema(), { args: ['--dev'] });
  const socket = connect({ port: Number(new URL(other.url).port), allowHalfOpen: true });
  const ended = once(socket, 'end');
  socket.on('error', () => {});
  socket.resume();
  socket.write(
    'GET /v1/elsewhere HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n',
  );
  await ended;
  expect(await other.stop()).toBe(0);
  socket.destroy();
  elsewhere.remove();
});
