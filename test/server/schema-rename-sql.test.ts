// Goal: the tables in SQL follow the names of the schema, in one step, and whatever else is in the database follows them.
// Method: releases that rename, on a real server, its tables looked at in SQL; nodes of both releases beside each other.

import { schema, t, table } from 'skerry';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { Queryable } from '../../server/src/db/database.ts';
import { Deployment, Profile } from './support/releases.ts';
import { WireClient } from './support/server.ts';

const ids = { id: t.string() };

const first = {
  towns: table(
    { name: t.string().index({ unique: true }), popCount: t.number().index().optional() },
    ids,
  ),
  roads: table({ town: t.ref('towns', { onDelete: 'cascade' }).optional() }, ids),
};
const second = {
  cities: table(
    { name: t.string().index({ unique: true }), people: t.number().index().optional() },
    ids,
  ),
  roads: table({ goal: t.ref('cities', { onDelete: 'cascade' }).optional() }, ids),
};
const releases = [
  schema(first, { version: 1 }),
  schema(second, {
    version: 2,
    accepts: [1],
    migrations: {
      2: (m) => {
        m.renameTable('towns', 'cities');
        m.table('cities').renameProp('popCount', 'people');
        m.table('roads').renameProp('town', 'goal');
      },
    },
  }),
  // The former one again, under a higher version.
  schema(first, {
    version: 3,
    accepts: [1, 2],
    migrations: {
      2: (m) => {
        m.renameTable('towns', 'cities');
        m.table('cities').renameProp('popCount', 'people');
        m.table('roads').renameProp('town', 'goal');
      },
      3: (m) => {
        m.table('roads').renameProp('goal', 'town');
        m.table('cities').renameProp('people', 'popCount');
        m.renameTable('cities', 'towns');
      },
    },
  }),
];

const deployments: Deployment[] = [];
const open: Profile[] = [];

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});
afterAll(async () => {
  for (const each of deployments) await each.remove();
});

function deployed(): Deployment {
  const made = new Deployment(releases);
  deployments.push(made);
  return made;
}

async function profile(deployment: Deployment, release: number): Promise<Profile> {
  const made = await new Profile(deployment, 'anna').open(release);
  open.push(made);
  return made;
}

type Tx = Parameters<Parameters<Profile['db']['transact']>[0]>[0];
const of = (tx: Tx, name: string) => tx[name] as NonNullable<Tx[string]>;
const synced = ({ db }: Profile) => db.sync.waitForSync({ timeoutMs: 30_000 });

function seed(tx: Tx): void {
  of(tx, 'towns').create({ id: 'ulm', name: 'Ulm', popCount: 5 });
  of(tx, 'roads').create({ id: 'r', town: 'ulm' });
}

const lines = async (tx: Queryable, sql: string) =>
  (await tx.query<{ line: string }>(sql)).map(({ line }) => line);

/** What the database has of the tables: columns, indexes with what they are on, and tables that the log names. */
async function layout(tx: Queryable) {
  return {
    columns: await lines(
      tx,
      `select table_name || '.' || column_name as line from information_schema.columns
        where table_schema = 'public' and column_name in ('name', 'pop_count', 'people', 'town', 'goal') order by 1`,
    ),
    indexes: await lines(
      tx,
      `select indexname::text as line from pg_indexes where schemaname = 'public' and indexname like '%\\_ix' order by 1`,
    ),
    // Nothing is logged as changed.
    entries: await lines(tx, 'select count(*)::text as line from skerry.log'),
    logged: await lines(
      tx,
      `select distinct n.name as line from skerry.log l cross join lateral json_array_elements_text(l.tables) as n(name)
        union select distinct table_name from skerry.change order by 1`,
    ),
  };
}

async function look(deployment: Deployment) {
  await deployment.stop();
  const database = await deployment.openDatabase();
  try {
    return await layout(database);
  } finally {
    await database.close();
  }
}

