// Goal: whatever the application and clients write to adopted tables, in whichever order, both have the same rows, in the realms that the
// application's columns say. Method: generated transactions of SQL beside pushes; after each, what the clients have is compared with the
// application's own tables.

import { afterEach, expect, test } from 'vitest';
import { rounds } from '../../support/rounds.ts';
import { AdoptedApp } from '../support/adopting.ts';
import type { Follower } from '../support/follower.ts';
import { filled } from '../support/foreign-world.ts';
import { pick, type Random, random } from '../support/random.ts';
import { type Json, uuid7, type WireClient } from '../support/server.ts';

const kSeeds = Array.from({ length: rounds(30, 2) }, (_, i) => i + 1);
const kSteps = 40;
const kUsers = ['1', '2'];
const kNames = ['projects', 'tasks', 'notes'];

const kTables = `
  create table projects (
    id serial primary key, owner_id integer, title text not null default 'untitled', budget numeric(6, 2) check (budget >= 0));
  create table tasks (
    id serial primary key, project_id integer not null references projects on delete cascade, title text, done boolean not null default false);
  create table notes (id serial primary key, task_id integer references tasks on delete set null, text varchar(8), at timestamptz default now())`;

/** The rows that clients have to have. */
const kExpected = `
  with p as (select *, 'user:' || owner_id as realm from projects),
       t as (select t.*, p.realm, p.skerry_id as parent from tasks t join p on p.id = t.project_id),
       n as (select n.*, t.realm, t.skerry_id as parent from notes n join t on t.id = n.task_id)
  select realm || ' projects ' || skerry_id as key, json_build_object('title', title, 'budget', budget::float8) as props from p
  union all
  select realm || ' tasks ' || skerry_id, json_build_object('project', parent, 'title', title, 'done', done) from t
  union all
  select realm || ' notes ' || skerry_id,
    json_build_object('task', parent, 'text', text, 'at', floor(extract(epoch from at) * 1000)) from n`;

let app: AdoptedApp;
afterEach(() => app?.close());

/** What the application may do to some rows. */
function statement(next: Random): string {
  const [id, other, n] = [1 + next(6), 1 + next(6), next(100)];
  const owner = pick(next, ['1', '2', 'null']);
  const any = (table: string) =>
    `(select id from ${table} order by id % ${1 + next(5)}, id limit 1)`;
  return pick(next, [
    `insert into projects (owner_id, title) values (${owner}, 'p${n}')`,
    `insert into projects (owner_id) values (${owner})`,
    `update projects set title = 'q${n}', budget = ${n} where id = ${id}`,
    `update projects set owner_id = ${owner} where id = ${id}`,
    `update projects set owner_id = 3 - owner_id where id <= ${id}`,
    `delete from projects where id = ${any('projects')}`,
    `insert into tasks (project_id, title) select id, 't${n}' from projects where id <= ${other}`,
    `update tasks set title = 'u${n}', done = not done where id <= ${id}`,
    `update tasks set project_id = ${any('projects')} where id = ${any('tasks')}`,
    `delete from tasks where id = ${any('tasks')}`,
    `insert into notes (task_id, text) values (${any('tasks')}, 'n${n}')`,
    `update notes set task_id = ${any('tasks')}, text = 'm${n}' where id <= ${id}`,
    `update notes set task_id = null where id = ${any('notes')}`,
    `delete from notes where id = ${any('notes')}`,
    `update notes set text = text`,
  ]);
}

/** An op on a row that the follower has, or a new one below it. */
function op(next: Random, { rows, client: { user } }: Follower): Json {
  const realm = `user:${user}`;
  const n = next(100);
  const create = (table: string, set: Json) => ({ op: 'create', table, id: uuid7(), realm, set });
  const all = [...rows.keys()].sort();
  const key = all.length === 0 ? undefined : pick(next, all);
  const [, table = '', id = ''] = key?.split(' ') ?? [];
  const update = (set: Json) => ({ op: 'update', table, id, realm, set });
  switch (table) {
    case 'projects':
      return pick<Json>(next, [
        create('projects', { title: `c${n}` }),
        create('tasks', { project: id, title: `c${n}` }),
        update({ title: `d${n}` }),
        update({ budget: n - 10 }),
        { op: 'delete', table, id, realm },
      ]);
    case 'tasks':
      return pick<Json>(next, [
        create('notes', { task: id, text: `c${n}` }),
        update({ done: n % 2 === 0 }),
        update({ title: null }),
        { op: 'delete', table, id, realm },
      ]);
    case 'notes':
      return pick<Json>(next, [
        update({ text: `long enough ${n}`.slice(0, 5 + (n % 5)) }),
        update({ at: n * 1000 }),
        { op: 'delete', table, id, realm },
      ]);
    default:
      return create('projects', { title: `first ${n}` });
  }
}

async function expected(): Promise<Record<string, Json>> {
  const rows = await app.rows(kExpected);
  const mine = rows.filter(({ key }) => kUsers.includes(String(key).slice(5, 6)));
  return Object.fromEntries(mine.map(({ key, props }) => [key, filled(props as Json)]));
}

async function held(followers: readonly Follower[]): Promise<Record<string, Json>> {
  const all: Record<string, Json> = {};
  for (const follower of followers) {
    await follower.follow();
    for (const [key, props] of follower.rows) all[key] = filled(props);
  }
  return all;
}

test.each(kSeeds)('generated transactions and pushes on adopted tables, %i', async (seed) => {
  app = await AdoptedApp.open(kTables);
  const next = random(seed);
  for (let times = 0; times < 5; times++) await app.sql.query(statement(next));
  const adopted = await app.adopt(['projects=owner_id', 'tasks=project_id', 'notes=task_id']);
  expect(adopted).toMatchObject({ code: 0 });
  await app.start();
  const followers = kUsers.map((user) => app.follower(user, kNames));
  const clients = new Map<string, WireClient>(kUsers.map((user) => [user, app.client(user)]));
  const owed = async () => (await app.rows('select count(*)::int as n from skerry.owed'))[0]?.n;
  let applied = 0;
  for (let step = 0; step < kSteps; step++) {
    let what: string;
    if (next(2) === 0) {
      const all = Array.from({ length: 1 + next(3) }, () => statement(next));
      what = all.join('; ');
      await app.sql.query(`begin; ${what}; commit`);
    } else {
      const follower = pick(next, followers);
      const ops = Array.from({ length: 1 + next(2) }, () => op(next, follower));
      what = JSON.stringify(ops);
      const { status } = await (clients.get(follower.client.user) as WireClient).pushUntilSettled(
        ops,
      );
      if (status === 'applied') applied++;
      what += ` ${status}`;
    }
    await expect.poll(owed).toBe(0);
    expect(await held(followers), `step ${step}: ${what}`).toEqual(await expected());
  }
  expect(applied).toBeGreaterThan(5);
});
