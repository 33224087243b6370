// Goal: rights come from the application (`access`) and from the configuration (`public`), too; they are united with
// memberships, never kept for long, never more than was given, and make no realm. Method: the part with a clock by hand,
// and whole servers in this process.

import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { SetupError } from '../../server/src/base/setup-error.ts';
import type { RunningServer } from '../../server/src/options.ts';
import { type Access, Grants } from '../../server/src/rights/grants.ts';
import { createServer } from '../../server/src/server.ts';
import { placeDatabase } from '../support/initialised.ts';
import { codeOf } from './support/code-of.ts';
import { makeDatabase, postgresUrl } from './support/database.ts';
import { type Ear, listenAt, terminateAll } from './support/ear.ts';
import { city, invite, isOf, isRights } from './support/memberships.ts';
import { testSchema } from './support/schemas.ts';
import { Folder, type Json, uuid7, WireClient } from './support/server.ts';

type Roles = Record<string, 'reader' | 'writer' | 'owner'>;

const folder = new Folder();
afterAll(() => folder.remove());

describe('what callers are granted', () => {
  const anna = { id: 'anna', claims: new Map([['user:anna', 'write']] as const), expires: null };
  const logged: unknown[] = [];
  let now = 0;
  let asked = 0;
  const open = (access?: Access, more: object = {}) => {
    asked = 0;
    const counting: Access | undefined =
      access &&
      ((...args) => {
        asked++;
        return access(...args);
      });
    const log = (_message: string, error: unknown) => logged.push(error);
    return new Grants({ access: counting, log, now: () => now, ...more });
  };
  const grantsOf = async (grants: Grants) => Object.fromEntries((await grants.caller(anna)).grants);

  test('are the highest rights of token, access and public realms', async () => {
    const grants = open(() => ({ team: 'owner', news: 'reader', 'user:anna': 'reader' }), {
      public: { news: 'write', help: 'read' },
    });
    expect(await grantsOf(grants)).toEqual({
      ...{ 'user:anna': 'write', team: 'own', news: 'write', help: 'read' },
    });
  });

  /** What a database or a JSON column may give in place of an object: as no realm at all, it would end memberships. */
  const otherForms: [string, unknown][] = [
    ['a Map', new Map([['team', 'writer']])],
    ['a Set', new Set(['team'])],
    ['a list', [['team', 'writer']]],
    ['JSON text', '{"team":"writer"}'],
    ['nothing', undefined],
    ['null', null],
  ];
  test.each(otherForms)(
    'are not none if `access` returns %s: the request fails',
    async (_, found) => {
      const grants = open(() => found as never);
      expect(await codeOf(grants.caller(anna))).toBe('rights_unavailable');
    },
  );
  test.each(otherForms.slice(0, 4))('are not none if `public` is %s', (_, found) => {
    expect(() => open(undefined, { public: found })).toThrow(SetupError);
  });

  test('are kept for a minute, or until they have changed', async () => {
    let roles: Roles = { team: 'writer' };
    const grants = open(async () => roles);
    const before = await grants.caller(anna);
    roles = {};
    expect(await grants.caller(anna)).toBe(before);
    now += limits.accessMs;
    expect(await grantsOf(grants)).toEqual({ 'user:anna': 'write' });
    roles = { team: 'reader' };
    grants.changed('anna');
    expect((await grantsOf(grants)).team).toBe('read');
    expect(asked).toBe(3);
  });

  test('are asked for again, if they change while they are asked for', async () => {
    const answers: ((roles: Roles) => void)[] = [];
    const grants = open(() => new Promise((answer) => answers.push(answer)));
    const first = grantsOf(grants);
    await Promise.resolve();
    grants.changed('anna');
    const second = grantsOf(grants);
    await Promise.resolve();
    answers[1]?.({});
    expect((await second).team).toBeUndefined();
    answers[0]?.({ team: 'owner' });
    await first;
    expect((await grantsOf(grants)).team).toBeUndefined();
    expect(asked).toBe(2);
  });

  const wrong: [string, Access][] = [
    ['throws', () => Promise.reject(new Error('no answer'))],
    ['returns nothing', () => undefined as never],
    ['returns a role that is none', () => ({ team: 'write' }) as never],
    ['returns a realm that is none', () => ({ '': 'reader' })],
  ];
  test.each(wrong)('are unavailable if access %s, also after an answer', async (_name, fails) => {
    let isFailing = false;
    const grants = open((...args) => (isFailing ? fails(...args) : { team: 'owner' }));
    await grants.caller(anna);
    isFailing = true;
    logged.length = 0;
    now += limits.accessMs;
    expect(await codeOf(grants.caller(anna))).toBe('rights_unavailable');
    expect(logged).toHaveLength(1);
    isFailing = false;
    expect((await grantsOf(grants)).team).toBe('own');
  });

  test.each([{ 'user:anna': 'read' }, { '': 'read' }, { news: 'own' }])(
    'are not what no realm can be: %j',
    (realms) => {
      expect(() => open(undefined, { public: realms })).toThrow(SetupError);
    },
  );
});

