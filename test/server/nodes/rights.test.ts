// Goal: a change of rights on one node reaches the sockets of another node, by a notification, and by polling where there
// is none. Method: two real nodes on one PostgreSQL.

import { afterAll, afterEach, expect, test } from 'vitest';
import { listenAt, terminateAll } from '../support/ear.ts';
import { accept, city, invite, isRights, remove, setRole } from '../support/memberships.ts';
import { Nodes } from '../support/nodes.ts';
import { type Json, uuid7, WireClient } from '../support/server.ts';

const nodes = new Nodes();
const silent = new Nodes();
const asking = new Nodes();
afterEach(terminateAll);
afterAll(async () => {
  await nodes.remove();
  await silent.remove();
  await asking.remove();
});

async function urls(of = nodes, args: readonly string[] = []): Promise<[string, string]> {
  if (of.running.length === 0) for (const n of [0, 1]) await of.start(n, { args });
  return of.running.map(({ url }) => url) as [string, string];
}

test('a grant and its end at one node reach a socket at the other', async () => {
  const [first, second] = await urls();
  const anna = new WireClient(first, 'anna');
  const ear = await listenAt(second, 'bo', ['cities']);
  const realm = uuid7();
  const applied = async (...ops: Json[]) => expect((await anna.push(ops)).status).toBe('applied');
  await applied(invite(realm, 'anna', 'owner'), invite(realm, 'bo', 'reader'));
  await ear.hears(isRights('bo'));
  await applied(city(realm));
  await ear.hears((message) => message.realm === realm);
  ear.heard.length = 0;
  await applied(remove(realm, 'bo'));
  await applied(city(realm));
  await ear.hears(isRights('bo'));
  // A later commit of that realm is followed by one of bo's own.
  await applied(city(realm));
  expect((await new WireClient(first, 'bo').push([city('user:bo')])).status).toBe('applied');
  await ear.hears((message) => message.realm === 'user:bo' && message.revision !== 0);
  expect(JSON.stringify(ear.heard)).not.toContain(realm);
});

test('an invitation at one node reaches a socket at the other, and no right does', async () => {
  const [first, second] = await urls(asking, ['--invitations', 'consent']);
  const anna = new WireClient(first, 'anna');
  const ear = await listenAt(second, 'bo', ['cities']);
  const realm = uuid7();
  const applied = async (client: WireClient, ...ops: Json[]) =>
    expect((await client.push(ops)).status).toBe('applied');
  await applied(anna, invite(realm, 'anna', 'owner'), invite(realm, 'bo', 'reader'), city(realm));
  await ear.hears(({ type }) => type === 'invitations');
  expect(ear.heard.some(isRights('bo'))).toBe(false);
  await applied(new WireClient(first, 'bo'), accept(realm, 'bo'));
  await ear.hears(isRights('bo'));
  expect(JSON.stringify(ear.heard)).not.toContain(realm);
  await applied(anna, city(realm));
  await ear.hears((message) => message.realm === realm);
});

test('without notifications, no commit after a removal is announced before it', async () => {
  const [first, second] = await urls(silent, ['--no-notify']);
  const anna = new WireClient(first, 'anna');
  const realm = uuid7();
  const applied = async (client: WireClient, ...ops: Json[]) =>
    expect((await client.push(ops)).status).toBe('applied');
  const ear = await listenAt(second, 'bo', ['cities']);
  const members = ['bo', 'cy'].map((user) => invite(realm, user, 'writer'));
  await applied(anna, invite(realm, 'anna', 'owner'), ...members);
  await ear.hears(isRights('bo'));
  const cy = new WireClient(second, 'cy');
  await applied(cy, city(realm));
  await ear.hears((message) => message.realm === realm);
  ear.heard.length = 0;
  await applied(anna, remove(realm, 'bo'));
  // The second node does not know of the removal yet, and has a commit behind it.
  await applied(cy, city(realm));
  await ear.hears(isRights('bo'));
  await applied(cy, city(realm));
  await applied(new WireClient(second, 'bo'), city('user:bo'));
  await ear.hears((message) => message.realm === 'user:bo' && message.revision !== 0);
  expect(JSON.stringify(ear.heard)).not.toContain(realm);
});

test.each([
  ['with notifications', nodes, []],
  ['by polling', silent, ['--no-notify']],
] as const)(
  'each change of a role while it stays reaches the other node, %s',
  async (_name, of, args) => {
    const [first, second] = await urls(of, args);
    const anna = new WireClient(first, 'anna');
    const user = `eve-${uuid7()}`;
    const realm = uuid7();
    const applied = async (...ops: Json[]) => expect((await anna.push(ops)).status).toBe('applied');
    const ear = await listenAt(second, user, ['cities']);
    await applied(invite(realm, 'anna', 'owner'));
    const changes = [
      invite(realm, user, 'reader'),
      setRole(realm, user, 'writer'),
      setRole(realm, user, 'owner'),
      setRole(realm, user, 'reader'),
      remove(realm, user),
    ];
    for (const change of changes) {
      ear.heard.length = 0;
      await applied(change);
      await ear.hears(isRights(user));
    }
  },
);
