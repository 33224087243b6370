// Goal: no change is too large to send. If it is too large for an answer, its cursor is passed, its scopes become
// unfilled, and pages bring the rows: no answer is longer than clients accept, and none is refused. Method: a real
// server; clients that hold what they receive, compared with what was written.

import { expect, test } from 'vitest';
import { remove as dismiss, invite } from './support/memberships.ts';
import { changesOf, create, inc, PullStage, remove } from './support/pulling.ts';
import { type Json, uuid7 } from './support/server.ts';

const stage = new PullStage();

const ids = (follower: { rows: Map<string, Json> }) =>
  [...follower.rows.keys()].map((key) => String(key.split(/[ /]/).at(-1))).sort();
const numbered = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(4, '0')}`);

test('sends a push too large for an answer in pages, and later pushes as usual', async () => {
  const { realm, other } = stage.pair();
  const reader = stage.follower(other.user, ['cities', 'notices']);
  await other.push([
    create(realm, 'first', { name: 'first' }),
    create(realm, 'n', { text: 'n' }, 'notices'),
  ]);
  await reader.follow();
  const many = numbered(9_900, 'm');
  const name = 'x'.repeat(690);
  const large = other.update(many.map((id) => create(realm, id, { name })));
  const { body } = await other.send([large]);
  expect((body.results as Json[])[0]).toMatchObject({ status: 'applied' });
  const old = await reader.client.pull();
  expect([old.status, old.body.code]).toEqual([410, 'gone']); // who knows nothing of `refill`
  await reader.follow();
  expect(reader.refilled).toEqual([{ table: 'cities', where: ['true'] }]);
  expect(reader.answers[0]).toMatchObject({ changes: [], more: true });
  expect(ids(reader)).toEqual(['first', ...many, 'n'].sort());
  expect(reader.client.scopes.map(({ filled }) => filled)).toEqual([true, true]);
  await other.push([inc(realm, 'm0007', 5), remove(realm, 'm0008')]);
  await reader.follow();
  expect(reader.answers.length).toBe(1);
  expect(reader.rows.get(`${realm} cities ${realm}/m0007`)).toEqual({ name, population: 5 });
  expect(ids(reader)).not.toContain('m0008');
  // Its author holds it already: the answer confirms it, and does not repeat what the author folds itself.
  other.scopes = [{ table: 'cities', where: ['true'], filled: true }];
  const author = await other.pull({ have: [large.id], refill: true });
  expect(author.status).toBe(200);
  expect(author.body.own).toMatchObject({ [large.id]: { [realm]: {} } });
});

test('sends a moved group too large for an answer, only in its new realm', async () => {
  const user = `mover-${Date.now()}`;
  const [from, to] = [`user:${user}`, 'public'];
  const author = stage.client(user);
  const reader = stage.follower(user, ['userGroups', 'members']);
  const [group, members] = [uuid7(), numbered(12, '').map(() => uuid7())];
  const person = 'p'.repeat(900_000);
  await author.push([create(from, group, { name: 'g' }, 'userGroups')]);
  for (let at = 0; at < members.length; at += 6) {
    const some = members.slice(at, at + 6);
    await author.push(some.map((id) => create(from, id, { group, person }, 'members')));
  }
  await reader.follow();
  expect(reader.rows.size).toBe(13);
  await author.push([{ op: 'move', table: 'userGroups', id: group, realm: from, to }]);
  await reader.follow();
  expect(reader.refilled.length).toBeGreaterThan(0);
  expect([...reader.rows.keys()].sort()).toEqual(
    [`${to} userGroups ${group}`, ...members.map((id) => `${to} members ${id}`)].sort(),
  );
});

test('sends memberships in full, however large the rest of an entry or a realm is', async () => {
  const [realm, user] = [uuid7(), `owner-${Date.now()}`];
  const owner = stage.client(user);
  const readers = [stage.follower(user, ['cities']), stage.follower(`bo-${user}`, ['cities'])];
  await owner.push([invite(realm, user, 'owner'), invite(realm, 'ann', 'reader')]);
  for (const reader of readers) await reader.follow();
  const rows = numbered(9_900, 'm');
  const many = rows.map((id) => create(realm, id, { name: 'x'.repeat(690) }));
  await owner.push([...many, dismiss(realm, 'ann'), invite(realm, `bo-${user}`, 'writer')]);
  // To the first this is a large entry, to the second a large realm.
  for (const reader of readers) {
    await reader.follow();
    const [first] = reader.answers as [Json];
    expect(first).toMatchObject({ refill: [{ table: 'cities' }], more: true });
    expect((first.changes as Json[]).every(({ table }) => table === '$members')).toBe(true);
    expect(ids(reader)).toEqual([`bo-${user}`, ...rows, user].sort());
  }
});

test('sends new realms of very many members one after the other', async () => {
  const user = `owner-${Date.now()}`;
  const owner = stage.client(user);
  const realms = [uuid7(), uuid7()];
  for (const realm of realms) {
    const others = numbered(4_500, 'u').map((other) => invite(realm, other, 'reader'));
    await owner.push([invite(realm, user, 'owner'), create(realm, 'c', { name: 'c' }), ...others]);
  }
  const reader = stage.follower(user, ['cities']);
  await reader.follow();
  const [first] = reader.answers as [Json];
  expect(first.more).toBe(true);
  const told = new Set((first.changes as Json[]).map((change) => change.realm));
  expect(realms.filter((realm) => told.has(realm)).length).toBe(1);
  for (const realm of realms) {
    const of = [...reader.rows.keys()].filter((key) => key.startsWith(`${realm} $members`));
    expect(of.length).toBe(4_501);
    expect(reader.rows.has(`${realm} cities ${realm}/c`)).toBe(true);
  }
  // With cursors of another history they begin again in the same way; none is taken for revoked.
  for (const realm of realms) reader.client.cursors[realm] = '1@1';
  await reader.follow();
  const begun = reader.answers.map(({ reset, revoked }) => [reset ?? [], revoked]);
  expect(begun.filter(([reset]) => (reset as string[]).length > 0)).toEqual(
    realms.map((realm) => [[realm], []]),
  );
  expect(begun.flatMap(([, revoked]) => revoked)).toEqual([]);
});

test('sends or skips small changes of large rows in a few megabytes at a time', async () => {
  const { realm, other } = stage.pair();
  const reader = stage.follower(other.user, ['cities']);
  const rows = numbered(7, 'r');
  const name = 'x'.repeat(1_000_000);
  await other.push(rows.map((id) => create(realm, id, { name })));
  await reader.follow();
  for (let i = 0; i < 5; i++) await other.push(rows.map((id) => inc(realm, id, 1)));
  await other.push(rows.slice(0, 1).map((id) => inc(realm, id, 1)));
  await reader.follow();
  const populations = [...reader.rows.values()].map(({ population }) => population);
  expect(populations.sort()).toEqual([5, 5, 5, 5, 5, 5, 6]);
  expect(
    await other.pull({ scopes: [{ table: 'cities', where: ['true'], filled: false }] }),
  ).toMatchObject({ status: 200 });
});

test('sends a realm of long rows in pages, to new clients and after a restore', async () => {
  const { realm, other } = stage.pair();
  const rows = numbered(10, 'r');
  const name = 'å'.repeat(450_000);
  for (let at = 0; at < rows.length; at += 5) {
    await other.push(rows.slice(at, at + 5).map((id) => create(realm, id, { name })));
  }
  const reader = stage.follower(other.user, ['cities']);
  await reader.follow();
  expect(ids(reader)).toEqual(rows);
  const { cursors } = reader.client;
  for (const wrong of [{ [realm]: '1@5' }, {}]) {
    reader.client.cursors = { ...cursors, ...wrong };
    if (!(realm in wrong)) delete reader.client.cursors[realm];
    await reader.follow();
    expect(reader.answers[0]).toMatchObject({ changes: [], refill: [{ table: 'cities' }] });
    expect(ids(reader)).toEqual(rows);
  }
});

test('a client confirms its own updates, however large their rows are', async () => {
  const { realm, other, author } = stage.pair();
  const rows = numbered(10, 'r');
  const name = 'x'.repeat(1_000_000);
  for (let at = 0; at < rows.length; at += 5) {
    await other.push(rows.slice(at, at + 5).map((id) => create(realm, id, { name })));
  }
  author.scopes = [{ table: 'cities', where: ['true'], filled: true }];
  await author.push([create(realm, 'last', { name: 'last' })]);
  const { body: head } = await other.pull({ scopes: [] });
  const update = author.update(rows.map((id) => inc(realm, id, 1)));
  await author.send([update]);
  const { status, body } = await author.pull({
    cursors: head.cursors,
    have: [update.id],
    refill: true,
  });
  expect(status).toBe(200);
  expect(body.own).toMatchObject({ [update.id]: { [realm]: {} } });
  expect(body.refill).toEqual([{ table: 'cities', where: ['true'] }]);
  expect(changesOf(body, 'r0001')).toEqual([]);
});

test('/v1/tables sends pages of a few megabytes, also of one large entry', async () => {
  const { realm, other } = stage.pair();
  const rows = numbered(10, 'r');
  const name = 'x'.repeat(1_000_000);
  for (let at = 0; at < rows.length; at += 5) {
    await other.push(rows.slice(at, at + 5).map((id) => create(realm, id, { name })));
  }
  let lastUpdateTime: string | null = null;
  const read = async () => {
    const found: string[] = [];
    const resets: unknown[] = [];
    for (let more = true; more; ) {
      const at: string = lastUpdateTime === null ? '' : `?lastUpdateTime=${lastUpdateTime}`;
      const answer = await fetch(`${other.url}/v1/tables/cities${at}`, { headers: other.headers });
      const text = await answer.text();
      expect([answer.status, text.length < 8 << 20]).toEqual([200, true]);
      const body = JSON.parse(text) as Json;
      found.push(...(body.rows as Json[]).map(({ id }) => String(id).split('/')[1] as string));
      lastUpdateTime = body.lastUpdateTime as string;
      resets.push(body.reset);
      more = body.more === true;
    }
    return { found, reset: resets[0] };
  };
  expect(await read()).toEqual({ found: rows, reset: false });
  await other.push([inc(realm, 'r0003', 1)]);
  expect(await read()).toEqual({ found: ['r0003'], reset: false });
  await other.push(rows.map((id) => inc(realm, id, 1)));
  expect(await read()).toEqual({ found: rows, reset: false });
  expect(await read()).toEqual({ found: [], reset: false });
});
