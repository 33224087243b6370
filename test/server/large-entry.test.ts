// Goal: one entry may change 100,000 rows, and each client holds afterwards what it should. Method: a real server; a group
// with very many members moves to another realm, and is deleted there; clients that see both realms, or one of them.
// By day it has fewer members, which are longer, and still more than an answer can hold.

import { expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import type { Follower } from './support/follower.ts';
import { invite, remove } from './support/memberships.ts';
import { create, PullStage } from './support/pulling.ts';
import { type Json, uuid7, type WireClient } from './support/server.ts';

const stage = new PullStage();
const kMembers = rounds(100_000, 9_000);
const kPerPush = rounds(10_000, 5_000);
const kPerson = 'p'.repeat(rounds(1, 1_200));
const tables = ['userGroups', 'members'];

/** Ends with the update applied: while the database is busy, it is sent again. */
async function applied(client: WireClient, ops: readonly Json[]): Promise<void> {
  const update = client.update(ops);
  for (let tries = 0; tries < 20; tries++) {
    const { status, body } = await client.send([update]);
    if (status === 503) continue;
    const [result] = body.results as Json[];
    expect(['applied', 'duplicate']).toContain(result?.status);
    return;
  }
  throw new Error('The push was never applied.');
}

/** How many rows the client holds, by realm; memberships are not counted. */
function counts({ rows }: Follower): Json {
  const of: Record<string, number> = {};
  for (const key of rows.keys()) {
    const [realm = '', table = ''] = key.split(' ');
    if (tables.includes(table)) of[realm] = (of[realm] ?? 0) + 1;
  }
  return of;
}

test('a group moves with very many members, and is deleted', { timeout: 900_000 }, async () => {
  const [from, to] = [uuid7(), uuid7()];
  const owner = stage.client('owner');
  await applied(owner, [invite(from, 'owner', 'owner'), invite(from, 'leaver', 'reader')]);
  await applied(owner, [invite(to, 'owner', 'owner'), invite(to, 'joiner', 'reader')]);
  const [both, leaver, joiner] = ['owner', 'leaver', 'joiner'].map((user) =>
    stage.follower(user, tables),
  ) as [Follower, Follower, Follower];
  const readers = [both, leaver, joiner];
  const followed = async () => {
    for (const reader of readers) await reader.follow();
    return readers.map(counts);
  };
  const group = uuid7();
  await applied(owner, [create(from, group, { name: 'g' }, 'userGroups')]);
  for (let made = 0; made < kMembers; ) {
    const count = Math.min(kPerPush, kMembers - made);
    const ids = Array.from({ length: count }, () => uuid7());
    await applied(
      owner,
      ids.map((id) => create(from, id, { group, person: kPerson }, 'members')),
    );
    made += count;
  }
  const all = kMembers + 1;
  expect(await followed()).toEqual([{ [from]: all }, { [from]: all }, {}]);

  await applied(owner, [{ op: 'move', table: 'userGroups', id: group, realm: from, to }]);
  expect(await followed()).toEqual([{ [to]: all }, {}, { [to]: all }]);
  expect(both.refilled.map((scope) => (scope as Json).table).sort()).toEqual(
    ['members', 'userGroups'].sort(),
  );

  // Memberships that change in the same entry are sent, though the entry is too large.
  await applied(owner, [
    { op: 'delete', table: 'userGroups', id: group, realm: to },
    remove(to, 'joiner'),
    invite(to, 'late', 'reader'),
  ]);
  expect(await followed()).toEqual([{}, {}, {}]);
  const sent = both.answers.flatMap(({ changes }) => changes as Json[]);
  expect(sent).toContainEqual(expect.objectContaining({ change: 'create', id: `${to}/late` }));
  expect(sent).toContainEqual(expect.objectContaining({ change: 'delete', id: `${to}/joiner` }));
});
