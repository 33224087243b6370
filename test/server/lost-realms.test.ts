// Goal: a pull's answer carries a realms token when memberships have changed; a token of a history that the database has
// lost says which realms the client must not drop. Method: a real puller and committer over a database whose tables go
// back to a backup.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Authority } from '../../server/src/authority/authority.ts';
import type { Database } from '../../server/src/db/database.ts';
import { Puller } from '../../server/src/pull/pull.ts';
import { Committer } from '../../server/src/push/commit.ts';
import { forgetRights } from '../../server/src/retention/rights.ts';
import { RealmsTokens } from '../../server/src/rights/realms-token.ts';
import type { Caller } from '../../server/src/rights/rights.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import { withMembers } from '../../server/src/sql/members.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { pullOf } from '../../server/src/wire/pulls.ts';
import { openTestDatabase } from './support/database.ts';
import { city, invite, remove } from './support/memberships.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';

const key = 'a key of the tests, long enough for realms tokens';
const other = 'another key of the tests, also long enough for it';
const none = new Map<string, string>();
const described = withMembers(testSchema);

describe('a pull', () => {
  let db: Database;
  let authority: Authority;
  let committer: Committer;
  let puller: Puller;
  /** One for which every version is of a time before the retention period. */
  let laterPuller: Puller;
  let queries = 0;
  const schema = sqlSchema(described);
  const callers = new Map<string, Caller>();
  const callerOf = (id: string): Caller => {
    const caller = callers.get(id) ?? { id, grants: new Map(), expires: null };
    callers.set(id, caller);
    return caller;
  };

  beforeAll(async () => {
    db = await openTestDatabase();
    await migrate(db);
    await db.transaction({ mode: 'tables' }, (tx) => applySchema(tx, described, schema));
    authority = await Authority.load(described);
    committer = new Committer(db, authority, schema, { invitations: 'direct' });
    const counted: Database = {
      ...db,
      transaction: (options, work) =>
        db.transaction(options, (tx) =>
          work({
            query: (sql, params, more) => {
              queries++;
              return tx.query(sql, params, more);
            },
          }),
        ),
    };
    const images = { offer: () => Promise.reject(new Error('no image is asked for')) };
    const pulling = (tokens: RealmsTokens) =>
      new Puller({
        ...{ database: counted, authority, schema, images, tokens },
        snapshotSaves: 100,
      });
    puller = pulling(new RealmsTokens([key]));
    laterPuller = pulling(new RealmsTokens([key], 0));
  });
  afterAll(async () => {
    await db.close();
    await authority.close();
  });

  class Person {
    readonly client: WireClient;
    token: unknown = null;
    /** Realms that it holds as lost. */
    lost: readonly string[] = [];

    constructor(user: string) {
      this.client = new WireClient('', user);
    }

    async push(...ops: Json[]): Promise<void> {
      const { user } = this.client;
      const update = this.client.update(ops);
      const unit = { client: this.client.id, user: callerOf(user), epoch: 1, update };
      const { results } = await committer.commit([unit], { wait: true });
      expect(results[0]).toMatchObject({ status: 'applied' });
    }

    async pull(by = puller): Promise<Json> {
      const request = pullOf(
        {
          ...this.client.request(),
          lost: this.lost,
          scopes: [{ table: 'cities', where: ['true'], filled: true }],
        },
        100,
      );
      const user = callerOf(this.client.user);
      const answer = JSON.parse(await by.pull({ user, request, realmsToken: this.token })) as Json;
      this.client.cursors = answer.cursors as Record<string, string>;
      return answer;
    }

    /** Pulls, and keeps the token. */
    async sync(): Promise<Json> {
      const answer = await this.pull();
      if (answer.realmsToken !== undefined) this.token = answer.realmsToken;
      return answer;
    }
  }

  const names = [
    'realm',
    'log',
    'change',
    'action',
    'chain',
    'membership',
    'user_rights',
    'rights_given',
    'lost_owner',
  ];
  const tables = [
    ...names.map((name) => `skerry.${name}`),
    ...[...schema.values()].map(({ name }) => name),
  ];
  const stored = tables.filter((name, i) => tables.indexOf(name) === i);

  /** Keeps a backup of all tables; the result restores it. */
  async function backup(): Promise<() => Promise<void>> {
    const suffix = uuid7().replaceAll('-', '');
    const copyOf = (i: number) => `skerry.backup_${i}_${suffix}`;
    await db.transaction({ mode: 'tables' }, async (tx) => {
      for (const [i, name] of stored.entries()) {
        await tx.query(`create table ${copyOf(i)} as select * from ${name}`);
      }
    });
    return () =>
      db.transaction({ mode: 'tables' }, async (tx) => {
        for (const [i, name] of stored.entries()) {
          await tx.query(`delete from ${name}`);
          await tx.query(`insert into ${name} select * from ${copyOf(i)}`);
        }
      });
  }

  const founded = async (owner: Person): Promise<string> => {
    const realm = uuid7();
    await owner.push(invite(realm, owner.client.user, 'owner'), city(realm));
    return realm;
  };

  const realmsIn = async (user: string, { realmsToken }: Json) => [
    ...((await new RealmsTokens([key]).read(user, realmsToken))?.realms.keys() ?? []),
  ];

  test('carries a token when memberships have changed, and not otherwise', async () => {
    const [anna, bo] = [new Person('anna-1'), new Person('bo-1')];
    expect(await anna.sync()).not.toHaveProperty('realmsToken');
    const realm = await founded(anna);
    const first = await anna.sync();
    expect(await realmsIn('anna-1', first)).toEqual([realm]);
    await anna.push(city(realm));
    expect(await anna.sync()).not.toHaveProperty('realmsToken');
    await anna.push(invite(realm, 'bo-1', 'reader'));
    expect(await anna.sync()).not.toHaveProperty('realmsToken');
    expect(await bo.sync()).toHaveProperty('realmsToken');
    await anna.push(remove(realm, 'bo-1'));
    const last = await bo.sync();
    expect(last.revoked).toEqual([realm]);
    expect(last).not.toHaveProperty('lost');
    expect(await realmsIn('bo-1', last)).toEqual([]);
  });

  test('is not stopped by a token that is wrong, and revokes as without one', async () => {
    const [anna, bo, cy] = ['anna-2', 'bo-2', 'cy-2'].map((name) => new Person(name)) as [
      Person,
      Person,
      Person,
    ];
    const realm = await founded(anna);
    await anna.push(invite(realm, 'bo-2', 'reader'), invite(realm, 'cy-2', 'reader'));
    for (const person of [anna, bo, cy]) await person.sync();
    await anna.push(remove(realm, 'bo-2'));
    const forged = await new RealmsTokens([other]).sign(
      'bo-2',
      { version: 'x', at: 1, roles: new Map([[realm, 'owner']]) },
      none,
    );
    const { cursors } = bo.client;
    for (const wrong of [forged, cy.token, 'x', 7, null]) {
      bo.client.cursors = cursors;
      bo.token = wrong;
      const answer = await bo.pull();
      expect(answer.revoked).toEqual([realm]);
      expect(answer).not.toHaveProperty('lost');
      expect(answer).toHaveProperty('realmsToken');
    }
  });

  test('says `lost` after a backup from before the realm was restored', async () => {
    const [anna, bo] = [new Person('anna-3'), new Person('bo-3')];
    const kept = await founded(anna);
    await anna.sync();
    const restore = await backup();
    const realm = await founded(anna);
    await anna.push(invite(realm, 'bo-3', 'writer'));
    await anna.sync();
    await bo.sync();
    await restore();
    for (const person of [anna, bo]) {
      const answer = await person.pull();
      expect([answer.lost, answer.revoked]).toEqual([[realm], []]);
    }
    expect(Object.keys(anna.client.cursors)).toContain(kept);
  });

  test('says `lost` after a backup from before a member joined, not of real revocations', async () => {
    const [anna, bo, cy] = ['anna-4', 'bo-4', 'cy-4'].map((name) => new Person(name)) as [
      Person,
      Person,
      Person,
    ];
    const realm = await founded(anna);
    await anna.push(invite(realm, 'cy-4', 'reader'));
    await cy.sync();
    const restore = await backup();
    await anna.push(invite(realm, 'bo-4', 'reader'));
    await bo.sync();
    await restore();
    // Later memberships of the same user do not hide it.
    const another = new Person('dora-4');
    const second = await founded(another);
    await another.push(invite(second, 'bo-4', 'reader'));
    const { cursors } = bo.client;
    const answer = await bo.sync();
    expect([answer.lost, answer.revoked]).toEqual([[realm], []]);
    expect(Object.keys(bo.client.cursors)).toEqual([second]);
    // A client that goes on to ask for the realm hears the same; one that does not gets a new token.
    bo.client.cursors = { ...cursors, ...bo.client.cursors };
    const again = await bo.sync();
    expect([again.lost, again.revoked]).toEqual([[realm], []]);
    expect(await bo.sync()).toHaveProperty('realmsToken');
    expect(await bo.sync()).not.toHaveProperty('realmsToken');
    await new Person('anna-4').push(remove(realm, 'cy-4'));
    expect(await cy.sync()).toMatchObject({ revoked: [realm] });
  });

  test('discloses nothing of a lost realm that a non-owner has founded again', async () => {
    const people = ['anna-5', 'bo-5', 'cy-5', 'eve-5'].map((name) => new Person(name));
    const [anna, bo, cy, eve] = people as [Person, Person, Person, Person];
    const restore = await backup();
    const realms = [await founded(anna), await founded(anna)];
    const [taken, kept] = realms as [string, string];
    const all = (role: string, ...users: string[]) =>
      realms.flatMap((realm) => users.map((user) => invite(realm, user, role)));
    await anna.push(...all('writer', 'bo-5', 'eve-5'), ...all('owner', 'cy-5'));
    for (const person of people) await person.sync();
    await restore();
    // Eve is faster than anybody else. She knows both names, and was a member of both realms.
    await eve.sync();
    await eve.push(invite(taken, 'eve-5', 'owner'), city(taken));
    await eve.push(invite(taken, 'bo-5', 'writer'), invite(taken, 'anna-5', 'owner'));
    for (const person of [anna, bo, cy]) {
      const answer = await person.sync();
      expect(answer.lost).toEqual(realms);
      expect(answer).toMatchObject({ cursors: {}, changes: [], revoked: [] });
      expect(answer).not.toHaveProperty('reset');
      // A new token says so, too.
      const claims = await new RealmsTokens([key]).read(person.client.user, person.token);
      const said = claims?.lost.size === 0 ? claims.realms : claims?.lost;
      expect([...(said?.keys() ?? [])].sort()).toEqual([...realms].sort());
      person.lost = answer.lost as string[];
    }
    expect((await bo.sync()).lost).toEqual(realms);
    // Cy has shown that he owned them. He founds one again, by an identity that the server does not know yet.
    await new Person('cy-5').push(
      invite(kept, 'cy-5', 'owner'),
      city(kept),
      ...['anna-5', 'bo-5'].map((user) => invite(kept, user, 'writer')),
    );
    for (const person of [anna, bo]) {
      const answer = await person.sync();
      expect([answer.lost, Object.keys(answer.cursors as Json)]).toEqual([[taken], [kept]]);
      // Nobody waits for the other realm any more.
      person.lost = [];
      expect(Object.keys((await person.sync()).cursors as Json)).toEqual([kept, taken].sort());
    }
  });

  test('says `lost` of a realm joined while another was lost, after a second backup', async () => {
    const anna = new Person('anna-7');
    const restore = await backup();
    const first = await founded(anna);
    await anna.sync();
    await restore();
    const again = await backup();
    expect((await anna.sync()).lost).toEqual([first]);
    anna.lost = [first];
    const second = uuid7();
    await new Person('anna-7').push(invite(second, 'anna-7', 'owner'), city(second));
    expect(await anna.sync()).toMatchObject({ lost: [first], realmsToken: expect.any(String) });
    expect(await anna.sync()).not.toHaveProperty('realmsToken');
    await again();
    const answer = await anna.sync();
    expect(answer.revoked).toEqual([]);
    expect([...(answer.lost as string[])].sort()).toEqual([first, second].sort());
    // What is back is not lost any more, and the rest still is.
    await new Person('anna-7').push(invite(second, 'anna-7', 'owner'), city(second));
    anna.lost = [first, second];
    expect(await anna.sync()).toMatchObject({ lost: [first], cursors: { [second]: /^1@/ } });
  });

  test('discloses nothing of a taken-over realm, even after a second restore', async () => {
    const [anna, eve] = ['anna-8', 'eve-8'].map((name) => new Person(name)) as [Person, Person];
    const restore = await backup();
    const realm = await founded(anna);
    await anna.push(invite(realm, 'eve-8', 'reader'));
    for (const person of [anna, eve]) await person.sync();
    await restore();
    const takeOver = () =>
      new Person('eve-8').push(invite(realm, 'eve-8', 'owner'), invite(realm, 'anna-8', 'reader'));
    await takeOver();
    for (const again of [restore, null]) {
      const answer = await anna.sync();
      expect([answer.lost, answer.cursors]).toEqual([[realm], {}]);
      anna.lost = [realm];
      await again?.();
      if (again !== null) await takeOver();
    }
  });

  test('restores a realm that its founder has founded again without a token', async () => {
    const [anna, bo] = ['anna-6', 'bo-6'].map((name) => new Person(name)) as [Person, Person];
    const restore = await backup();
    const realm = await founded(anna);
    await anna.push(invite(realm, 'bo-6', 'writer'));
    await bo.sync();
    await restore();
    expect((await bo.sync()).lost).toEqual([realm]);
    await new Person('anna-6').push(
      invite(realm, 'anna-6', 'owner'),
      invite(realm, 'bo-6', 'writer'),
    );
    const answer = await bo.sync();
    expect(answer).not.toHaveProperty('lost');
    expect(Object.keys(answer.cursors as Json)).toEqual([realm]);
  });

  test('knows no version of long ago: lost is what there is not, and no other', async () => {
    const [anna, bo] = ['anna-9', 'bo-9'].map((name) => new Person(name)) as [Person, Person];
    const left = await founded(anna);
    await anna.push(invite(left, 'bo-9', 'reader'));
    const restore = await backup();
    const gone = await founded(anna);
    await anna.push(invite(gone, 'bo-9', 'writer'));
    await bo.sync();
    await restore();
    await new Person('anna-9').push(remove(left, 'bo-9'));
    await forgetRights(db, Number.MAX_SAFE_INTEGER, () => true);
    const { cursors } = bo.client;
    const answer = await bo.pull(laterPuller);
    expect([answer.lost, answer.revoked]).toEqual([[gone], [left]]);
    // Another has founded it since: that is not the one that bo has.
    await new Person('eve-9').push(invite(gone, 'eve-9', 'owner'), city(gone));
    bo.client.cursors = cursors;
    expect(await bo.pull(laterPuller)).toMatchObject({ lost: [gone], revoked: [left] });
    // Within the period a version that is not known is of another history, as ever.
    bo.client.cursors = cursors;
    expect((await bo.pull()).lost).toEqual([left, gone]);
  });

  test.each([1, 50, 500])('that is idle takes the same queries in %i realms', async (count) => {
    const person = new Person(`many-${count}`);
    for (let i = 0; i < count; i += 50) {
      const realms = Array.from({ length: Math.min(50, count - i) }, () => uuid7());
      await person.push(...realms.map((realm) => invite(realm, person.client.user, 'owner')));
    }
    await person.sync();
    expect(Object.keys(person.client.cursors)).toHaveLength(count);
    queries = 0;
    const { changes } = await person.sync();
    expect(changes).toEqual([]);
    expect(queries).toBe(4);
  });
});
