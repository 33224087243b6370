/** A token of another user: it is not used, the application is asked for another, and the database goes on with that. */
import { http } from 'skerry';
import type { MemoryHost } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { world } from './account-world.ts';
import { fresh, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const base64 = (text: string) => Buffer.from(text).toString('base64url');
const jwt = (payload: unknown) => `${base64('{}')}.${base64(JSON.stringify(payload))}.c2ln`;

/** Opens Åsa's database; `token` is what the login gives at the moment. */
function open(host: MemoryHost, login: { token: string; whys: string[] }, more = {}) {
  const token = async (why: string) => {
    login.whys.push(why);
    return login.token;
  };
  const remote = http('http://server.test/v1', { token });
  return fresh(host, { remote, scopes: 'all', user: 'åsa', defaultRealm: 'public', ...more });
}

for (const [kind, wrong, right] of [
  ['for development', 'dev:zed', 'dev:åsa'],
  ['a JWT', jwt({ sub: 'zed' }), jwt({ sub: 'åsa' })],
] as const)
  for (const serviceWorker of [false, true])
    test(`a token of another user is not sent (${kind}, service worker: ${serviceWorker})`, async () => {
      const { host, server } = world();
      const login = { token: wrong as string, whys: [] as string[] };
      const db = await open(host, login, { serviceWorker });
      const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
      await mutation.durable;
      await until(() => db.sync.status.needsAuth && login.whys.includes('refused'));
      expect(db.sync.status).toMatchObject({ phase: 'blocked', pending: 1 });
      expect(db.sync.status.error).toMatchObject({
        name: 'AuthError',
        message: expect.stringMatching(/"zed".*"åsa"/),
      });
      expect(server.paths()).toEqual([]);
      login.token = right;
      await mutation.confirmed;
      await until(() => db.sync.status.error === null && db.sync.status.phase === 'idle');
      const sent = right.replace('å', '%C3%A5');
      expect(new Set(server.tokens)).toEqual(new Set([`Bearer ${sent}`]));
    });

test('a token that only the server can read is sent, and so is one without a user', async () => {
  for (const token of ['opaque', 'a.b.c', jwt({ name: 'zed' }), jwt('zed')]) {
    const { host, server } = world();
    const db = await open(host, { token, whys: [] });
    await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    expect(server.tokens[0]).toBe(`Bearer ${token}`);
    await db.close();
  }
});

test('with a remote, it is said at once what realm new rows would have', async () => {
  const { host } = world();
  const remote = http('http://server.test/v1');
  await expect(fresh(host, { remote, scopes: 'all' })).rejects.toMatchObject({
    name: 'ValidationError',
    message: expect.stringMatching(/`user` or `defaultRealm`/),
  });
});
