// Goal: tables that exist already become tables of Skerry, and go on as they were: their own programs write as before, and clients
// read and write the same rows. Method: the real command on a database of a small shop, a server with the schema that it writes, clients, and the
// application's own SQL beside them.

import { existsSync } from 'node:fs';
import type { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AdoptedApp } from '../support/adopting.ts';
import type { Follower } from '../support/follower.ts';
import { type Json, uuid7 } from '../support/server.ts';

let adopted: AdoptedApp;
let app: Client;

const kShop = `
  create type status as enum ('open', 'paid', 'lost');
  create table people (id serial primary key, name text not null);
  create table projects (
    id serial primary key, owner_id integer references people, title varchar(40) not null check (title <> ''),
    budget numeric(10, 2) default 0, labels text[], settings jsonb, started date, created timestamp not null default now());
  create table tasks (
    number bigserial primary key, project_id integer not null references projects on delete cascade,
    state status not null default 'open', done boolean not null default false, note text, at timestamptz,
    length integer generated always as (char_length(note)) stored);
  create table journal (task bigint, what text);
  create function remember() returns trigger language plpgsql as $$ begin
    insert into journal values (coalesce(new.number, old.number), lower(tg_op)); return null; end $$;
  create trigger remember after insert or update or delete on tasks for each row execute function remember();
  create view open_tasks as select * from tasks where not done;
  create table keyless (a integer);
  create table pairs (a integer, b integer, primary key (a, b));
  create table shapes (id serial primary key, owner_id integer, shape point not null);
  insert into people (name) values ('Ada'), ('Bo');
  insert into projects (owner_id, title, budget, labels, settings, started) values
    (1, 'Engine', 12.34, '{a,b}', '{"b": 1, "a": [2]}', '2020-02-29'), (2, 'Bridge', null, null, null, null), (null, 'Nobody', 0, null, null, null);
  insert into tasks (project_id, note, at) values (1, 'first', '2021-01-02 03:04:05.678901+00'), (1, null, null), (2, 'of Bo', null)`;

beforeAll(async () => {
  adopted = await AdoptedApp.open(kShop);
  app = adopted.sql;
});
afterAll(() => adopted?.close());

test.each([
  ['a view', 'open_tasks=number', 'open_tasks is a view: only ordinary tables can be adopted.'],
  ['a table without a key', 'keyless=a', 'keyless has no primary key'],
  ['a key of two columns', 'pairs=a', 'pairs has a primary key of several columns (a, b)'],
  ['a table that is not there', 'none=a', 'none: there is no such table'],
  [
    'a required column of a type that no prop can hold',
    'shapes=owner_id',
    'shapes.shape is of the type point, which no prop can hold',
  ],
  ['a realm from no column', 'projects=team:{team}', 'projects has no column team'],
  ['no realm', 'projects', 'projects needs a realm'],
])('%s is refused by a sentence, and nothing is changed', async (_what, table, sentence) => {
  const { code, said } = await adopted.adopt([table]);
  expect(said).toContain(sentence);
  expect(said).toContain('Nothing was changed.');
  expect(code).toBe(1);
  expect(existsSync(adopted.schema)).toBe(false);
  const { rows } = await app.query(`select to_regnamespace('skerry') is null as clean`);
  expect(rows).toEqual([{ clean: true }]);
});

test('tables are adopted, with what clients do not get said', async () => {
  const { code, said } = await adopted.adopt(['projects=owner_id', 'tasks=project_id']);
  expect(said).toContain(
    'projects.labels is of the type text[], which no prop can hold: clients do not get it.',
  );
  expect(said).toContain('tasks.length is computed: clients do not get it.');
  expect(code).toBe(0);
  expect(adopted.schemaText).toContain(`project: t.ref("projects", { onDelete: 'cascade' }),`);
});

const ofAda = () => follower.rows;
let follower: Follower;
const valuesOf = (table: string) =>
  [...ofAda()].filter(([key]) => key.includes(` ${table} `)).map(([, props]) => props);
const idOf = (table: string, fits: (props: Json) => boolean) =>
  [...ofAda()]
    .find(([key, props]) => key.includes(` ${table} `) && fits(props))?.[0]
    .split(' ')[2] as string;

test('a client has the rows of its user', async () => {
  await adopted.start();
  follower = adopted.follower('1', ['projects', 'tasks']);
  await follower.follow();
  expect(valuesOf('projects')).toMatchObject([
    { title: 'Engine', budget: 12.34, settings: { b: 1, a: [2] }, started: Date.UTC(2020, 1, 29) },
  ]);
  expect(valuesOf('tasks').map(({ note, state }) => [note, state])).toEqual(
    expect.arrayContaining([
      ['first', 'open'],
      [undefined, 'open'],
    ]),
  );
});

