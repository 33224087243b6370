// Goal: everything in a pull's answer is of one moment, whatever other nodes commit between its statements. Method:
// the real puller over a database that lets another node commit right after the heads were read.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authority } from '../../../server/src/authority/authority.ts';
import type { Database } from '../../../server/src/db/database.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import { Puller } from '../../../server/src/pull/pull.ts';
import { Committer } from '../../../server/src/push/commit.ts';
import { RealmsTokens } from '../../../server/src/rights/realms-token.ts';
import type { Caller } from '../../../server/src/rights/rights.ts';
import { applySchema } from '../../../server/src/sql/apply-schema.ts';
import { withMembers } from '../../../server/src/sql/members.ts';
import { migrate } from '../../../server/src/sql/migrations.ts';
import { sqlSchema } from '../../../server/src/sql/tables.ts';
import { makeDatabase, postgresUrl } from '../support/database.ts';
import { invite, remove } from '../support/memberships.ts';
import { testSchema } from '../support/schemas.ts';
import { type Json, uuid7, WireClient } from '../support/server.ts';

const user: Caller = { id: 'anna', grants: new Map([['public', 'write']]), expires: null };
const described = withMembers(testSchema);
const schema = sqlSchema(described);
const writer = new WireClient('');
const tokens = new RealmsTokens(['a key of the tests, long enough for realms tokens']);
const opened: Database[] = [];
let authority: Authority;
let committer: Committer;
let puller: Puller;
/** The work of another node after the heads, or else the rights, were read. */
let meanwhile: (() => Promise<void>) | null = null;
let isAfterRights = false;

beforeAll(async () => {
  const url = await makeDatabase(String(postgresUrl), `test_${randomUUID().slice(0, 8)}`);
  const [mine, others] = [await openPostgres(url, 2), await openPostgres(url, 2)];
  opened.push(mine, others);
  await migrate(others);
  await others.transaction({ mode: 'tables' }, (tx) => applySchema(tx, described, schema));
  authority = await Authority.load(described);
  committer = new Committer(others, authority, schema);
  const watched: Database = {
    ...mine,
    transaction: (options, work) =>
      mine.transaction(options, (tx) =>
        work({
          async query<Row extends object>(sql: string, params?: readonly (string | null)[]) {
            const rows = await tx.query<Row>(sql, params);
            const then = sql.includes(isAfterRights ? 'skerry.membership' : 'json_object_agg')
              ? meanwhile
              : null;
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
  puller = new Puller({ database: watched, authority, schema, images, tokens });
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
  return JSON.parse(
    await puller.pull({ user, request: JSON.stringify(request), realmsToken: null }),
  ) as Json;
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

test('a realms token has the memberships of its version', async () => {
  const [owner, realm] = [new WireClient(''), uuid7()];
  const commit = async (op: Json) => {
    const unit = { client: owner.id, user, epoch: 1, update: owner.update([op]) };
    const { results } = await committer.commit([unit], { wait: true });
    expect(results[0]).toMatchObject({ status: 'applied' });
  };
  await commit(invite(realm, 'anna', 'owner'));
  await commit(invite(realm, 'bo', 'reader'));
  const bo: Caller = { id: 'bo', grants: new Map(), expires: null };
  const request = { client: uuid7(), schema: 1, have: [], seen: {}, cursors: {}, scopes: [] };
  const tokenAfter = async (realmsToken: unknown) =>
    (
      JSON.parse(
        await puller.pull({ user: bo, request: JSON.stringify(request), realmsToken }),
      ) as Json
    ).realmsToken;
  isAfterRights = true;
  meanwhile = () => commit(remove(realm, 'bo'));
  const first = await tokenAfter(null);
  expect(meanwhile).toBeNull();
  expect(tokens.read('bo', first)?.realms).toEqual([realm]);
  expect(tokens.read('bo', await tokenAfter(first))?.realms).toEqual([]);
});
