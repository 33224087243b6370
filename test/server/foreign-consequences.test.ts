// Goal: what follows by the rules of refs from what other programs write is done soon afterwards, in parts, and holds nobody up. Method: programs
// that delete and insert rows, on both databases; locked rows on PostgreSQL.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { foreignLimits } from '../../server/src/base/foreign-limits.ts';
import { postgresUrl } from './support/database.ts';
import { ForeignWorld } from './support/foreign-world.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, uuid7 } from './support/server.ts';

let world: ForeignWorld;
beforeEach(async () => {
  world = await ForeignWorld.open();
});
afterEach(() => world.close());

const ids = async (table: string) =>
  [...(await world.rows()).keys()]
    .filter((key) => key.includes(` ${table} `))
    .map((key) => key.split(' ')[2]);

async function owed(): Promise<number> {
  const [row] = await world.server.sql.query<{ n: string }>(
    'select count(*)::text as n from skerry.owed',
  );
  return Number(row?.n);
}

const group = uuid7();
const withMembers = (count: number) => [
  `insert into user_groups (id, realm, name) values ('${group}', 'public', 'x')`,
  `insert into members (realm, "group", person) select 'public', '${group}', n::text from generate_series(1, ${count}) n`,
];

test('children are deleted after their parent, and clients are told', async () => {
  await world.write(...withMembers(3));
  const follower = world.follower();
  await follower.follow();
  expect(follower.rows.size).toBe(4);
  await world.write(`delete from user_groups`);
  await expect.poll(owed).toBe(0);
  expect(await ids('members')).toEqual([]);
  await follower.follow();
  expect(follower.rows.size).toBe(0);
  const entries = await world.server.sql.query(
    `select user_id, declared::text, tables::text from skerry.log order by revision desc limit 1`,
  );
  expect(entries).toEqual([{ user_id: 'sql', declared: 'false', tables: '["members"]' }]);
});

test('more children than one portion has are deleted in several', async () => {
  // One more is read of each key, to know whether there are more.
  const count = (foreignLimits.owedChildren + 1) * 2 + 1;
  await world.write(...withMembers(count));
  await expect.poll(owed).toBe(0);
  await world.write(`delete from user_groups`);
  await expect.poll(owed).toBe(0);
  expect(await ids('members')).toEqual([]);
  const [row] = await world.server.sql.query<{ parts: string }>(
    `select count(distinct c.revision)::text as parts from skerry.change c where c.table_name = 'members' and c.before is not null`,
  );
  expect(row).toEqual({ parts: '3' });
});

test('a child of a parent that is not there goes, and its master is touched if it is', async () => {
  await world.write(
    ...withMembers(1),
    `insert into members (realm, "group") values ('public', '${uuid7()}')`,
  );
  await expect.poll(owed).toBe(0);
  expect(await ids('members')).toHaveLength(1);
  const modified = async () =>
    (await world.server.sql.query(`select modified_at::text as at from user_groups`))[0];
  const before = await modified();
  await world.write(`update members set person = 'changed'`);
  await expect.poll(owed).toBe(0);
  expect(await modified()).not.toEqual(before);
});

test('a child of nothing goes if its ref has a rule, though it touches nothing', async () => {
  const untouching = structuredClone(testSchema);
  const { props } = untouching.tables.find(({ name }) => name === 'members')!;
  const [group] = props.filter(({ ref }) => ref !== undefined);
  Object.assign(group!.ref!, { touch: false });
  const other = await ForeignWorld.open(untouching);
  try {
    const left = async () => [...(await other.rows()).keys()].map((key) => key.split(' ')[1]);
    await other.write(
      `insert into members (realm, "group") values ('public', '${uuid7()}')`,
      `insert into cities (realm, id, name) values ('public', 'c', 'x')`,
    );
    await expect.poll(left).toEqual(['cities']);
  } finally {
    await other.close();
  }
});

test('children follow a parent that a program moves', async () => {
  await world.write(...withMembers(2));
  await expect.poll(owed).toBe(0);
  await world.write(`update user_groups set realm = 'user:ada'`);
  await expect.poll(owed).toBe(0);
  expect([...(await world.rows()).keys()].map((key) => key.split(' ')[0])).toEqual(
    Array(3).fill('user:ada'),
  );
});

test('a parent that is there again keeps its children', async () => {
  await world.write(...withMembers(2));
  await world.write(`delete from user_groups`, withMembers(0)[0] as string);
  await expect.poll(owed).toBe(0);
  expect(await ids('members')).toHaveLength(2);
});

test('what a start finds owed is done', async () => {
  await world.write(...withMembers(2));
  await expect.poll(owed).toBe(0);
  await world.restart(async (database) => {
    await database.query(`delete from user_groups`);
  });
  await expect.poll(owed).toBe(0);
  expect(await ids('members')).toEqual([]);
});

describe.runIf(postgresUrl !== undefined)('while another program has locked a child', () => {
  test('the others are deleted, pushes go on, and it is deleted later', async () => {
    await world.write(...withMembers(5));
    await expect.poll(owed).toBe(0);
    const program = await world.program();
    await program.query('begin');
    await program.query(`select * from members where person = '3' for update`);
    await world.write(`delete from user_groups`);
    await expect.poll(() => ids('members')).toHaveLength(1);
    expect(await owed()).toBe(1);
    const client = world.client();
    const create = { op: 'create', table: 'cities', id: 'c', realm: 'public', set: { name: 'x' } };
    expect((await client.push([create])) as Json).toMatchObject({ status: 'applied' });
    await program.query('commit');
    await expect.poll(() => ids('members')).toEqual([]);
    await expect.poll(owed).toBe(0);
  });
});
