// Goal: of a log that is forgotten nothing stays but what somebody may ask for, and it is forgotten in steps that a server can
// die between. Method: the real authority and committer over an empty database, whose tables are counted.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../server/src/db/database.ts';
import { forgetLog } from '../../server/src/retention/log.ts';
import type { Caller } from '../../server/src/rights/rights.ts';
import { type Committing, openCommitter } from './support/committing.ts';
import { invite } from './support/memberships.ts';
import { create, inc, remove } from './support/pulling.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';

/** Everything is older. */
const kAll = -3_600_000;
let db: Database;
let opened: Committing;

beforeAll(async () => {
  opened = await openCommitter({ invitations: 'direct' });
  db = opened.database;
});
afterAll(() => opened.close());

let realms = 0;
function newRealm() {
  const realm = `r${++realms}`;
  const user: Caller = { id: 'anna', grants: new Map([[realm, 'write']]), expires: null };
  const commit = async (client: WireClient, ops: readonly Json[], seen = 0) => {
    const unit = { client: client.id, user, epoch: 1, update: client.update(ops) };
    const { results } = await opened.committer.commit(
      [{ ...unit, seen: new Map([[realm, seen]]) }],
      {
        wait: true,
      },
    );
    expect(results[0]).toMatchObject({ status: 'applied' });
    return unit;
  };
  const again = async (unit: Awaited<ReturnType<typeof commit>>) =>
    (await opened.committer.commit([unit], { wait: true })).results[0];
  return { realm, commit, again };
}
const parts = () => opened;

/** How much of a realm is in each table, and the revisions of its log. */
async function stored(realm: string) {
  const [row] = await db.query<
    Record<'log' | 'changes' | 'actions' | 'rows' | 'dead' | 'floor', string>
  >(
    `select (select coalesce(json_agg(revision order by revision), '[]') from skerry.log where realm = $1::text)::text as log,
            (select count(*) from skerry.change where realm = $1::text)::text as changes,
            (select count(*) from skerry.action where realm = $1::text)::text as actions,
            (select count(*) from cities where realm = $1::text and deleted_at is null)::text as rows,
            (select count(*) from cities where realm = $1::text and deleted_at is not null)::text as dead,
            (select floor from skerry.realm where realm = $1::text)::text as floor`,
    [realm],
  );
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([name, text]) => [name, JSON.parse(text) as unknown]),
  );
}

test('keeps the first entry, that at the floor, and outcomes that are not seen', async () => {
  const { realm, commit, again } = newRealm();
  const [one, two] = [new WireClient(''), new WireClient('')];
  for (let n = 1; n <= 10; n++) await commit(one, [create(realm, `${n}`, { name: 'n' })], n - 1);
  for (let n = 1; n <= 5; n++) await commit(one, [remove(realm, `${n}`)], n + 9);
  // The second client has said of none of its updates that it knows the outcome.
  const sent = [];
  for (let n = 6; n <= 8; n++) sent.push(await commit(two, [inc(realm, `${n}`, 1)]));
  expect(await stored(realm)).toMatchObject({ changes: 18, actions: 18, dead: 5, floor: 0 });
  expect(await forgetLog(parts(), realm, kAll)).toBe(13);
  // Of the first client's the last one is not seen.
  expect(await stored(realm)).toEqual({
    ...{ log: [1, 15, 16, 17, 18], floor: 18 },
    ...{ changes: 0, actions: 5, rows: 5, dead: 0 },
  });
  for (const unit of sent) expect(await again(unit)).toMatchObject({ status: 'duplicate' });
  const [kept] = await db.query<{ ops: string | null; actions: string }>(
    `select ops::text as ops, actions::text as actions from skerry.log where realm = $1::text and revision = 16`,
    [realm],
  );
  expect(kept?.ops).toBeNull();
  expect(Object.keys((JSON.parse(kept?.actions ?? '[]') as Json[])[0] ?? {})).toEqual(['id']);
});

