// Goal: what a push is told about a realm that its author may not read depends on nothing that is in it: not on its rows,
// their number and size, on actions, on times, or on what of its log is forgotten. Method: a real server that keeps its log
// for a second; each question about a hidden realm is asked about one that never was, too. What is read before the rules
// are asked is looked at by itself, on a database.

import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { readAhead } from '../../server/src/push/ahead.ts';
import type { Surveyed } from '../../server/src/push/surveyed.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import { withMembers } from '../../server/src/sql/members.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { RowBudget, TooMuchRead } from '../../server/src/sql/row-budget.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { openTestDatabase } from './support/database.ts';
import { invite, remove } from './support/memberships.ts';
import { create, remove as erase, update } from './support/pulling.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({ args: ['--dev', '--retention', '1'] });

/** A realm, and what an attacker may have learned of it before, or guesses. */
interface Hidden {
  readonly realm: string;
  readonly row: string;
  readonly action: string;
}

const kUnknown = uuid7();
const never = (realm: string): Hidden => ({ realm, row: kUnknown, action: uuid7() });

/** A realm of somebody else's, with a row that has children, an action, and a log that is forgotten. */
async function secretOf(user: string, realm: string, begin: readonly Json[]): Promise<Hidden> {
  const client = new WireClient(server.url, user);
  const row = uuid7();
  if (begin.length > 0) await client.push(begin);
  await client.push([create(realm, row, { name: 'secret' })]);
  const floor = async () => {
    const { body } = await client.pull({ floors: true, cursors: {} });
    return ((body.floors as Json)[realm] as { revision: number } | undefined)?.revision ?? 0;
  };
  await vi.waitUntil(async () => (await floor()) >= 1, { timeout: 20_000, interval: 100 });
  const known = client.update([update(realm, row, { name: 'still secret' })]);
  const { body } = await client.send([known]);
  expect((body.results as Json[])[0]).toMatchObject({ status: 'applied' });
  return { realm, row, action: String((known.actions as Json[])[0]?.id) };
}

const founded = randomUUID();
const left = randomUUID();
const pairs: [string, () => Hidden, Hidden][] = [];
let personal: Hidden;
let ofMembers: Hidden;
let former: Hidden;

beforeAll(async () => {
  const owner = (realm: string) => [invite(realm, 'bob', 'owner')];
  personal = await secretOf('bob', 'user:bob', []);
  ofMembers = await secretOf('bob', founded, owner(founded));
  former = await secretOf('bob', left, [...owner(left), invite(left, 'mal', 'writer')]);
  const bob = new WireClient(server.url, 'bob');
  expect(await bob.push([remove(left, 'mal')])).toMatchObject({ status: 'applied' });
});
pairs.push(['a personal realm', () => personal, never('user:nobody')]);
pairs.push(['a realm of others', () => ofMembers, never(randomUUID())]);
pairs.push(['a realm that one was removed from', () => former, never(randomUUID())]);

type Asked = (hidden: Hidden, client: WireClient) => Json;

const withAction =
  (more: (hidden: Hidden) => Json, base = 0): Asked =>
  ({ realm, ...rest }, client) => {
    const asked = client.update([create(realm, uuid7(), { name: 'x' })]);
    const [action] = asked.actions as Json[];
    const actions = [{ ...action, ...more({ realm, ...rest }) }];
    return { ...asked, actions, base: { [realm]: base } };
  };

const questions: [string, Asked][] = [
  [
    'a change of a row',
    ({ realm, row }, client) => client.update([update(realm, row, { name: 'x' })]),
  ],
  ['a deletion', ({ realm, row }, client) => client.update([erase(realm, row)])],
  [
    'a create over a row',
    ({ realm, row }, client) => client.update([create(realm, row, { name: 'x' })]),
  ],
  [
    'a change only if nobody else has changed it',
    ({ realm, row }, client) => client.update([{ ...update(realm, row, { name: 'x' }), if: 1 }]),
  ],
  [
    'a move out of it',
    ({ realm, row }, client) =>
      client.update([{ op: 'move', table: 'cities', id: row, realm, to: 'user:mal' }]),
  ],
  [
    'a move into it',
    ({ realm, row }, client) =>
      client.update([{ op: 'move', table: 'cities', id: row, realm: 'user:mal', to: realm }]),
  ],
  ['an append', ({ realm }, client) => client.update([{ op: 'append', stream: 'chat', realm }])],
  [
    'an invitation of oneself',
    ({ realm }, client) => client.update([invite(realm, 'mal', 'reader')]),
  ],
  [
    "a change of somebody's role",
    ({ realm }, client) => client.update([invite(realm, 'bob', 'reader')]),
  ],
  ['an action that is in its log', withAction(({ action }) => ({ id: action }))],
  ['an action that is replayed, of long ago', withAction(() => ({ replayed: true, at: 0 }))],
  ['an action that is tried again', withAction(() => ({ again: true }))],
  ['an action that is tried again, based on much', withAction(() => ({ again: true }), 1_000)],
  [
    'a good change of one’s own beside it',
    ({ realm, row }, client) =>
      client.update([
        create('user:mal', uuid7(), { name: 'x' }),
        update(realm, row, { name: 'x' }),
      ]),
  ],
];