describe('a server with access and public realms', () => {
  const roles = new Map<string, Roles>();
  let isFailing = false;
  let server: RunningServer;
  let other: RunningServer | undefined;
  let url: string;
  const database = async () => {
    if (postgresUrl === undefined) return placeDatabase(join(folder.path, 'data'));
    return makeDatabase(postgresUrl, `access_${folder.path.slice(-6).toLowerCase()}`);
  };
  const start = async (name: string, at: string) =>
    createServer({
      schema: testSchema,
      database: at,
      ...(postgresUrl === undefined ? {} : { data: join(folder.path, name) }),
      auth: { dev: true },
      access: (user) => {
        if (isFailing) throw new Error('The directory is down.');
        return roles.get(user) ?? {};
      },
      public: { news: 'read', board: 'write' },
      log: () => {},
      port: 0,
    });

  beforeAll(async () => {
    const at = await database();
    server = await start('one', at);
    if (postgresUrl !== undefined) other = await start('two', at);
    url = server.url;
  });
  afterEach(terminateAll);
  afterAll(async () => {
    await server.close();
    await other?.close();
  });

  const give = (user: string, to: Roles) => {
    roles.set(user, to);
    server.rights.changed(user);
  };
  const push = async (user: string, ...ops: Json[]) => {
    const result = await new WireClient(url, user).push(ops);
    return String((result.rejected as Json[] | undefined)?.[0]?.code ?? result.status);
  };
  const realmsOf = async (user: string, at = url) => {
    const { body } = await new WireClient(at, user).pull();
    return Object.keys(body.cursors as Json).sort();
  };

  test('lets everybody read, or write, what is public', async () => {
    expect(await push('bo', city('board'))).toBe('applied');
    expect(await push('bo', city('news'))).toBe('forbidden');
    expect(await realmsOf('bo')).toEqual(['board', 'news', 'public', 'user:bo']);
  });

  test('gives the rights of access by every way of reading, and takes them', async () => {
    give('anna', { team: 'writer' });
    give('bo', { team: 'reader' });
    expect(await push('anna', city('team', `c-${uuid7()}`))).toBe('applied');
    expect(await push('bo', city('team'))).toBe('forbidden');
    const table = async () => {
      const headers = { authorization: 'Bearer dev:bo' };
      return (await fetch(`${url}/v1/tables/cities`, { headers })).text();
    };
    expect(await table()).toContain('"team"');
    expect(await realmsOf('bo')).toContain('team');
    give('bo', {});
    expect(await table()).not.toContain('"team"');
    expect(await realmsOf('bo')).not.toContain('team');
  });

  test('makes no realm that is named by a UUID, and adds rights to one that was founded', async () => {
    const realm = uuid7();
    give('bo', { [realm]: 'owner' });
    expect(await push('bo', city(realm))).toBe('forbidden');
    expect(await realmsOf('bo')).not.toContain(realm);
    expect(await push('anna', invite(realm, 'anna', 'owner'))).toBe('applied');
    expect(await realmsOf('bo')).toContain(realm);
    expect(await push('bo', city(realm), invite(realm, 'cy', 'reader'))).toBe('applied');
  });

  test('answers 503 while access fails, and gives nothing meanwhile', async () => {
    give('bo', { team: 'writer' });
    isFailing = true;
    try {
      server.rights.changed('bo');
      const client = new WireClient(url, 'bo');
      for (const answer of [
        await client.pull(),
        await client.send([client.update([city('team')])]),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([503, 'rights_unavailable']);
        expect(answer.headers.get('retry-after')).toBe('1');
      }
    } finally {
      isFailing = false;
    }
    expect(await push('bo', city('team'))).toBe('applied');
  });

  const silenced = async (ear: Ear) => {
    await ear.hears(isRights('bo'));
    ear.heard.length = 0;
    expect(await push('anna', city('team'))).toBe('applied');
    expect(await push('bo', city('user:bo'))).toBe('applied');
    await ear.hears((message) => isOf('user:bo')(message) && message.revision !== 0);
    expect(JSON.stringify(ear.heard)).not.toContain('team');
  };

  test('silences an open socket when access takes a right', async () => {
    give('anna', { team: 'writer' });
    give('bo', { team: 'reader' });
    const ear = await listenAt(url, 'bo', ['cities']);
    expect(await push('anna', city('team'))).toBe('applied');
    await ear.hears(isOf('team'));
    give('bo', {});
    await silenced(ear);
  });

  test.skipIf(postgresUrl === undefined)('makes a change known to the other nodes', async () => {
    const second = other?.url ?? '';
    give('bo', { team: 'reader' });
    await expect.poll(() => realmsOf('bo', second)).toContain('team');
    const ear = await listenAt(second, 'bo', ['cities']);
    expect(await push('anna', city('team'))).toBe('applied');
    await ear.hears(isOf('team'));
    give('bo', {});
    await silenced(ear);
    expect(await realmsOf('bo', second)).not.toContain('team');
  });
});
