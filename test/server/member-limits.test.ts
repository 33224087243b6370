// Goal: no user can make a realm too large to be pulled, or add another user to more realms than a pull can name. Method:
// a real server, filled up to its limits.

import { expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { makeDatabase, postgresUrl, runSql } from './support/database.ts';
import { city, invite, remove, setRole } from './support/memberships.ts';
import { type Json, uuid7, type WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

let databaseUrl = '';
const server = new SharedServer(async () => {
  if (postgresUrl === undefined) return {};
  databaseUrl = await makeDatabase(postgresUrl, 'member_limits');
  return { env: { DATABASE_URL: databaseUrl } };
});

/** The status of each update of one push, or the code of its refusal. */
async function push(client: WireClient, ...updates: Json[][]): Promise<unknown[]> {
  const { status, body } = await client.send(updates.map((ops) => client.update(ops)));
  expect(status).toBe(200);
  return (body.results as Json[]).map((result) =>
    result.status === 'rejected' ? (result.rejected as Json[])[0]?.code : result.status,
  );
}

/** Founds so many realms and invites somebody to each. */
async function inviteTo(count: number, founder: string, guest: string): Promise<void> {
  if (databaseUrl !== '') {
    await runSql(
      databaseUrl,
      `set session_replication_role = replica;
       with realm as (select gen_random_uuid()::text as realm from generate_series(1, ${count}))
       insert into skerry.membership (id, realm, revision, created_at, modified_at, "user", "role")
       select r.realm || '/' || u.name, r.realm, 1, now(), now(), u.name, u.role
         from realm r cross join (values ('${founder}', 'owner'), ('${guest}', 'reader')) as u(name, role)`,
    );
    return;
  }
  const client = server.client(founder);
  for (let left = count; left > 0; left -= 100) {
    const realms = Array.from({ length: Math.min(left, 100) }, uuid7);
    const ops = realms.flatMap((realm) => [
      invite(realm, founder, 'owner'),
      invite(realm, guest, 'reader'),
    ]);
    expect(await push(client, ops)).toEqual(['applied']);
  }
}

test('a realm takes as many members as one answer can bring', async () => {
  const [anna, realm] = [server.client('anna'), uuid7()];
  const others = Array.from({ length: 7_999 }, (_, i) => invite(realm, `user-${i}`, 'reader'));
  const founds = [invite(realm, 'anna', 'owner')];
  const late = [invite(realm, 'late', 'reader')];
  expect(await push(anna, [...founds, ...others, ...late])).toEqual(['limit']);
  anna.chain = {};
  expect(await push(anna, founds, others.slice(1), others.slice(0, 1))).toEqual([
    'applied',
    'applied',
    'applied',
  ]);
  expect(await push(server.client('anna'), late)).toEqual(['limit']);
  // Nothing else is in the way, and a stranger learns nothing.
  const again = [invite(realm, 'user-7', 'writer'), setRole(realm, 'user-8', 'writer')];
  expect(await push(anna, again)).toEqual(['applied']);
  expect(await push(server.client('bo'), late)).toEqual(['forbidden']);
  // A removal and an invitation in one push.
  expect(await push(anna, [remove(realm, 'user-9')], late)).toEqual(['applied', 'applied']);
  expect(await push(anna, [invite(realm, 'later', 'reader')])).toEqual(['limit']);
  const { status, body } = await server.client('late').pull();
  expect(status).toBe(200);
  expect(body.changes).toHaveLength(8_000);
});

test('a person is invited to so many realms that the own ones still find room', async () => {
  await inviteTo(4_999, 'crowd', 'victim');
  const crowd = server.client('crowd');
  const inviting = () => {
    const realm = uuid7();
    return [invite(realm, 'crowd', 'owner'), invite(realm, 'victim', 'reader')];
  };
  // Two invitations in one push, of which one is the last that finds room.
  expect(await push(crowd, inviting(), inviting())).toEqual(['applied', 'limit']);
  const victim = server.client('victim');
  const own = uuid7();
  expect(await push(victim, [invite(own, 'victim', 'owner'), city(own)])).toEqual(['applied']);
  expect((await victim.pull()).status).toBe(200);
});

test('a person has no more realms than a pull can name', async () => {
  for (const guest of ['one', 'another']) await inviteTo(4_500, 'founder', guest);
  const founder = server.client('founder');
  expect(await push(founder, [invite(uuid7(), 'founder', 'owner')])).toEqual(['limit']);
});

test('realms that are new to a client come in answers of so many, each whole', async () => {
  const founder = server.client('settler');
  const realms = Array.from({ length: limits.newRealmsPerPull }, uuid7);
  for (let at = 0; at < realms.length; at += 50) {
    const ops = realms
      .slice(at, at + 50)
      .flatMap((realm) => [invite(realm, 'settler', 'owner'), city(realm, `city of ${realm}`)]);
    expect(await push(founder, ops)).toEqual(['applied']);
  }
  const device = server.client('settler');
  device.scopes = [{ table: 'cities', where: ['true'], filled: true }];
  const held = new Map<string, Set<unknown>>();
  const answers: number[] = [];
  for (let more = true; more; ) {
    const { status, body } = await device.pull();
    expect(status).toBe(200);
    const cursors = body.cursors as Record<string, string>;
    answers.push(Object.keys(cursors).filter((realm) => !(realm in device.cursors)).length);
    for (const change of body.changes as Json[]) {
      const realm = String(change.realm);
      held.set(realm, (held.get(realm) ?? new Set()).add(change.id));
    }
    device.cursors = { ...device.cursors, ...cursors };
    more = body.more === true;
  }
  // The personal realm, and the public one, are new, too.
  expect(answers).toEqual([limits.newRealmsPerPull, 2]);
  for (const realm of realms)
    expect(held.get(realm)).toEqual(new Set([`${realm}/settler`, `city of ${realm}`]));
});
