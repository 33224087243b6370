// Goal: users of any name, in any script, with spaces, work in synchronisation, with tokens for development and with JWTs; what is
// no name by the one rule is refused with a sentence. Method: the package's own clients against the real server.
import { SignJWT } from 'jose';
import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { createAuth } from '../../server/src/auth/auth.ts';
import { refusedNames, userNames } from '../js/user-names.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema({ notes: table({ text: t.string() }) }, { version: 1 });
const server = new SharedServer({ schema: app });

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

const connect = async (user: string, token: string) => {
  const db = await open({
    ...{ name: 'names', schema: app, user, scopes: 'all' },
    host: memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport: fetchTransport,
    }),
    remote: http(`${server.url}/v1`, { token: async () => token }),
  });
  opened.push(db);
  return db;
};

test.each(userNames)('%j writes, invites, and reads from another device', async (user) => {
  const db = await connect(user, `dev:${encodeURIComponent(user)}`);
  const own = db.transact((tx) => tx.notes.create({ text: 'own' }));
  await own.confirmed;
  const { result: realm } = db.realms.create();
  await db.realms.invite(realm, user === '漢'.repeat(30) ? 'bo' : '漢'.repeat(30), 'reader')
    .confirmed;
  const other = await connect(user, user === 'a%41' ? 'dev:a%2541' : `dev:${user}`);
  await other.sync.waitForSync();
  expect(other.notes.all()).toMatchObject([{ text: 'own', realm: `user:${user}` }]);
  expect(other.realms.role(realm)).toBe('owner');
});

const secret = 'a secret of the tests, long enough for HS256';
const auth = createAuth({ secret, dev: true });
const signed = (sub: string) =>
  new SignJWT({ sub })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));

test('tokens of both kinds name users of any name', async () => {
  for (const user of userNames) {
    const expected = { id: user, claims: expect.any(Map) };
    expect(await auth(await signed(user))).toMatchObject(expected);
    expect(await auth(`dev:${encodeURIComponent(user)}`)).toMatchObject(expected);
  }
});

test('a name that is none is refused with a sentence that says why', async () => {
  const sentences = { long: /more than 91 bytes/, form: /empty, too long, or has control/ };
  for (const [user, why] of refusedNames.filter(([name]) => name.isWellFormed())) {
    const refusal = { code: 'unauthenticated', message: expect.stringMatching(sentences[why]) };
    const long = user.length > 100 ? { code: 'unauthenticated' } : refusal;
    await expect(auth(`dev:${encodeURIComponent(user)}`)).rejects.toMatchObject(long);
    if (user !== '') await expect(auth(await signed(user))).rejects.toMatchObject(long);
  }
});
