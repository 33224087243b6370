// Goal: a membership that somebody else makes waits until the invited accepts it: it brings its realm's name and inviter, and
// nothing else, and costs its inviter, not the invited. Method: a real server that asks, clients by hand, sockets.

import { afterEach, expect, test, vi } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { listenAt, terminateAll } from './support/ear.ts';
import { accept, city, invite, isOf, isRights, remove, setRole } from './support/memberships.ts';
import { type Json, uuid7, type WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer(async () => ({ args: ['--dev', '--invitations', 'consent'] }));
afterEach(terminateAll);

/** The status of each update of one push, or the code of its refusal. */
async function push(client: WireClient, ...updates: Json[][]): Promise<unknown[]> {
  const { status, body } = await client.send(updates.map((ops) => client.update(ops)));
  expect(status).toBe(200);
  return (body.results as Json[]).map((result) =>
    result.status === 'rejected' ? (result.rejected as Json[])[0]?.code : result.status,
  );
}

async function invited(user: string): Promise<Json[]> {
  const { status, body } = await server.client(user).pull();
  expect(status).toBe(200);
  expect(Object.keys(body.cursors as Json).sort()).toEqual(['public', `user:${user}`]);
  return body.invitations as Json[];
}

/** A realm of `founder` with a row, to which the user is invited. */
async function inviting(founder: string, user: string, role = 'writer'): Promise<string> {
  const realm = uuid7();
  const ops = [invite(realm, founder, 'owner'), invite(realm, user, role), city(realm)];
  expect(await push(server.client(founder), ops)).toEqual(['applied']);
  return realm;
}

test('an invitation names its realm, and brings nothing of it until it is accepted', async () => {
  const realm = await inviting('anna', 'bo');
  expect(await invited('bo')).toEqual([
    { realm, role: 'writer', by: 'anna', at: expect.closeTo(Date.now(), -5) },
  ]);
  expect(await push(server.client('bo'), [city(realm)])).toEqual(['forbidden']);
  const bo = server.client('bo');
  expect(await push(bo, [accept(realm, 'bo')])).toEqual(['applied']);
  const { body } = await bo.pull({ scopes: [{ table: 'cities', where: ['true'], filled: true }] });
  expect(Object.keys(body.cursors as Json).sort()).toEqual([realm, 'public', 'user:bo'].sort());
  expect((body.changes as Json[]).map(({ table }) => table).sort()).toEqual([
    '$members',
    '$members',
    'cities',
  ]);
  expect(body.invitations).toEqual([]);
  expect(await push(bo, [city(realm)])).toEqual(['applied']);
});

test('a socket gets invitations, and pokes of the realm only once it is accepted', async () => {
  const anna = server.client('anna');
  const ear = await listenAt(server.url, 'cy', ['cities']);
  const realm = await inviting('anna', 'cy');
  await ear.hears(({ type }) => type === 'invitations');
  expect(await push(anna, [city(realm)])).toEqual(['applied']);
  expect(await push(server.client('cy'), [accept(realm, 'cy')])).toEqual(['applied']);
  await ear.hears(isRights('cy'));
  expect(JSON.stringify(ear.heard)).not.toContain(realm);
  expect(await push(server.client('anna'), [city(realm)])).toEqual(['applied']);
  await ear.hears(isOf(realm));
});

test('many invitations are one message, and change no rights of the invited', async () => {
  const ear = await listenAt(server.url, 'di', ['cities']);
  const messages = () => ear.heard.filter(({ type }) => type === 'invitations').length;
  const began = performance.now();
  for (let i = 0; i < 20; i++) await inviting('ed', 'di');
  const before = messages();
  const last = await inviting('ed', 'di');
  // Another message says that there were others since.
  await vi.waitFor(() => expect(messages()).toBeGreaterThan(before), { timeout: 10_000 });
  const most = 1 + Math.ceil((performance.now() - began) / limits.invitationsEveryMs);
  expect(messages()).toBeLessThanOrEqual(most);
  expect(ear.heard.some(isRights('di'))).toBe(false);
  expect((await invited('di'))[0]?.realm).toBe(last);
});

test('after declining, a user can be invited by others, not by the same user', async () => {
  const realm = await inviting('mal', 'fay');
  expect(await push(server.client('fay'), [remove(realm, 'fay')])).toEqual(['applied']);
  expect(await invited('fay')).toEqual([]);
  expect(await push(server.client('mal'), [invite(realm, 'fay', 'reader')])).toEqual(['forbidden']);
  const [other, mal] = [uuid7(), server.client('mal')];
  expect(await push(mal, [invite(other, 'mal', 'owner')], [invite(other, 'fay', 'owner')])).toEqual(
    ['applied', 'forbidden'],
  );
  await inviting('gus', 'fay');
  expect(await invited('fay')).toHaveLength(1);
});

test('an invitation that was withdrawn, or is another’s, cannot be accepted', async () => {
  const realm = await inviting('anna', 'hal');
  expect(await push(server.client('ida'), [accept(realm, 'ida')])).toEqual(['forbidden']);
  expect(await push(server.client('anna'), [accept(realm, 'hal')])).toEqual(['forbidden']);
  expect(await push(server.client('anna'), [setRole(realm, 'hal', 'owner')])).toEqual(['applied']);
  expect((await invited('hal'))[0]?.role).toBe('owner');
  expect(await push(server.client('anna'), [remove(realm, 'hal')])).toEqual(['applied']);
  expect(await invited('hal')).toEqual([]);
  // That was no word of hal: the same user may invite again.
  expect(await push(server.client('anna'), [invite(realm, 'hal', 'reader')])).toEqual(['applied']);
});

test('a user has so many invitations that wait; they are the limit of nobody else', async () => {
  const [realm, spam] = [uuid7(), server.client('spam')];
  const ops = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => invite(realm, `guest-${from + i}`, 'reader'));
  const most = limits.pendingPerInviter;
  const founds = [invite(realm, 'spam', 'owner')];
  expect(await push(spam, founds, ops(0, most - 1))).toEqual(['applied', 'applied']);
  expect(await push(spam, ops(most - 1, most + 1))).toEqual(['limit']);
  expect(await push(server.client('spam'), ops(most - 1, most))).toEqual(['applied']);
  expect(await push(server.client('spam'), ops(most, most + 1))).toEqual(['limit']);
  // One that is answered makes room.
  expect(await push(server.client('guest-0'), [accept(realm, 'guest-0')])).toEqual(['applied']);
  expect(await push(server.client('spam'), ops(most, most + 1))).toEqual(['applied']);
  await inviting('jo', 'guest-1');
});

