// Goal: a refusal of invitations ends after its time, a block does not, and each is the word of its own user only. Method: the
// real authority and committer over an empty database, whose records are made older.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import type { Database } from '../../server/src/db/database.ts';
import { Retention } from '../../server/src/retention/retention.ts';
import type { Caller } from '../../server/src/rights/rights.ts';
import { type Committing, openCommitter } from './support/committing.ts';
import { invite, remove } from './support/memberships.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';

let db: Database;
let opened: Committing;

beforeAll(async () => {
  opened = await openCommitter();
  db = opened.database;
});
afterAll(() => opened.close());

/** The status of one update by the user, or the code of its refusal. */
async function commit(user: string, ops: readonly Json[], action: Json = {}): Promise<unknown> {
  const caller: Caller = {
    ...{ id: user, expires: null },
    grants: new Map([
      [`user:${user}`, 'write'],
      ['user:bo', 'write'],
    ]),
  };
  const client = new WireClient('', user);
  const update = client.update(ops);
  const [first] = update.actions as Json[];
  const unit = { client: client.id, user: caller, epoch: 1, update };
  const pushed = { ...unit, update: { ...update, actions: [{ ...first, ...action }] } };
  const { results } = await opened.committer.commit([pushed], { wait: true });
  const [result] = results as Json[];
  return result?.status === 'rejected' ? (result.rejected as Json[])[0]?.code : result?.status;
}

async function inviting(user: string, guest: string): Promise<unknown> {
  const realm = uuid7();
  const founded = await commit(user, [invite(realm, user, 'owner')]);
  expect(founded).toBe('applied');
  return commit(user, [invite(realm, guest, 'reader')]);
}

const block = (realm: string) => [{ op: 'append', stream: '$blocked', realm }];
const blocking = (user: string) => ({ name: 'skerry/block', arg: { user } });

/** As if so many ms had passed since all was declined, and the server had looked for what is old. */
async function later(ms: number): Promise<number> {
  await db.query(`update skerry.declined set at = at - ${ms} where at < 9000000000000`);
  const errors: unknown[] = [];
  const log = (_message: string, error: unknown) => errors.push(error);
  const retention = new Retention({ ...opened, retentionMs: 1e12, log });
  retention.begin();
  await retention.close();
  expect(errors).toEqual([]);
  const [row] = await db.query<{ count: string }>(
    'select count(*)::text as count from skerry.declined',
  );
  return Number(row?.count);
}

test('a user who declined can be invited again by the same user after 30 days', async () => {
  const realm = uuid7();
  const founding = [invite(realm, 'anna', 'owner'), invite(realm, 'bo', 'reader')];
  expect(await commit('anna', founding)).toBe('applied');
  expect(await commit('bo', [remove(realm, 'bo')])).toBe('applied');
  expect(await inviting('anna', 'bo')).toBe('forbidden');
  expect(await later(limits.declinedMs - 60_000)).toBe(1);
  expect(await inviting('anna', 'bo')).toBe('forbidden');
  expect(await later(60_001)).toBe(0);
  expect(await inviting('anna', 'bo')).toBe('applied');
});

test('a block has no end', async () => {
  expect(await commit('bo', block('user:bo'), blocking('mal'))).toBe('applied');
  expect(await inviting('mal', 'bo')).toBe('forbidden');
  expect(await later(limits.declinedMs + 1)).toBe(1);
  expect(await inviting('mal', 'bo')).toBe('forbidden');
  expect(await inviting('gus', 'bo')).toBe('applied');
});

test('nobody blocks for another user, and an invalid block has no effect', async () => {
  // This one may write in the realm of the other.
  expect(await commit('eve', block('user:bo'), blocking('hal'))).toBe('applied');
  expect(await commit('bo', block('user:bo'), { name: 'other', arg: { user: 'hal' } })).toBe(
    'applied',
  );
  for (const arg of [null, 'hal', { user: 7 }, { user: '' }, { user: 'bo' }])
    expect(await commit('bo', block('user:bo'), { name: 'skerry/block', arg })).toBe('applied');
  const other = [{ op: 'append', stream: 'blocked', realm: 'user:bo' }];
  expect(await commit('bo', other, blocking('hal'))).toBe('applied');
  expect(await inviting('hal', 'bo')).toBe('applied');
  expect(await inviting('bo', 'hal')).toBe('applied');
});
