// Goal: other programs and pushes that want the same rows and realms neither hang nor lose anything: a program may hold locks as
// long as it likes, and only pushes of the rows that it holds wait. Method: interleavings of connections and pushes on PostgreSQL, statement by
// statement.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { foreignLimits } from '../../../server/src/base/foreign-limits.ts';
import { slowness } from '../../support/patience.ts';
import { ForeignWorld } from '../support/foreign-world.ts';
import { type Json, uuid7, type WireClient } from '../support/server.ts';

let world: ForeignWorld;
beforeAll(async () => {
  world = await ForeignWorld.open();
});
afterEach(() => world.endPrograms());
afterAll(() => world.close());

let cities = 0;

/** New cities of the realm `public`. */
async function newCities<Count extends number>(count: Count): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `city ${++cities}`);
  for (const id of ids) {
    await world.write(
      `insert into cities (realm, id, name, population) values ('public', '${id}', '${id}', 1)`,
    );
  }
  return ids;
}

const edit = (id: string, set: Json) => ({
  op: 'update',
  table: 'cities',
  id,
  realm: 'public',
  set,
});
const statusOf = async (client: WireClient, ops: readonly Json[]) => {
  const { status, body } = await client.send([client.update(ops)]);
  return status === 200 ? ((body.results as Json[])[0] as Json).status : body.code;
};

async function row(id: string): Promise<Json | undefined> {
  return (await world.rows()).get(`public cities ${id}`);
}

/** Resolves when the server has taken a push that came after those under way. */
async function aPushLater(): Promise<void> {
  const [id = ''] = await newCities(1);
  expect(await statusOf(world.client('later'), [edit(id, { name: 'later' })])).toBe('applied');
}

test('a row that is locked over lunch delays only pushes of it, which end as busy', async () => {
  const [held = '', free = ''] = await newCities(2);
  const program = await world.program();
  await program.query('begin');
  await program.query(`select * from cities where id = '${held}' for update`);
  const began = performance.now();
  const waiting = statusOf(world.client(), [edit(held, { name: 'mine' })]);
  let others = 0;
  let isOver = false;
  const busy = waiting.then((status) => {
    isOver = true;
    return status;
  });
  const client = world.client('bo');
  while (!isOver) {
    expect(await statusOf(client, [edit(free, { population: ++others })])).toBe('applied');
  }
  expect(await busy).toBe('busy');
  expect(performance.now() - began).toBeGreaterThanOrEqual(foreignLimits.waitForRowsMs);
  // Far more than if each of them waited for the row.
  expect(others).toBeGreaterThan(20 / slowness);
  await program.query('commit');
  expect(await statusOf(world.client(), [edit(held, { name: 'mine' })])).toBe('applied');
  expect(await row(held)).toMatchObject({ name: 'mine' });
});

test('a push that meets a locked row which it does not name waits for it, too', async () => {
  const group = uuid7();
  const [free = ''] = await newCities(1);
  await world.write(
    `insert into user_groups (realm, id, name) values ('public', '${group}', 'x')`,
    `insert into members (realm, "group", person) values ('public', '${group}', 'held')`,
  );
  const program = await world.program();
  await program.query('begin');
  await program.query(`select * from members where person = 'held' for update`);
  const client = world.client();
  const remove = { op: 'delete', table: 'userGroups', id: group, realm: 'public' };
  const update = client.update([remove]);
  const answer = async () => (await client.send([update])).body;
  const waiting = answer();
  expect(await statusOf(world.client('bo'), [edit(free, { name: 'mine' })])).toBe('applied');
  expect((await waiting).code).toBe('busy');
  const again = answer();
  await aPushLater();
  await program.query('commit');
  expect((await again).results).toMatchObject([{ status: 'applied' }]);
  expect(world.logged).toEqual([]);
});

test('a push waits for a program that is about to end, and comes after it', async () => {
  const [id = ''] = await newCities(1);
  const program = await world.program();
  await program.query('begin');
  await program.query(`update cities set population = 5, country = 'theirs' where id = '${id}'`);
  const pushed = statusOf(world.client(), [
    edit(id, { name: 'mine' }),
    { op: 'inc', table: 'cities', id, realm: 'public', add: { population: 1 } },
  ]);
  await aPushLater();
  await program.query('commit');
  expect(await pushed).toBe('applied');
  expect(await row(id)).toEqual({ name: 'mine', country: 'theirs', population: 6 });
});

test('of several updates of a client, none overtakes one that waits for a row', async () => {
  const [held = '', free = ''] = await newCities(2);
  const program = await world.program();
  await program.query('begin');
  await program.query(`update cities set population = 5 where id = '${held}'`);
  const client = world.client();
  const updates = [
    client.update([edit(free, { name: 'first' })]),
    client.update([edit(held, { name: 'second' })]),
    client.update([edit(free, { name: 'third' })]),
  ];
  const pushed = client.send(updates);
  await expect.poll(async () => (await row(free))?.name).toBe('first');
  await program.query('commit');
  expect((await pushed).body.results).toMatchObject([
    { status: 'applied' },
    { status: 'applied' },
    { status: 'applied' },
  ]);
  expect(await row(free)).toMatchObject({ name: 'third' });
  expect(await row(held)).toEqual({ name: 'second', population: 5 });
});

