// Goal: a realms token says what its server has signed, to its user only; one that is wrong is treated like none.

import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { SetupError } from '../../server/src/base/setup-error.ts';
import {
  type RealmClaims,
  RealmsTokens,
  type Said,
  type UserMemberships,
} from '../../server/src/rights/realms-token.ts';

const key = 'a key of the tests, long enough for realms tokens';
const other = 'another key of the tests, also long enough for it';
const none = new Map<string, string>();

describe('a realms token', () => {
  const tokens = new RealmsTokens([key]);
  const membership = { version: 'v1', at: 1, roles: new Map([['r', 'owner']] as const) };
  const saidIn = (claims: RealmClaims | null) => claims?.realms.get('r') as Said;
  const signed = (of: UserMemberships) => tokens.sign('anna', of, none);
  let token = '';
  beforeAll(async () => {
    token = await tokens.sign('anna', membership, new Map([['r', 'bo']]));
  });

  test('shows its claims to its own user', async () => {
    const claims = (await tokens.read('anna', token)) as RealmClaims;
    expect(claims).toMatchObject({ version: 'v1', lost: new Map() });
    expect([...claims.realms]).toMatchObject([['r', { role: 'owner', at: 1 }]]);
  });

  test('goes on to say what an earlier one said of lost realms', async () => {
    const { realms } = (await tokens.read('anna', token)) as RealmClaims;
    const later = { version: 'v2', at: 5, roles: new Map() };
    const next = await tokens.read('anna', await tokens.sign('anna', later, none, realms));
    expect(next).toEqual({ version: 'v2', at: 5, realms: new Map(), lost: realms });
  });

  test('says who founded a realm, and names nobody', async () => {
    for (const reader of [tokens, new RealmsTokens([other, key])]) {
      const said = saidIn(await reader.read('anna', token));
      expect(reader.isFounder(said, 'r', 'bo')).toBe(true);
      for (const [realm, user] of [
        ['r', 'anna'],
        ['s', 'bo'],
      ] as const) {
        expect(reader.isFounder(said, realm, user)).toBe(false);
      }
    }
    const unnamed = saidIn(await tokens.read('anna', await signed(membership)));
    expect(tokens.isFounder(unnamed, 'r', 'bo')).toBe(false);
    expect(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).not.toContain('bo');
  });

  test('is believed by the previous key, and then replaced', async () => {
    const rotated = new RealmsTokens([other, key]);
    const claims = await rotated.read('anna', token);
    expect(claims?.version).toBe('v1');
    expect(claims && tokens.isCurrent(token, claims, membership)).toBe(true);
    expect(claims && rotated.isCurrent(token, claims, membership)).toBe(false);
  });

  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const changed = (right: string, claims: object) =>
    right.split('.').with(1, part(claims)).join('.');
  const bySecret = (right: string, header?: object) => {
    const [head, body] = right.split('.');
    const text = `${header ? part(header) : head}.${body}`;
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  };
  test.each<[string, string, (right: string) => unknown]>([
    ["another user's", 'bo', (right) => right],
    ["another server's", 'anna', () => new RealmsTokens([other]).sign('anna', membership, none)],
    ['forged', 'anna', (right) => changed(right, { user: 'anna', version: 'v2', realms: {} })],
    ['signed with the secret itself', 'anna', (right) => bySecret(right)],
    ['of another type', 'anna', (right) => bySecret(right, { alg: 'HS256', typ: 'JWT' })],
    ['without a signature', 'anna', (right) => `${part({ alg: 'none' })}.${right.split('.')[1]}.`],
    ['cut', 'anna', (right) => right.slice(0, -3)],
    ['too long', 'anna', (right) => `${right}${'x'.repeat(1 << 20)}`],
    ['no text', 'anna', (right) => ({ token: right })],
    ['no JSON', 'anna', () => 'a.b.c'],
    ['empty', 'anna', () => ''],
    ['missing', 'anna', () => null],
  ])('is treated like none if it is %s', async (_name, user, wrong) => {
    expect(await tokens.read(user, await wrong(token))).toBeNull();
  });

  test('needs a key that cannot be guessed', () => {
    expect(() => new RealmsTokens(['short'])).toThrow(SetupError);
  });
});