test('what the application writes by its own SQL reaches the client', async () => {
  await app.query(`update projects set title = 'Engine 2', budget = 99.99 where id = 1`);
  await app.query(
    `insert into tasks (project_id, note) values (1, 'by SQL') on conflict do nothing`,
  );
  await app.query(`delete from tasks where note is null`);
  await app.query(`update projects set owner_id = 1 where title = 'Nobody'`);
  await app.query(`insert into projects (owner_id, title) values (2, 'of Bo, too')`);
  await follower.follow();
  expect(
    valuesOf('projects')
      .map(({ title }) => title)
      .sort(),
  ).toEqual(['Engine 2', 'Nobody']);
  expect(
    valuesOf('tasks')
      .map(({ note }) => note)
      .sort(),
  ).toEqual(['by SQL', 'first']);
});

test('what clients write is in the application’s tables', async () => {
  const client = adopted.client('1');
  const realm = 'user:1';
  const project = idOf('projects', ({ title }) => title === 'Engine 2');
  const task = idOf('tasks', ({ note }) => note === 'first');
  const fresh = uuid7();
  await app.query('truncate journal');
  const pushed = await client.push([
    { op: 'update', table: 'tasks', id: task, realm, set: { done: true, state: 'paid', at: 1e12 } },
    {
      op: 'create',
      table: 'tasks',
      id: fresh,
      realm,
      set: { project, note: 'by a client', state: 'open', done: false },
    },
    { op: 'update', table: 'projects', id: project, realm, set: { settings: { c: null } } },
  ]);
  expect(pushed).toMatchObject({ status: 'applied' });
  const { rows } = await app.query(
    `select t.note, t.done, t.state, t.at, p.title, p.settings from tasks t join projects p on p.id = t.project_id
      where t.note in ('first', 'by a client') order by 1`,
  );
  expect(rows).toMatchObject([
    { note: 'by a client', done: false, state: 'open', at: null, title: 'Engine 2' },
    { note: 'first', done: true, state: 'paid', at: new Date(1e12), settings: { c: null } },
  ]);
  expect(await client.push([{ op: 'delete', table: 'tasks', id: fresh, realm }])).toMatchObject({
    status: 'applied',
  });
  expect((await app.query(`select 1 from tasks where note = 'by a client'`)).rows).toEqual([]);
  // The application's own trigger has seen each of them, once.
  const { rows: journal } = await app.query(`select string_agg(what, ' ') as seen from journal`);
  expect(journal).toEqual([{ seen: 'update insert delete' }]);
});

test('constraints of the application refuse what breaks them', async () => {
  const client = adopted.client('1');
  const realm = 'user:1';
  const project = idOf('projects', ({ title }) => title === 'Engine 2');
  expect(
    await client.push([
      { op: 'update', table: 'projects', id: project, realm, set: { title: '' } },
    ]),
  ).toMatchObject({
    status: 'rejected',
    rejected: [
      { detail: 'This update breaks the constraint projects_title_check of the database.' },
    ],
  });
  expect(
    await client.push([
      { op: 'create', table: 'projects', id: uuid7(), realm: 'public', set: { title: 'x' } },
    ]),
  ).toMatchObject({
    status: 'rejected',
    rejected: [{ detail: 'projects: its rows are in realms of the form user:{owner_id}.' }],
  });
});

test('a parent that either deletes takes its children along', async () => {
  await app.query(`delete from projects where title = 'of Bo, too'`);
  const client = adopted.client('1');
  const project = idOf('projects', ({ title }) => title === 'Engine 2');
  expect(
    await client.push([{ op: 'delete', table: 'projects', id: project, realm: 'user:1' }]),
  ).toMatchObject({ status: 'applied' });
  await follower.follow();
  expect(valuesOf('tasks')).toEqual([]);
  const { rows } = await app.query(`select note from tasks`);
  expect(rows).toEqual([{ note: 'of Bo' }]);
});

test('it is taken back, and the tables are as they were', async () => {
  await adopted.stop();
  const { code, said } = await adopted.adopt(['tasks', 'projects'], '--undo');
  expect([code, said]).toEqual([0, 'It was taken back.\n']);
  await app.query(`insert into tasks (project_id, note) select id, 'after' from projects limit 1`);
  const { rows } = await app.query(
    `select c.column_name as name from information_schema.columns c
      where c.table_name in ('projects', 'tasks') and c.column_name like 'skerry%'`,
  );
  expect(rows).toEqual([]);
  expect((await adopted.adopt(['tasks'], '--undo')).said).toContain('tasks is not adopted.');
});