/** What is said, without what the question has said. */
function heard(said: Json, asked: Json, { realm, row }: Hidden): string {
  const ids = [asked.id, (asked.actions as Json[])[0]?.id, realm, row];
  let text = JSON.stringify(said);
  for (const [i, id] of ids.entries()) text = text.replaceAll(String(id), `id-${i}`);
  return text;
}

describe.each(pairs)('%s', (_name, there, absent) => {
  test.each(questions)('says nothing by the answer to %s', async (_question, ask) => {
    const answers: string[] = [];
    for (const hidden of [there(), absent]) {
      const client = new WireClient(server.url, 'mal');
      const asked = ask(hidden, client);
      for (let round = 0; round < 2; round++) {
        const { status, body } = await client.send([asked]);
        const [said] = (body.results ?? [body]) as Json[];
        expect(said).toMatchObject({ status: 'rejected', rejected: [{ code: 'forbidden' }] });
        answers.push(`${status} ${heard(said as Json, asked, hidden)}`);
      }
    }
    expect(new Set(answers).size).toBe(1);
  });
});

test('of a hidden realm nothing is read, and nothing counts', async () => {
  const db = await openTestDatabase();
  try {
    await migrate(db);
    const description = withMembers(testSchema as Parameters<typeof withMembers>[0]);
    const schema = sqlSchema(description);
    await db.transaction({ mode: 'tables' }, (tx) => applySchema(tx, description, schema));
    const rows = ['user:bob', 'user:mal', founded, left].map(
      (realm) =>
        `('${realm}-row', '${realm}', 1, now(), now(), null, null, '${'x'.repeat(10_000)}')`,
    );
    await db.execute(
      `insert into cities (id, realm, revision, created_at, modified_at, deleted_at, moved_to, name) values ${rows.join()};
       insert into skerry.membership (id, realm, revision, created_at, modified_at, deleted_at, "user", "role")
       values ('${founded}/mal', '${founded}', 1, now(), now(), null, 'mal', 'reader'),
              ('${left}/mal', '${left}', 1, now(), now(), now(), 'mal', 'owner'),
              ('${left}/bob', '${left}', 1, now(), now(), null, 'bob', 'owner')`,
    );
    // Enough to be counted before they are read.
    const none = Array.from({ length: 40 }, (_, i) => `none-${i}`);
    const unit = (user: string, ...realms: string[]): Surveyed => ({
      client: user,
      user: { id: user, grants: new Map([[`user:${user}`, 'own' as const]]), expires: null },
      epoch: null,
      update: { after: Object.fromEntries(realms.map((realm) => [realm, null])) },
      text: '{}',
      names: {
        ...{ founds: [], members: [], streams: [], blocks: [] },
        rows: Object.fromEntries(
          realms.map((realm) => [realm, { cities: [`${realm}-row`, ...none] }]),
        ),
      },
    });
    const read = async (units: Surveyed | readonly Surveyed[], budget = new RowBudget()) => {
      const before = budget.bytes;
      const ahead = await db.transaction({ mode: 'snapshot' }, (tx) =>
        readAhead(tx, [units].flat(), [], { schema, budget }),
      );
      const text = `[${ahead.rows.filter((part) => part !== '').join()}]`;
      const found = (JSON.parse(text) as Json[]).filter(({ table }) => table === 'cities');
      const looked = new Set(
        ahead.looked.filter(([, t]) => t === 'cities').map(([realm]) => realm),
      );
      return {
        found: found.map(({ realm }) => realm).sort(),
        looked,
        bytes: before - budget.bytes,
      };
    };
    const hidden = await read(unit('mal', 'user:bob', left));
    expect(hidden.found).toEqual([]);
    // One's own former membership says that the realm is hidden.
    expect(hidden.bytes).toBeLessThan(500);
    expect(hidden.looked.size).toBe(0);
    const both = await read(unit('mal', 'user:bob', left, 'user:mal', founded));
    expect(both.found).toEqual([founded, 'user:mal'].sort());
    expect(both.looked).toEqual(new Set([founded, 'user:mal']));
    expect(both.bytes).toBeGreaterThan(20_000);
    expect(both.bytes).toBeLessThan(30_000);
    // Where the own rows leave no room, a row of a hidden realm needs none, whatever its size.
    const own = await read(unit('mal', 'user:mal'));
    const full = () => new RowBudget(limits.rowsPerTransaction, own.bytes + 500);
    for (const other of ['user:bob', left, randomUUID()])
      expect((await read(unit('mal', 'user:mal', other), full())).found).toEqual(['user:mal']);
    await expect(read(unit('mal', 'user:mal', founded), full())).rejects.toThrow(TooMuchRead);
    // What another one may read is read once, for both.
    const group = await read([unit('mal', left, 'user:bob'), unit('bob', left, 'user:bob')]);
    expect(group.found).toEqual([left, 'user:bob'].sort());
  } finally {
    await db.close();
  }
});