describe('a release that renames', () => {
  test('renames tables, columns and indexes, and back again', async () => {
    const deployment = deployed();
    await deployment.deploy(1);
    const made = await profile(deployment, 1);
    await made.db.transact(seed).durable;
    await synced(made);
    const before = await look(deployment);
    expect(before.columns).toEqual(['roads.town', 'towns.name', 'towns.pop_count']);
    await deployment.deploy(2);
    const after = await look(deployment);
    expect(after.columns).toEqual(['cities.name', 'cities.people', 'roads.goal']);
    expect(after.entries).toEqual(before.entries);
    const logged = before.logged.map((name) => (name === 'towns' ? 'cities' : name));
    expect(after.logged).toEqual(logged.sort());
    const renamed = before.indexes.map((name) =>
      name.replace('towns', 'cities').replace('pop_count', 'people').replace('town_', 'goal_'),
    );
    expect(after.indexes).toEqual(renamed.sort());
    await deployment.deploy(3);
    expect(await look(deployment)).toEqual(before);
  });

  test('is refused where the name is taken, and then nothing is renamed', async () => {
    const deployment = deployed();
    await deployment.deploy(1);
    await deployment.stop();
    const database = await deployment.openDatabase();
    await database.execute('create table public.cities (a integer)');
    await database.execute('alter table public.roads add column goal text');
    const adopted = JSON.stringify([{ name: 'roads', mirror: 'roads' }]);
    await database.execute(`insert into skerry.meta values ('adopted', '${adopted}')`);
    const before = await layout(database);
    await database.close();
    const failed = await deployment.deploy(2).catch((error: Error) => error);
    expect(failed).toBeInstanceOf(Error);
    expect((failed as Error).message).toContain('there is a table cities already');
    expect((failed as Error).message).toContain('roads: the column town is goal now');
    expect((failed as Error).message).toContain('roads is adopted: take that back before');
    expect(await look(deployment)).toEqual(before);
  });

  test('leaves what other programs write to be logged, under the new name', async () => {
    const deployment = deployed();
    await deployment.deploy(1);
    const one = await profile(deployment, 1);
    await one.db.transact(seed).durable;
    await synced(one);
    const node = await deployment.deploy(2);
    const two = await profile(deployment, 2);
    await node.sql.query(`update cities set people = 9 where id = 'ulm'`);
    await node.sql.query(
      `insert into cities (realm, id, name, people) select realm, 'bonn', 'Bonn', 3 from cities limit 1`,
    );
    await expect(node.sql.query('select 1 from towns')).rejects.toThrow('towns');
    await expect(
      node.sql.query(
        `insert into cities (realm, id, name) select realm, 'other', 'Bonn' from cities limit 1`,
      ),
    ).rejects.toThrow('unique');
    for (const each of [one, two]) await synced(each);
    expect(one.rows().towns).toEqual({
      ulm: { name: 'Ulm', popCount: 9 },
      bonn: { name: 'Bonn', popCount: 3 },
    });
    expect(two.rows().cities).toEqual({
      ulm: { name: 'Ulm', people: 9 },
      bonn: { name: 'Bonn', people: 3 },
    });
    await node.sql.query(`delete from cities where id = 'ulm'`);
    await vi.waitFor(async () => {
      for (const each of [one, two]) await synced(each);
      expect([one.rows().roads, two.rows().roads]).toEqual([{}, {}]);
    });
  });
});

test('the release before, started again, makes no column of a former name', async () => {
  const deployment = deployed();
  await deployment.deploy(1);
  const one = await profile(deployment, 1);
  await one.db.transact(seed).durable;
  await synced(one);
  await deployment.deploy(2);
  await deployment.deploy(1);
  await one.db.transact((tx) => of(tx, 'towns').update('ulm', { popCount: 6 })).durable;
  await synced(one);
  const two = await profile(deployment, 2);
  await synced(two);
  expect(two.rows().cities).toEqual({ ulm: { name: 'Ulm', people: 6 } });
  const { columns } = await look(deployment);
  expect(columns).toEqual(['cities.name', 'cities.people', 'roads.goal']);
});

test.runIf(Deployment.places > 1)(
  'nodes of both releases answer their clients while the one follows the other',
  async () => {
    const deployment = deployed();
    await deployment.deploy(1, 0);
    const one = await profile(deployment, 1);
    await one.db.transact(seed).durable;
    await synced(one);
    const two = await profile(deployment, 2);
    let writes = 0;
    const writing = async () => {
      while (writes < 30 || deployment.nodes[1] === undefined) {
        await one.db.transact((tx) => of(tx, 'towns').inc('ulm', { popCount: 1 })).durable;
        writes++;
        await synced(one);
      }
    };
    const [, node] = await Promise.all([writing(), deployment.deploy(2, 1)]);
    await synced(two);
    for (let i = 0; i < 10; i++) {
      await two.db.transact((tx) => of(tx, 'cities').inc('ulm', { people: 100 })).durable;
      await synced(two);
    }
    await synced(one);
    expect(one.rows().towns?.ulm?.popCount).toBe(5 + writes + 1000);
    const [row] = await node.sql.query<{ people: string }>(
      `select people::text as people from cities where id = 'ulm'`,
    );
    expect(Number(row?.people)).toBe(5 + writes + 1000);
    expect(deployment.failures).toEqual([]);
  },
  60_000,
);

test.runIf(Deployment.places > 1)(
  'a node of the former release is busy until it has followed, and does not fail',
  async () => {
    const deployment = deployed();
    const { url } = await deployment.deploy(1, 0);
    const client = new WireClient(url, 'anna');
    const made = {
      op: 'create',
      table: 'towns',
      id: 'ulm',
      realm: 'user:anna',
      set: { name: 'Ulm' },
    };
    expect(await client.push([made])).toMatchObject({ status: 'applied' });
    await deployment.deploy(2, 1);
    // It has yet to notice that its tables are named otherwise.
    const update = client.update([{ ...made, op: 'update', set: { popCount: 7 } }]);
    expect(await client.send([update])).toMatchObject({ status: 503, body: { code: 'busy' } });
    await vi.waitFor(async () => {
      const { body } = await client.send([update]);
      expect(body.results).toMatchObject([{ status: 'applied' }]);
    }, 20_000);
    expect(deployment.failures).toEqual([]);
  },
  60_000,
);
