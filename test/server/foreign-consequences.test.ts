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

/** A world whose members refer to their group in another way. */
async function worldWith(rule: Json): Promise<ForeignWorld> {
  const schema = structuredClone(testSchema);
  const { props } = schema.tables.find(({ name }) => name === 'members')!;
  Object.assign(props.find(({ ref }) => ref !== undefined)!.ref!, rule);
  await world.close();
  return ForeignWorld.open(schema);
}

test('a child of nothing goes if its ref has a rule, though it touches nothing', async () => {
  world = await worldWith({ touch: false });
  await world.write(
    `insert into members (realm, "group") values ('public', '${uuid7()}')`,
    `insert into cities (realm, id, name) values ('public', 'c', 'x')`,
  );
  await expect.poll(async () => (await world.rows()).size).toBe(1);
  expect(await ids('cities')).toEqual(['c']);
});

test('what `restrict` would have kept stays, and is counted in the metrics', async () => {
  world = await worldWith({ touch: false, onDelete: 'restrict' });
  await world.write(...withMembers(3));
  await expect.poll(owed).toBe(0);
  await world.write(`delete from user_groups`);
  const counted = async () => {
    const answer = await fetch(`${world.server.url}/v1/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    return answer.text();
  };
  await expect
    .poll(counted)
    .toMatch(/^# TYPE skerry_unmet_restricts_total counter\nskerry_unmet_restricts_total 3$/m);
  expect(await ids('members')).toHaveLength(3);
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

describe.runIf(postgresUrl !== undefined)('while another program has locked a row', () => {
  test('a parent that a child touches is touched later, and no failure is logged', async () => {
    await world.write(...withMembers(1));
    await expect.poll(owed).toBe(0);
    const program = await world.program();
    const revision = async () =>
      (await program.query('select revision::int as at from user_groups')).rows[0].at;
    const before = await revision();
    await program.query('begin');
    await program.query('select * from user_groups for update');
    await world.write(`update members set person = 'changed'`);
    // It was tried, and is due later.
    const isPutOff = `select count(*)::int as n from skerry.owed o where o.due > 0`;
    await expect.poll(async () => (await program.query(isPutOff)).rows[0].n).toBe(1);
    await program.query('commit');
    await expect.poll(owed).toBe(0);
    expect(await revision()).toBeGreaterThan(before);
    expect(world.logged).toEqual([]);
  });

  test('of children, the others are deleted, pushes go on, and it is deleted later', async () => {
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
