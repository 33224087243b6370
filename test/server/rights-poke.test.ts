// Goal: a change of rights reaches open sockets at once: who is invited hears of the realm, and who is removed hears
// nothing more of it, not even its name. Method: a real server process, and sockets by hand.

import { afterEach, expect, test } from 'vitest';
import { type Ear, listenAt, terminateAll } from './support/ear.ts';
import { city, invite, isOf, isRights, remove } from './support/memberships.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();
afterEach(terminateAll);

async function applied(client: WireClient, ...ops: Json[]): Promise<void> {
  expect((await client.push(ops)).status).toBe('applied');
}

/** Everything that was sent before this has arrived: a poke in the personal realm follows it. */
async function flushed(ear: Ear, user: string): Promise<void> {
  await applied(new WireClient(server.url, user), city(`user:${user}`));
  await ear.hears((message) => isOf(`user:${user}`)(message) && message.revision !== 0);
}

test('an invitation pokes the invited user, who then gets pokes of the realm', async () => {
  const anna = new WireClient(server.url, 'anna');
  const ear = await listenAt(server.url, 'dora', ['cities']);
  const realm = uuid7();
  await applied(anna, invite(realm, 'anna', 'owner'), city(realm));
  await applied(anna, invite(realm, 'dora', 'reader'));
  await ear.hears(isRights('dora'));
  await applied(anna, city(realm));
  await ear.hears(isOf(realm));
});

test('the founder of a realm gets its pokes on a socket from before', async () => {
  const [anna, other] = [new WireClient(server.url, 'eva'), new WireClient(server.url, 'eva')];
  const ear = await listenAt(server.url, 'eva', ['cities']);
  const realm = uuid7();
  await applied(anna, invite(realm, 'eva', 'owner'));
  await ear.hears(isRights('eva'));
  await applied(other, city(realm));
  await ear.hears(isOf(realm));
});

test('a removal silences the realm, also in the commit that removes', async () => {
  const anna = new WireClient(server.url, 'anna');
  const realm = uuid7();
  await applied(anna, invite(realm, 'anna', 'owner'), invite(realm, 'finn', 'writer'));
  const ear = await listenAt(server.url, 'finn', ['cities']);
  await applied(anna, city(realm));
  await ear.hears(isOf(realm));
  ear.heard.length = 0;
  const updates = [remove(realm, 'finn'), city(realm), city(realm)].map((op) => anna.update([op]));
  const { body } = await anna.send(updates);
  expect((body.results as Json[]).map(({ status }) => status)).toEqual(Array(3).fill('applied'));
  await applied(anna, city(realm));
  await ear.hears(isRights('finn'));
  await flushed(ear, 'finn');
  expect(JSON.stringify(ear.heard)).not.toContain(realm);
});
