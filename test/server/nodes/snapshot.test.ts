// Goal: everything in a pull's answer is of one moment, whatever other nodes commit between its statements. Method:
// the real puller over a database that lets another node commit right after the heads were read.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authority } from '../../../server/src/authority/authority.ts';
import type { Database } from '../../../server/src/db/database.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import { Puller } from '../../../server/src/pull/pull.ts';
import { Committer } from '../../../server/src/push/commit.ts';
import type { Caller } from '../../../server/src/rights/rights.ts';
import { applySchema } from '../../../server/src/sql/apply-schema.ts';
import { migrate } from '../../../server/src/sql/migrations.ts';
import { sqlSchema } from '../../../server/src/sql/tables.ts';
import { makeDatabase, postgresUrl } from '../support/database.ts';
import { testSchema } from '../support/schemas.ts';
import { type Json, WireClient } from '../support/server.ts';

const user: Caller = { id: 'anna', grants: new Map([['public', 'write']]), expires: null };
const schema = sqlSchema(testSchema);
const writer = new WireClient('');
const opened: Database[] = [];
let authority: Authority;
let committer: Committer;
let puller: Puller;
/** The work of another node after the heads were read. */
let meanwhile: (() => Promise<void>) | null = null;

beforeAll(async () => {
  const url = await makeDatabase(String(postgresUrl), `test_${randomUUID().slice(0, 8)}`);
  const [mine, others] = [await openPostgres(url, 2), await openPostgres(url, 2)];
  opened.push(mine, others);
  await migrate(others);
  await others.transaction({ mode: 'tables' }, (tx) => applySchema(tx, testSchema, schema));
  authority = await Authority.load(testSchema);
  committer = new Committer(others, authority, schema);
  const watched: Database = {
    ...mine,
    transaction: (options, work) =>
      mine.transaction(options, (tx) =>
        work({
          async query<Row extends object>(sql: string, params?: readonly (string | null)[]) {
            const rows = await tx.query<Row>(sql, params);
            const then = sql.includes('json_object_agg') ? meanwhile : null;
            if (then !== null) {
              meanwhile = null;
              await then();
            }
            return rows;
          },
        }),
      ),
  };
  const images = { offer: () => Promise.reject(new Error('no image is asked for')) };
  puller = new Puller({ database: watched, authority, schema, images });
});
afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()));
  await authority.close();
});

async function name(id: string, text: string): Promise<void> {
  const op = { table: 'cities', id, realm: 'public', set: { name: text } };
  const update = writer.update([{ op: text === 'first' ? 'create' : 'update', ...op }]);
  const { results } = await committer.commit([{ client: writer.id, user, epoch: 1, update }], {
    wait: true,
  });
  expect(results[0]).toMatchObject({ status: 'applied' });
}

async function pull(cursors: Json, filled: boolean): Promise<Json> {
  const request = {
    ...{ client: new WireClient('').id, schema: 1, have: [], seen: {}, limit: 100, cursors },
    scopes: [{ table: 'cities', where: ['true'], filled }],
  };
  return JSON.parse(await puller.pull(user, JSON.stringify(request))) as Json;
}

const rows = (answer: Json) =>
  (answer.changes as Json[]).map(({ id, set }) => [id, (set as Json).name]);

test('a page matches its cursor, and later commits come with the next pull', async () => {
  await name('one', 'first');
  meanwhile = () => name('one', 'second');
  const page = await pull({}, false);
  expect(meanwhile).toBeNull();
  expect(rows(page)).toEqual([['one', 'first']]);
  const next = await pull(page.cursors as Json, true);
  expect(rows(next)).toEqual([['one', 'second']]);
});

test('a range ends at the head that was read first, with the rows of that state', async () => {
  const { cursors } = await pull({}, false);
  await name('two', 'first');
  meanwhile = () => name('two', 'second');
  const range = await pull(cursors as Json, true);
  expect(meanwhile).toBeNull();
  expect(rows(range)).toEqual([['two', 'first']]);
  expect(rows(await pull(range.cursors as Json, true))).toEqual([['two', 'second']]);
});
