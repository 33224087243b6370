// Goal: one rule says what the name of a user is, wherever it is given; a token of a user of any name is sent so that a header can
// hold it; and one that cannot be sent is reported as such, not as a failure of the network. Method: tables of names and tokens.
// test/server/user-names.test.ts does the same with the real server.
import { readFileSync } from 'node:fs';
import { deleteDatabase, http } from 'skerry';
import { memory } from 'skerry/testing';
import { describe, expect, test } from 'vitest';
import { maxUserBytes } from '../../js/core/limits.ts';
import { limits } from '../../server/src/base/limits.ts';
import { world } from './account-world.ts';
import { fresh, openApp, until } from './support.ts';
import { refusedNames, userNames } from './user-names.ts';

const errors = {
  long: ['LimitError', 'limit'],
  form: ['ValidationError', 'invalid_argument'],
} as const;

describe('the name of a user', () => {
  test.each(userNames)('%j is one for open, deleteDatabase and invitations', async (user) => {
    const host = memory();
    const db = await openApp(host, { user });
    expect(db.user).toBe(user);
    const { result: realm } = db.realms.create();
    db.realms.invite(realm, user === 'bo' ? 'cy' : user, 'owner');
    await db.close();
    await deleteDatabase('test', { user, host });
  });

  test.each(refusedNames)(
    '%j is none, and is refused at once everywhere: %s',
    async (user, why) => {
      const [name, code] = errors[why];
      const error = expect.objectContaining({ name, code });
      const host = memory();
      await expect(openApp(host, { user })).rejects.toEqual(error);
      await expect(deleteDatabase('test', { user, host })).rejects.toEqual(error);
      const db = await fresh(host, { user: 'ada' });
      const { result: realm } = db.realms.create();
      const refused = user === '' ? expect.objectContaining({ name: 'ValidationError' }) : error;
      expect(() => db.realms.invite(realm, user, 'reader')).toThrow(refused);
    },
  );

  test('has one limit in the core, the client, the server and the documents', () => {
    const core = readFileSync('src/base/limits.h', 'utf8');
    const [, id] = /kMaxIdBytes = (\d+);/.exec(core) ?? [];
    expect(core).toContain('kMaxUserBytes = kMaxIdBytes - 36 - 1;');
    expect([maxUserBytes, limits.userBytes]).toEqual([Number(id) - 37, Number(id) - 37]);
    for (const page of ['docs/server.md', 'docs/protocol.md', 'docs/guide/rights.md'])
      expect(readFileSync(page, 'utf8')).toMatch(new RegExp(`at most ${maxUserBytes} bytes`));
  });
});

const base64 = (text: string) => Buffer.from(text).toString('base64url');
const jwt = (sub: string) => `${base64('{}')}.${base64(JSON.stringify({ sub }))}.c2ln`;
const remote = (token: () => unknown) =>
  http('http://server.test/v1', { token: token as () => Promise<string> });

describe.each([false, true])('tokens, with a service worker: %s', (serviceWorker) => {
  const encodings: readonly (readonly [kind: string, (user: string) => string])[] = [
    ['raw', (user) => `dev:${user}`],
    ['percent-encoded', (user) => `dev:${encodeURIComponent(user)}`],
    ['a JWT', jwt],
  ];
  test.each(encodings)('are sent for users of any name: %s', async (kind, tokenOf) => {
    // A raw name that reads as an encoded one is taken for that.
    for (const user of userNames.filter((name) => kind !== 'raw' || name !== 'a%41')) {
      const { host, server } = world();
      const db = await openApp(host, {
        ...{ user, scopes: 'all', serviceWorker, defaultRealm: 'public' },
        remote: remote(async () => tokenOf(user)),
      });
      await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
      const sent = kind === 'a JWT' ? jwt(user) : `dev:${encodeURIComponent(user)}`;
      expect(new Set(server.tokens)).toEqual(new Set([`Bearer ${sent}`]));
      await db.close();
    }
  });

  const unsendable: readonly (readonly [given: unknown, says: RegExp])[] = [
    ['opaque ü', /U\+00FC/],
    ['opaqueü', /U\+00FC/],
    ['王', /U\+738B/],
    ['a\nb', /U\+000A/],
    ['a\u0000', /U\+0000/],
    ['', /an empty text/],
    ['dev:\ud800', /half of a surrogate pair/],
    [5, /a number/],
    [{}, /a object/],
  ];
  test.each(unsendable)('%j is not sent, and the error names the token', async (given, says) => {
    const { host, server } = world();
    let token = given;
    const db = await fresh(host, {
      ...{ user: 'ada', scopes: 'all', serviceWorker, defaultRealm: 'public' },
      remote: remote(async () => token),
    });
    const made = db.mutate.addCity({ id: 'a', name: 'A' });
    await until(() => db.sync.status.error !== null);
    const message = expect.stringMatching(
      new RegExp(`^The token that token\\(\\) gave .*${says.source}`),
    );
    expect(db.sync.status.error).toMatchObject({ name: 'AuthError', code: 'bad_token', message });
    await until(() => db.sync.status.needsAuth);
    expect(server.paths()).toEqual([]);
    token = 'dev:ada';
    await made.confirmed;
    await until(() => db.sync.status.error === null);
  });
});