test('a transaction of a minute holds no realm while it works', async () => {
  const [own = '', free = ''] = await newCities(2);
  const program = await world.program();
  const head = async () =>
    Number(
      (await program.query(`select head from skerry.realm where realm = 'public'`)).rows[0]?.head,
    );
  await program.query('begin');
  await program.query(`update cities set population = 7 where id = '${own}'`);
  const before = await head();
  for (let n = 0; n < 10; n++) {
    expect(await statusOf(world.client(), [edit(free, { population: n })])).toBe('applied');
  }
  await program.query(`update cities set country = 'late' where id = '${own}'`);
  await program.query('commit');
  expect(await head()).toBe(before + 11);
  expect(await row(own)).toMatchObject({ population: 7, country: 'late' });
});

test('a program that has its realm locked early is waited for', async () => {
  const [own = '', free = ''] = await newCities(2);
  const program = await world.program();
  await program.query('begin');
  await program.query(`update cities set population = 7 where id = '${own}'`);
  await program.query('set constraints all immediate');
  const pushed = statusOf(world.client(), [edit(free, { name: 'mine' })]);
  await program.query(`update cities set country = 'again' where id = '${own}'`);
  await program.query('commit');
  expect(await pushed).toBe('applied');
  const { rows } = await program.query(
    `select c.revision::int - lag(c.revision::int) over (order by c.revision) as step
       from skerry.change c where c.id = '${own}' order by c.revision`,
  );
  // Made, then written twice in one transaction: two entries.
  expect(rows.map(({ step }) => step).slice(1)).toEqual([expect.any(Number), 1]);
});

test('two programs and a push that cross each other all end', async () => {
  const [a = '', b = ''] = await newCities(2);
  const [one, two] = [await world.program(), await world.program()];
  await one.query('begin');
  await two.query('begin');
  await one.query(`update cities set population = 10 where id = '${a}'`);
  await two.query(`update cities set population = 20 where id = '${b}'`);
  const pushed = statusOf(world.client(), [edit(a, { name: 'mine' }), edit(b, { name: 'mine' })]);
  // PostgreSQL ends one of the programs: its own lock order was wrong.
  const crossed = await Promise.allSettled([
    one
      .query(`update cities set population = 11 where id = '${b}'`)
      .then(() => one.query('commit')),
    two
      .query(`update cities set population = 21 where id = '${a}'`)
      .then(() => two.query('commit')),
  ]);
  const failed = crossed.filter(({ status }) => status === 'rejected');
  expect(failed).toMatchObject([{ reason: { code: '40P01' } }]);
  await Promise.all([one.query('rollback'), two.query('rollback')]);
  expect(await pushed).toBe('applied');
  const { population } = (await row(a)) as { population: number };
  expect(await row(b)).toEqual({ name: 'mine', population: population === 21 ? 20 : 11 });
});

test('programs that lock realms early, in different orders, end: one by a deadlock', async () => {
  const [a = ''] = await newCities(1);
  await world.write(
    `insert into cities (realm, id, name) values ('other', '${a}', 'x') on conflict do nothing`,
  );
  const [one, two] = [await world.program(), await world.program()];
  const begin = async (program: typeof one, realm: string) => {
    await program.query('begin');
    await program.query('set constraints all immediate');
    await program.query(
      `update cities set population = 3 where realm = '${realm}' and id = '${a}'`,
    );
  };
  await begin(one, 'public');
  await begin(two, 'other');
  const crossed = await Promise.allSettled([
    one
      .query(`insert into cities (realm, id, name) values ('other', '${a} new', 'x')`)
      .then(() => one.query('commit')),
    two
      .query(`insert into cities (realm, id, name) values ('public', '${a} new', 'x')`)
      .then(() => two.query('commit')),
  ]);
  expect(crossed.filter(({ status }) => status === 'rejected')).toMatchObject([
    { reason: { code: '40P01' } },
  ]);
});

test('a push of an id that a program has inserted is busy, or comes after it', async () => {
  const id = `city ${++cities}`;
  const program = await world.program();
  await program.query('begin');
  await program.query(`insert into cities (realm, id, name) values ('public', '${id}', 'theirs')`);
  const create = {
    op: 'create',
    table: 'cities',
    id,
    realm: 'public',
    set: { name: 'mine', population: 2 },
  };
  const pushed = statusOf(world.client(), [create]);
  await aPushLater();
  await program.query('commit');
  expect(['applied', 'busy']).toContain(await pushed);
  expect(
    await statusOf(world.client(), [{ ...create, set: { name: 'mine', population: 3 } }]),
  ).toBe('applied');
  expect(await row(id)).toEqual({ name: 'mine', population: 3 });
});

test('a program that is killed in its transaction has written nothing', async () => {
  const [id = ''] = await newCities(1);
  const before = await row(id);
  const program = await world.program();
  program.on('error', () => {});
  await program.query('begin');
  await program.query(`update cities set name = 'lost' where id = '${id}'`);
  const { rows } = await program.query('select pg_backend_pid() as pid');
  const other = await world.program();
  await other.query(`select pg_terminate_backend(${rows[0]?.pid})`);
  expect(await statusOf(world.client(), [edit(id, { population: 9 })])).toBe('applied');
  expect(await row(id)).toEqual({ ...before, population: 9 });
  expect(
    (await other.query('select 1 from skerry.raw union all select 1 from skerry.raw_tx')).rows,
  ).toEqual([]);
});
