// Goal: in one transaction, an error in one push affects no other, and each request has the rights of its own token.
// Method: the flusher, the real authority and a database; pushes of one turn form one group.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Authority } from '../../server/src/authority/authority.ts';
import { limits } from '../../server/src/base/limits.ts';
import type { Problem } from '../../server/src/base/problem.ts';
import { Shares } from '../../server/src/cost/shares.ts';
import type { Database } from '../../server/src/db/database.ts';
import { Committer } from '../../server/src/push/commit.ts';
import { Flusher } from '../../server/src/push/flusher.ts';
import type { Caller } from '../../server/src/rights/rights.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { openTestDatabase } from './support/database.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';

let db: Database;
let flusher: Flusher;
let transactions = 0;

beforeAll(async () => {
  db = await openTestDatabase();
  const schema = sqlSchema(testSchema);
  await migrate(db);
  await db.transaction({ mode: 'write' }, (tx) => applySchema(tx, testSchema, schema));
  const counted: Database = {
    ...db,
    transaction: (options, work) => {
      transactions++;
      return db.transaction(options, work);
    },
  };
  flusher = new Flusher({
    committer: new Committer(counted, await Authority.load(testSchema), schema, {
      invitations: 'direct',
    }),
    shares: new Shares({ least: 0, remembered: 1 }),
    committed: () => {},
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    log: () => {},
  });
});
afterAll(async () => {
  await flusher.close();
  await db.close();
});

const userOf = (id: string, realms: Record<string, 'read' | 'write'> = {}): Caller => ({
  id,
  grants: new Map([[`user:${id}`, 'write' as const], ...Object.entries(realms)]),
  expires: null,
});
const city = (id: string, realm: string, set: Json = { name: 'x' }) => ({
  op: 'create',
  table: 'cities',
  id,
  realm,
  set,
});

/** A device of a user. */
class Device {
  readonly wire = new WireClient('');
  readonly user: Caller;
  constructor(user: Caller) {
    this.user = user;
  }

  /** The statuses of the updates with their first reasons, or the code of the failure. */
  async push(...updates: readonly Json[]): Promise<string> {
    const { id: client } = this.wire;
    const cost = { keys: 1, written: 1 };
    const request = { client, user: this.user, epoch: null, updates, bytes: 1, cost };
    try {
      const { results } = await flusher.push(request);
      const reason = ({ rejected }: Json) => (rejected as Json[] | undefined)?.[0]?.code;
      return results
        .map((result) => [result.status, reason(result)].filter(Boolean).join(' '))
        .join();
    } catch (error) {
      return (error as Problem).code;
    }
  }

  update(...ops: readonly Json[]) {
    return this.wire.update(ops);
  }
}

describe.each(['read', 'write'] as const)(
  'two tokens of one user, the one that may %s first',
  (first) => {
    test('are each admitted by their own rights', async () => {
      const second = first === 'read' ? ('write' as const) : ('read' as const);
      const devices = [first, second].map((right) => new Device(userOf('anna', { team: right })));
      const before = transactions;
      const statuses = await Promise.all(
        devices.map((device) => device.push(device.update(city(uuid7(), 'team')))),
      );
      expect(transactions - before).toBe(1);
      const wanted = { read: 'rejected forbidden', write: 'applied' };
      expect(statuses).toEqual([wanted[first], wanted[second]]);
    });
  },
);