test('invitations lock nobody out, and an answer has the newest of them', async () => {
  const most = limits.invitationsPerPull;
  const spam = server.client('lockout');
  const realms = Array.from({ length: most + 1 }, uuid7);
  for (let at = 0; at < realms.length; at += 50) {
    const ops = realms
      .slice(at, at + 50)
      .flatMap((realm) => [invite(realm, 'lockout', 'owner'), invite(realm, 'kim', 'reader')]);
    expect(await push(spam, ops)).toEqual(['applied']);
  }
  const { body } = await server.client('kim').pull();
  expect(Object.keys(body.cursors as Json).sort()).toEqual(['public', 'user:kim']);
  expect(body.realmsToken).toBeUndefined();
  expect(body.invitations).toHaveLength(most);
  expect(body.moreInvitations).toBe(1);
  const team = await inviting('lea', 'kim');
  expect((await invited('kim'))[0]?.realm).toBe(team);
});

test('an owner cannot leave while the only other one has not accepted', async () => {
  const realm = await inviting('max', 'nina', 'owner');
  expect(await push(server.client('max'), [remove(realm, 'max')])).toEqual(['last_owner']);
  expect(await push(server.client('nina'), [accept(realm, 'nina')])).toEqual(['applied']);
  expect(await push(server.client('max'), [remove(realm, 'max')])).toEqual(['applied']);
});
