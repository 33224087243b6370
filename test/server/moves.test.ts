// Goal: a row moves from one realm to another with its children, in both logs or in none; those who see both realms, one or
// neither are sent what each may know; and an op that names the realm that a row has left finds it. Method: a real server,
// clients of the wire, and followers, who hold what they may read.

import { beforeEach, expect, test } from 'vitest';
import { Follower } from './support/follower.ts';
import { invite } from './support/memberships.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();
const kTables = ['userGroups', 'members', 'cities'];

let mover: WireClient;
let from: string;
let to: string;
let group: string;
let member: string;
let people = 0;

/** The mover owns both realms; a group with one member is in `from`. */
beforeEach(async () => {
  mover = new WireClient(server.url, `mover-${++people}`);
  [from, to, group, member] = [uuid7(), uuid7(), uuid7(), uuid7()];
  for (const realm of [from, to]) await applied(mover, invite(realm, mover.user, 'owner'));
  await applied(mover, groupIn(from), memberIn(from));
});

const groupIn = (realm: string) => ({
  ...{ op: 'create', table: 'userGroups', id: group, realm },
  set: { name: 'climbers' },
});
const memberIn = (realm: string, id = member) => ({
  ...{ op: 'create', table: 'members', id, realm },
  set: { group, person: 'ada' },
});
const move = () => ({ op: 'move', table: 'userGroups', id: group, realm: from, to });
const rename = (realm: string, name: string) => ({
  ...{ op: 'update', table: 'userGroups', id: group, realm },
  set: { name },
});

async function applied(client: WireClient, ...ops: Json[]): Promise<Json> {
  const result = await client.push(ops);
  expect(result).toMatchObject({ status: 'applied' });
  return result;
}

/** Another user, with these roles, who holds what they may read. */
async function person(roles: Readonly<Record<string, string>>): Promise<Follower> {
  const user = `person-${++people}`;
  for (const [realm, role] of Object.entries(roles))
    await applied(mover, invite(realm, user, role));
  const follower = new Follower(server.url, user, kTables);
  await follower.follow();
  return follower;
}

/** The realms and tables of the rows that a follower holds. */
const held = ({ rows }: Follower) =>
  [...rows.keys()]
    .map((key) => key.split(' ').slice(0, 2))
    .filter(([, table]) => kTables.includes(String(table)))
    .map((place) => place.join(' '))
    .sort();
const both = (realm: string) => [`${realm} members`, `${realm} userGroups`];
const changes = ({ answers }: Follower) =>
  answers
    .flatMap((answer) => answer.changes as Json[])
    .filter(({ table }) => kTables.includes(String(table)))
    .map(({ change, table, realm }) => `${change} ${table} ${realm}`)
    .sort();

test('users who see both realms, one, or neither get what each may see', async () => {
  const seesBoth = await person({ [from]: 'reader', [to]: 'reader' });
  const seesFrom = await person({ [from]: 'reader' });
  const seesTo = await person({ [to]: 'reader' });
  const seesNone = await person({});
  const { revisions } = await applied(mover, move());
  expect(Object.keys(revisions as Json).sort()).toEqual([from, to].sort());
  for (const each of [seesBoth, seesFrom, seesTo, seesNone]) await each.follow();
  expect(changes(seesBoth)).toEqual([`move members ${from}`, `move userGroups ${from}`]);
  expect(changes(seesFrom)).toEqual([`delete members ${from}`, `delete userGroups ${from}`]);
  expect(changes(seesTo)).toEqual([`create members ${to}`, `create userGroups ${to}`]);
  expect(changes(seesNone)).toEqual([]);
  expect([held(seesBoth), held(seesFrom), held(seesTo), held(seesNone)]).toEqual([
    both(to),
    [],
    both(to),
    [],
  ]);
  // Not even the name of the other realm.
  expect(JSON.stringify(seesFrom.answers)).not.toContain(to);
  expect(JSON.stringify(seesTo.answers)).not.toContain(from);
  for (const { answers } of [seesNone]) {
    for (const secret of [from, to, group]) expect(JSON.stringify(answers)).not.toContain(secret);
  }
});

test('a later client sees the rows in their new realm, and later in the old one', async () => {
  await applied(mover, move());
  const early = await person({ [from]: 'reader', [to]: 'reader' });
  expect(held(early)).toEqual(both(to));
  await applied(mover, { ...move(), realm: to, to: from });
  await early.follow();
  expect(held(early)).toEqual(both(from));
  expect(held(await person({ [from]: 'reader' }))).toEqual(both(from));
  expect(held(await person({ [to]: 'reader' }))).toEqual([]);
});