describe('a push in one group with others', () => {
  const innocent = () => {
    const device = new Device(userOf(`user-${uuid7()}`));
    return device.push(device.update(city(uuid7(), `user:${device.user.id}`)));
  };
  const beside = async (culprit: () => Promise<string>) => {
    const [one, result, ...others] = await Promise.all([
      innocent(),
      culprit(),
      innocent(),
      innocent(),
    ]);
    expect([one, ...others]).toEqual(['applied', 'applied', 'applied']);
    return result;
  };

  test('that JSON cannot express fails alone', async () => {
    const device = new Device(userOf('deep'));
    let arg: unknown = null;
    for (let i = 0; i < 200_000; i++) arg = [arg];
    const wrong = { ...device.update(city(uuid7(), 'user:deep')), junk: arg };
    expect(await beside(() => device.push(wrong))).toBe('internal');
  });

  test('whose rejection cannot be stored fails alone', async () => {
    const device = new Device(userOf('nul'));
    const wrong = { ...device.update(city(uuid7(), 'user:nul')), actions: [{ id: 'a\0' }] };
    expect(await beside(() => device.push(wrong))).toBe('invalid');
  });

  test('that changes too many objects is rejected, now and when sent again', async () => {
    const device = new Device(userOf('parent'));
    const realm = 'user:parent';
    const [group, member] = [uuid7(), uuid7()];
    const family = device.update(
      { op: 'create', table: 'userGroups', id: group, realm, set: { name: 'g' } },
      { op: 'create', table: 'members', id: member, realm, set: { group } },
    );
    expect(await device.push(family)).toBe('applied');
    await db.query(
      `insert into public.members select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()::text))).*
      from public.members m, generate_series(1, $1::int) where m.realm = $2::text and m.id = $3::text`,
      [String(limits.rowsPerTransaction), realm, member],
    );
    const gone = device.update({ op: 'delete', table: 'userGroups', id: group, realm });
    expect(await beside(() => device.push(gone))).toBe('rejected limit');
    expect(await device.push(gone)).toBe('rejected limit');
  });

  test('that uses ids of an unreadable realm is applied with the others', async () => {
    const device = new Device(userOf('owner'));
    const [gone, live] = [uuid7(), uuid7()];
    const there = [
      city(live, 'user:owner'),
      city(gone, 'user:owner'),
      { op: 'delete', table: 'cities', id: gone, realm: 'user:owner' },
    ];
    for (const op of there) expect(await device.push(device.update(op))).toBe('applied');
    const other = new Device(userOf('other'));
    const before = transactions;
    expect(
      await beside(() =>
        other.push(
          other.wire.update([city(gone, 'user:other')]),
          other.wire.update([city(live, 'user:other')]),
        ),
      ),
    ).toBe('applied,applied');
    expect(transactions - before).toBe(1);
    const rows = await db.query(
      `select t.realm, (t.deleted_at is null)::text as live from public.cities t where t.id = $1::text order by 1`,
      [gone],
    );
    expect(rows).toEqual([
      { realm: 'user:other', live: 'true' },
      { realm: 'user:owner', live: 'false' },
    ]);
  });
});

test('splits updates of large rows into several transactions, others in between', async () => {
  const device = new Device(userOf('large'));
  const ids = Array.from({ length: 4 }, () => uuid7());
  for (const id of ids) {
    const set = { name: 'x', population: 0, extra: 'b'.repeat(1_000_000) };
    expect(await device.push(device.update(city(id, 'user:large', set)))).toBe('applied');
  }
  const updates = Array.from({ length: 6 }, () =>
    device.update(
      ...ids.map((id) => ({
        op: 'inc',
        table: 'cities',
        id,
        realm: 'user:large',
        add: { population: 1 },
      })),
    ),
  );
  const before = transactions;
  const order: string[] = [];
  const note = (what: string) => (status: string) => void order.push(`${what} ${status}`);
  const other = new Device(userOf('other'));
  await Promise.all([
    device.push(...updates).then(note('large')),
    other.push(other.update(city(uuid7(), 'user:other'))).then(note('other')),
  ]);
  expect(order).toEqual(['other applied', `large ${updates.map(() => 'applied').join()}`]);
  expect(transactions - before).toBeGreaterThan(2);
  const [row] = await db.query(
    `select t.population::text as n from public.cities t where t.id = $1::text`,
    [ids[0] as string],
  );
  expect(row).toEqual({ n: '6' });
});
