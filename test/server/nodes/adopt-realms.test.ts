// Goal: the rows of adopted tables are in the realms that their columns say, whichever side moves them, and what one user does not see is not
// deleted for that. Method: tables whose rows refer to rows of other users, to rows of nobody, and to parents that move.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AdoptedApp, rowsIn } from '../support/adopting.ts';
import type { Follower } from '../support/follower.ts';
import type { Json } from '../support/server.ts';

const kTables = `
  create table projects (id serial primary key, owner_id integer, title text);
  create table tasks (id serial primary key, project_id integer not null references projects, title text);
  create table notes (id serial primary key, task_id integer references tasks on delete set null, text text);
  create table reviews (
    id serial primary key, reviewer_id integer, project_id integer not null references projects on delete cascade,
    task_id integer references tasks on delete set null)`;

let app: AdoptedApp;
let followers: Record<'one' | 'two', Follower>;
beforeAll(async () => {
  app = await AdoptedApp.open(kTables);
  await app.sql.query(kRows);
  const adopted = await app.adopt([
    ...['projects=owner_id', 'tasks=project_id', 'notes=task_id', 'reviews=reviewer_id'],
  ]);
  expect(adopted).toMatchObject({ code: 0 });
  await app.start();
  const tables = ['projects', 'tasks', 'notes', 'reviews'];
  followers = { one: app.follower('1', tables), two: app.follower('2', tables) };
});
afterAll(() => app?.close());

/** Ada (1) has a project with a task and a note; Bo (2) reviews it. */
const kRows = `
  insert into projects (owner_id, title) values (1, 'Engine');
  insert into tasks (project_id, title) values (1, 'build');
  insert into notes (task_id, text) values (1, 'carefully');
  insert into reviews (reviewer_id, project_id, task_id) values (2, 1, 1)`;

beforeEach(async () => {
  await app.sql.query(`
    delete from reviews; delete from notes; delete from tasks; delete from projects;
    select setval(pg_get_serial_sequence(t, 'id'), 1, false) from unnest('{projects,tasks,notes,reviews}'::text[]) t;
    ${kRows}`);
});

/** What the application has, and what both users have, once nothing is owed any more. */
async function all() {
  await expect
    .poll(() => app.rows('select count(*)::int as n from skerry.owed'))
    .toEqual([{ n: 0 }]);
  const [row] = await app.rows(
    `select (select count(*) from projects)::int as projects, (select count(*) from tasks)::int as tasks,
            (select count(*) from notes)::int as notes, (select count(*) from reviews where task_id is not null)::int as reviews`,
  );
  const seen: Record<string, Json> = {};
  for (const [name, follower] of Object.entries(followers)) {
    await follower.follow();
    seen[name] = Object.fromEntries(
      ['projects', 'tasks', 'notes', 'reviews'].flatMap((table) => {
        const { size } = rowsIn(follower, table);
        return size === 0 ? [] : [[table, size]];
      }),
    );
  }
  return { rows: row, ...seen };
}
const kAll = { projects: 1, tasks: 1, notes: 1, reviews: 1 };

test('a row that refers to rows of another user stays', async () => {
  const before = { rows: kAll, one: { projects: 1, tasks: 1, notes: 1 }, two: { reviews: 1 } };
  expect(await all()).toEqual(before);
  await app.sql.query(`update reviews set reviewer_id = 2, project_id = 1`);
  expect(await all()).toEqual(before);
});

test('a row of nobody stays, with those that are in its realm, and comes back', async () => {
  await app.sql.query(`update projects set owner_id = null`);
  expect(await all()).toEqual({ rows: kAll, one: {}, two: { reviews: 1 } });
  await app.sql.query(`update notes set text = 'later'`);
  expect(await all()).toEqual({ rows: kAll, one: {}, two: { reviews: 1 } });
  await app.sql.query(`update projects set owner_id = 2`);
  expect(await all()).toEqual({ rows: kAll, one: {}, two: kAll });
});

test('rows go along with a parent that the application moves', async () => {
  await app.sql.query(`update projects set owner_id = 2`);
  expect(await all()).toEqual({ rows: kAll, one: {}, two: kAll });
  await app.sql.query(`update projects set owner_id = 1`);
  expect(await all()).toEqual({
    ...{ rows: kAll, one: { projects: 1, tasks: 1, notes: 1 }, two: { reviews: 1 } },
  });
});

test('rows that go along with a parent that a client deletes are deleted there, too', async () => {
  await app.sql.query(`delete from reviews`);
  await all();
  const [[id = ''] = []] = [...rowsIn(followers.one, 'tasks')];
  const client = app.client('1');
  const remove = { op: 'delete', realm: 'user:1' };
  expect(await client.pushUntilSettled([{ ...remove, table: 'tasks', id }])).toMatchObject({
    status: 'applied',
  });
  // The note refers to nothing now, by the rule of the application's own key, and is in no realm.
  expect(await all()).toEqual({
    ...{ rows: { projects: 1, tasks: 0, notes: 1, reviews: 0 }, one: { projects: 1 }, two: {} },
  });
  const [[project = ''] = []] = [...rowsIn(followers.one, 'projects')];
  expect(
    await client.pushUntilSettled([{ ...remove, table: 'projects', id: project }]),
  ).toMatchObject({ status: 'applied' });
  expect(await all()).toMatchObject({ rows: { projects: 0 }, one: {} });
});