test('a move is in both logs, or in none', async () => {
  const watcher = await person({ [from]: 'reader', [to]: 'reader' });
  const cursors = { ...watcher.client.cursors };
  const there = uuid7();
  const away = { op: 'move', table: 'members', id: member, realm: from, to };
  const cases: [Json[], string][] = [
    // A child does not leave its parent.
    [[away], 'restrict'],
    // What comes before in the same update is undone as well.
    [
      [rename(from, 'half'), { ...memberIn(to, there), set: { group, person: 'x' } }, away],
      'restrict',
    ],
    [[move(), { op: 'create', table: 'cities', id: uuid7(), realm: to, set: {} }], 'missing_prop'],
    [[{ ...move(), to: `user:somebody` }], 'forbidden'],
  ];
  for (const [ops, code] of cases) {
    const result = await new WireClient(server.url, mover.user).push(ops);
    expect(result.status).toBe('rejected');
    expect((result.rejected as Json[])[0]!.code).toBe(code);
  }
  await watcher.follow();
  expect(changes(watcher)).toEqual([]);
  expect([watcher.client.cursors[from], watcher.client.cursors[to]]).toEqual([
    cursors[from],
    cursors[to],
  ]);
  await applied(mover, move(), rename(to, 'moved'));
  await watcher.follow();
  expect(held(watcher)).toEqual(both(to));
  expect(watcher.rows.get(`${to} userGroups ${group}`)).toMatchObject({ name: 'moved' });
});

test('a realm that has the id takes no row with it, neither the root nor a child', async () => {
  const [city, taken] = [uuid7(), uuid7()];
  for (const realm of [from, to])
    await applied(mover, { op: 'create', table: 'cities', id: city, realm, set: { name: realm } });
  await applied(mover, memberIn(from, taken));
  const other = { ...groupIn(to), id: uuid7() };
  await applied(mover, other, { ...memberIn(to, taken), set: { group: other.id, person: 'bo' } });
  const ops = [{ ...move(), table: 'cities', id: city }, move()];
  for (const op of ops) {
    const result = await new WireClient(server.url, mover.user).push([op]);
    expect([result.status, (result.rejected as Json[])[0]!.code]).toEqual(['rejected', 'exists']);
  }
});

test('an op that names the realm that a row has left is applied where the row is', async () => {
  const late = await person({ [from]: 'writer', [to]: 'writer' });
  await applied(mover, move());
  // `late` has not seen the move.
  const result = await applied(late.client, rename(from, 'renamed late'), memberIn(from, uuid7()), {
    op: 'delete',
    table: 'members',
    id: member,
    realm: from,
  });
  expect(result).not.toHaveProperty('noops');
  expect(result).not.toHaveProperty('gone');
  const watcher = await person({ [to]: 'reader' });
  expect(held(watcher)).toEqual(both(to));
  expect(watcher.rows.get(`${to} userGroups ${group}`)).toMatchObject({ name: 'renamed late' });
  expect([...watcher.rows.keys()].some((key) => key.includes(member))).toBe(false);
  // The author's own pull says so, too, and the former realm is empty.
  await late.follow({ have: [] });
  expect(held(late)).toEqual(both(to));
});

test('an op on a row that has moved out of sight is a noop; a create makes another', async () => {
  const late = await person({ [from]: 'writer' });
  const reads = await person({ [from]: 'writer', [to]: 'reader' });
  await applied(mover, move());
  const missed = await applied(late.client, rename(from, 'lost'), {
    ...{ op: 'delete', table: 'members', id: member, realm: from },
  });
  expect(missed.noops).toEqual([0, 1]);
  // As for a row that was deleted.
  const deleted = uuid7();
  await applied(
    mover,
    { ...groupIn(from), id: deleted },
    { op: 'delete', table: 'userGroups', id: deleted, realm: from },
  );
  const same = await applied(late.client, { ...rename(from, 'lost'), id: deleted });
  expect(same.noops).toEqual([0]);
  // Who may read the other realm is refused.
  const refused = await reads.client.push([rename(from, 'not mine')]);
  expect([refused.status, (refused.rejected as Json[])[0]!.code]).toEqual([
    'rejected',
    'forbidden',
  ]);
  const again = await applied(late.client, groupIn(from), memberIn(from));
  expect(again).not.toHaveProperty('noops');
  expect(again).not.toHaveProperty('gone');
  await reads.follow();
  expect(held(reads)).toEqual([...both(from), ...both(to)].sort());
});

test('a copy of a move that was answered already moves nothing a second time', async () => {
  const update = mover.update([move()]);
  const first = (await mover.send([update])).body.results as Json[];
  expect(first[0]).toMatchObject({ status: 'applied' });
  await applied(mover, { ...move(), realm: to, to: from });
  const copy = (await mover.send([update])).body.results as Json[];
  expect(copy[0]).toMatchObject({ status: 'duplicate', revisions: first[0]!.revisions });
  expect(held(await person({ [from]: 'reader', [to]: 'reader' }))).toEqual(both(from));
});