test('deletes kept entries once they are seen, and the former floor’s entry', async () => {
  const { realm, commit, again } = newRealm();
  const client = new WireClient('');
  const first = await commit(client, [create(realm, 'a', { name: 'a' })]);
  const second = await commit(client, [inc(realm, 'a', 1)]);
  await forgetLog(parts(), realm, kAll);
  expect(await stored(realm)).toMatchObject({ log: [1, 2], floor: 2, actions: 2 });
  await commit(client, [inc(realm, 'a', 1)], 2);
  await commit(client, [inc(realm, 'a', 1)], 3);
  await forgetLog(parts(), realm, kAll);
  expect(await stored(realm)).toMatchObject({ log: [1, 4], floor: 4, actions: 2, changes: 0 });
  expect(await again(second)).toMatchObject({ status: 'forked' });
  // The first entry stays for its founder, and knows its update as long.
  expect(await again(first)).toMatchObject({ status: 'duplicate' });
});

test('keeps changes of memberships, which no page brings', async () => {
  const realm = uuid7();
  const user: Caller = { id: 'anna', grants: new Map(), expires: null };
  const client = new WireClient('');
  const update = client.update([invite(realm, 'anna', 'owner'), create(realm, 'a', { name: 'a' })]);
  const unit = { client: client.id, user, epoch: 1, update };
  const { results } = await opened.committer.commit([unit], { wait: true });
  expect(results[0]).toMatchObject({ status: 'applied' });
  await forgetLog(parts(), realm, kAll);
  const [kept] = await db.query<{ ops: string }>(
    `select ops::text as ops from skerry.log where realm = $1::text`,
    [realm],
  );
  expect(JSON.parse(kept?.ops ?? '')).toMatchObject([{ table: '$members', id: `${realm}/anna` }]);
});

test('forgets nothing that is younger, nor of another realm', async () => {
  const [old, other] = [newRealm(), newRealm()];
  const client = new WireClient('');
  for (const { realm, commit } of [old, other])
    for (let n = 1; n <= 3; n++) await commit(client, [create(realm, `${n}`, { name: 'n' })], 3);
  const before = await stored(other.realm);
  expect(await forgetLog(parts(), old.realm, 3_600_000)).toBe(0);
  expect(await stored(old.realm)).toEqual(before);
  await forgetLog(parts(), old.realm, kAll);
  expect(await stored(other.realm)).toEqual(before);
  expect(await forgetLog(parts(), 'no realm', kAll)).toBe(0);
});

test('goes on where it was interrupted, after any step', async () => {
  const { realm, commit } = newRealm();
  const client = new WireClient('');
  for (let n = 1; n <= 25; n++) await commit(client, many(realm, n), n - 1);
  const floors = new Set<unknown>();
  for (let round = 0; round < 20; round++) {
    let steps = 0;
    await forgetLog(parts(), realm, kAll, () => steps++ < 1);
    const { floor, changes, log } = (await stored(realm)) as Record<'floor' | 'changes', number> & {
      log: number[];
    };
    floors.add(floor);
    // What is above the floor is whole.
    expect(changes).toBe((25 - floor) * 1_000);
    expect(log.filter((revision) => revision > floor)).toHaveLength(25 - floor);
  }
  expect([...floors]).toEqual([20, 25]);
  expect(await stored(realm)).toMatchObject({ log: [1, 25], rows: 25_000, changes: 0 });
});

test('by two nodes at once is done once', async () => {
  const { realm, commit } = newRealm();
  const client = new WireClient('');
  for (let n = 1; n <= 30; n++) await commit(client, [create(realm, `${n}`, { name: 'n' })], n);
  const gone = await Promise.all([1, 2, 3].map(() => forgetLog(parts(), realm, kAll)));
  expect(gone.reduce((sum, count) => sum + count)).toBe(28);
  expect(await stored(realm)).toMatchObject({ log: [1, 30], floor: 30, changes: 0 });
});

/** A thousand rows. */
function many(realm: string, n: number): Json[] {
  return Array.from({ length: 1_000 }, (_, i) => create(realm, `${n}-${i}`, { name: 'n' }));
}
