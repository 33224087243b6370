// Goal: `skerry-server check` finds what is wrong in a database, and nothing else, and changes nothing. Method: the real command on a
// database of a real server into which rows were written without triggers.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPGlite } from '../../server/src/db/pglite.ts';
import { openPostgres } from '../../server/src/db/postgres.ts';
import { makeDatabase, postgresUrl } from './support/database.ts';
import { Folder, startServer, uuid7, WireClient } from './support/server.ts';

const kMain = join(import.meta.dirname, '../../server/dist/main.js');
const folder = new Folder();
let url: string | undefined;
let schema: string;
beforeAll(async () => {
  url =
    postgresUrl === undefined
      ? undefined
      : await makeDatabase(postgresUrl, `check_${folder.path.slice(-6).toLowerCase()}`);
  schema = folder.schema();
});
afterAll(() => folder.remove());

const environment = () => (url === undefined ? {} : { DATABASE_URL: url });

async function sql(...statements: readonly string[]): Promise<void> {
  const database = await (url === undefined ? openPGlite(folder.data) : openPostgres(url));
  for (const statement of statements) await database.execute(statement);
  await database.close();
}

interface Checked {
  readonly code: number | null;
  readonly lines: readonly string[];
}

function check(...args: readonly string[]): Promise<Checked> {
  const all = ['check', '--schema', schema, '--data', folder.data, ...args];
  const { DATABASE_URL: _none, ...rest } = process.env;
  const child = spawn(process.execPath, [kMain, ...all], { env: { ...rest, ...environment() } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve) =>
    child.once('exit', (code) => resolve({ code, lines: output.trim().split('\n') })),
  );
}

test('a database of no server is said to be none', async () => {
  if (url === undefined) {
    expect((await check()).lines.join()).toContain(
      'there is no database of PGlite in this folder.',
    );
    return;
  }
  expect(await check()).toEqual({
    code: 1,
    lines: ['No skerry-server has ever been started on this database.', '1 wrong.'],
  });
});

test('nothing is wrong in what clients and programs have written', async () => {
  const server = await startServer(folder, schema, { env: environment() });
  const client = new WireClient(server.url, 'ada');
  const group = uuid7();
  await client.push([
    { op: 'create', table: 'cities', id: 'c', realm: 'public', set: { name: 'x', size: 's' } },
    { op: 'create', table: 'userGroups', id: group, realm: 'public', set: { name: 'g' } },
    { op: 'create', table: 'members', id: uuid7(), realm: 'public', set: { group } },
  ]);
  await server.stop();
  await sql(
    `insert into cities (realm, id, name) values ('user:ada', 'd', 'y'), ('user:ada', 'e', 'z')`,
    `delete from cities where id = 'e'`,
  );
  expect(await check()).toEqual({
    code: 0,
    lines: [
      'cities: 2 rows in 2 realms, and 1 markers of deleted or moved ones.',
      'userGroups: 1 row in 1 realm, and 0 markers of deleted or moved ones.',
      'members: 1 row in 1 realm, and 0 markers of deleted or moved ones.',
      'notices: 0 rows in 0 realms, and 0 markers of deleted or moved ones.',
      'Nothing is wrong.',
    ],
  });
});

test('each kind of wrong row is found, with the first of them', async () => {
  const realm = uuid7();
  await sql(
    `alter table cities disable trigger user`,
    `insert into cities (realm, id, name, size, code, population, extra, revision, created_at, modified_at) values
       ('public', 'r1', null, 'xxl', 'K', 'NaN', '"\\ud800"', 1, now(), now()), ('public', 'r2', 'x', 's', 'K', 1, null, 0, now(), now()),
       ('${realm}', '', 'x', null, null, null, null, 1, now(), now())`,
    `alter table cities enable trigger user`,
    `insert into members (realm, "group") values ('public', '${uuid7()}')`,
    `alter table notices disable trigger user`,
    `drop trigger "~skerry_insert" on user_groups`,
    `insert into skerry.realm (realm, epoch, head) values ('${uuid7()}', 'e', 3)`,
  );
  const { code, lines } = await check();
  expect(code).toBe(1);
  const said = lines.join('\n');
  for (const sentence of [
    'cities.name is required, and null in 1 row (the first: public r1).',
    'cities.size has an unknown member in 1 row (the first: public r1)',
    'cities.code is unique in a realm, and the same in 2 rows (the first: public r1).',
    'cities.population has a value that no client can read in 1 row (the first: public r1).',
    'cities.extra has a value that no client can read in 1 row (the first: public r1).',
    'cities has an id that no client can read in 1 row',
    'cities has 2 rows (the first:',
    'members.group refers to no row of userGroups in 1 row',
    'The triggers of public."notices" are disabled',
    'userGroups: the triggers of public."user_groups" are not all there; a start makes them.',
    'Nobody is a member of',
    `There are rows in ${realm}, which nobody has founded.`,
    'has another number of rows than there are',
    'Of 1 rows that other programs have written',
  ]) {
    expect(said).toContain(sentence);
  }
});

test('tables that differ from the schema are named', async () => {
  await sql(
    'alter table user_groups drop column name',
    'alter table members alter column person type integer using 0',
    'drop table notices',
  );
  const { lines } = await check();
  expect(lines).toEqual(
    expect.arrayContaining([
      'userGroups.name: there is no column "name"; a start makes it.',
      'members.person is text in the schema, and its column integer.',
      'notices: there is no table public."notices"; a start makes it.',
    ]),
  );
});

test.each([
  [['--none'], "Unknown option '--none'"],
  [['--schema', 'none.mjs'], 'there is no file'],
])('flags that are wrong are explained: %s', async (args, sentence) => {
  const { code, lines } = await check(...args);
  expect(code).toBe(1);
  expect(lines.join('\n')).toContain(sentence);
});
