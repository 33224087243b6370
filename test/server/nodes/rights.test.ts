// Goal: a change of rights on one node reaches the sockets of another node, by a notification, and by polling where there
// is none. Method: two real nodes on one PostgreSQL.

import { afterAll, afterEach, expect, test } from 'vitest';
import { listenAt, terminateAll } from '../support/ear.ts';
import { city, invite, isRights, remove } from '../support/memberships.ts';
import { Nodes } from '../support/nodes.ts';
import { type Json, uuid7, WireClient } from '../support/server.ts';

const nodes = new Nodes();
afterEach(terminateAll);
afterAll(() => nodes.remove());

async function urls(): Promise<[string, string]> {
  if (nodes.running.length === 0) for (const n of [0, 1]) await nodes.start(n);
  return nodes.running.map(({ url }) => url) as [string, string];
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
